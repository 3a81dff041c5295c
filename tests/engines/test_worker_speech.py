"""What engines and their workers say to each other; over real pipes it is tested with each engine."""

from __future__ import annotations

import pytest

from lumi.engines.base import Transcript
from lumi.engines.worker_speech import HearRequest, Said, SpeakRequest, VoiceReport, _transcript, pack, unpack


@pytest.mark.parametrize(
    "message",
    [HearRequest("zh"), Said("你好", 0.5, is_final=False, language="zh"), SpeakRequest("hi", "a", "en", 1.5), VoiceReport(8_000, 174)],
)  # fmt: skip
def test_what_is_packed_comes_out_again(message: object):
    assert unpack(pack(message), type(message)) == message


def test_no_language_is_none():
    assert _transcript(pack(Said("hi", 0.9))) == Transcript("hi", 0.9, language=None)
    assert _transcript(pack(Said("hi", 0.9, language="en"))).language == "en"
