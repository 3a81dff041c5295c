"""The intents' files agree with each other, with the readers and with the page in the docs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from hassil import ListReference
from hassil.expression import Expression, Group, RuleReference

from lumi.engines.base import Language
from lumi.skills.catalogue import FILES, Catalogue, load
from lumi.skills.readers import READERS
from lumi.skills.recognizer import candidates
from lumi.skills.reference import markdown

LANGUAGES: list[Language] = ["en", "zh"]
DOCS = Path(__file__).parents[2] / "docs" / "skills.md"


@pytest.fixture(params=LANGUAGES)
def catalogue(request: pytest.FixtureRequest) -> Catalogue:
    return load(request.param)


def test_both_languages_have_the_same_intents_and_responses() -> None:
    english, chinese = load("en"), load("zh")
    assert set(english.intents.intents) == set(chinese.intents.intents)
    assert set(english.responses) == set(chinese.responses)
    assert [topic.name for topic in english.topics] == [topic.name for topic in chinese.topics] == list(FILES)


def test_both_languages_fill_in_the_same() -> None:
    english, chinese = load("en").responses, load("zh").responses
    for key in english:
        assert _fields(chinese[key]) <= _fields(english[key]) | {"day", "label"}, key


def _fields(texts: object) -> set[str]:
    every = [texts] if isinstance(texts, str) else list(texts)  # type: ignore[call-overload]
    return {name for text in every for _, name, _, _ in Formatter().parse(text) if name}


def test_chinese_answers_have_chinese_punctuation() -> None:
    for key, texts in load("zh").responses.items():
        for text in [texts] if isinstance(texts, str) else texts:
            assert not set(text) & set(",?!;"), key


def test_every_example_is_understood_by_its_own_topic(catalogue: Catalogue) -> None:
    for topic in catalogue.topics:
        for example in topic.examples:
            assert next(candidates(example, catalogue), None) is not None, example


def test_every_slot_is_read_or_listed(catalogue: Catalogue) -> None:
    for intent in catalogue.intents.intents.values():
        for data in intent.data:
            for sentence in data.sentences:
                for reference in _references(sentence.expression):
                    if reference.list_name in READERS:
                        continue
                    assert reference.list_name in {"days", "yesterday", "content", "artist"}, (
                        reference.list_name
                    )


def _references(expression: Expression) -> Iterator[ListReference]:
    if isinstance(expression, ListReference):
        yield expression
    elif isinstance(expression, Group):
        for item in expression.items:
            yield from _references(item)


def test_every_rule_that_is_used_is_there(catalogue: Catalogue) -> None:
    def rules(expression: Expression) -> Iterator[str]:
        if isinstance(expression, RuleReference):
            yield expression.rule_name
        elif isinstance(expression, Group):
            for item in expression.items:
                yield from rules(item)

    used = {
        rule
        for intent in catalogue.intents.intents.values()
        for data in intent.data
        for sentence in data.sentences
        for rule in rules(sentence.expression)
    }
    assert used <= set(catalogue.intents.expansion_rules)


def test_the_page_in_the_docs_is_up_to_date() -> None:
    assert DOCS.read_text("utf-8") == markdown(), "run: python -m lumi.skills.reference > docs/skills.md"
