from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.base import Language
from lumi.skills.moment_words import parse
from lumi.skills.moments import Moment


@pytest.mark.parametrize(
    ("text", "language"),
    [("christmas", "en"), ("圣诞节", "zh"), ("december twenty fifth", "en"), ("12月25日", "zh")],
)
def test_knows_the_feasts_and_both_languages(text: str, language: Language) -> None:
    assert parse(text, language) == Moment(month=12, day=25)


def test_long_texts_name_no_moment() -> None:
    assert parse("tomorrow " * 20, "en") is None


@given(st.text(max_size=60), st.sampled_from(["en", "zh"]))
def test_no_text_makes_it_stumble(text: str, language: Language) -> None:
    parse(text, language)
