"""The pure parts; the models behind them are tested in test_sherpa_stt.py."""

from __future__ import annotations

import math

import pytest

from lumi.engines.sherpa_stt_worker import confidence, joined
from lumi.engines.worker_speech import Said


def test_confidence_is_the_tokens_mean_probability():
    assert confidence([]) == 1.0
    assert confidence([math.log(0.5), math.log(0.5)]) == pytest.approx(0.5)
    assert confidence([0.3]) == 1.0, "rounding above one"


def test_windows_are_joined_as_their_language_writes():
    assert joined([]) == Said("")
    assert joined([Said("你好", 0.9, language="zh"), Said("今天", 0.5, language="zh")]).text == "你好今天"
    said = joined([Said("good day", 0.9, language="en"), Said("sir", 0.5, language="en")])
    assert (said.text, said.confidence, said.language) == ("good day sir", 0.5, "en")
