from __future__ import annotations

from pathlib import Path

import pytest
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen

from lumi.client.spoken_reply import SpokenReply
from lumi.commands.say import SayOptions, device_speaking, report, say
from lumi.errors import AudioFileError, ServerError

REPLY = SpokenReply("what time is it", 0.934, "It is noon.", 212.345, bytes(48_000), 24_000)


def test_the_answer_for_people(screen: Screen):
    report(ENGLISH, REPLY, Path("reply.wav"))
    assert screen.read() == (
        "You:  what time is it  [0.93]\nLumi: It is noon.\n",
        "first sound after 212 ms, 1.0 s of speech\nwritten to reply.wav\n",
    )


def test_the_answer_for_programs(screen: Screen):
    report(AS_JSON, REPLY, None)
    assert screen.object() == {
        "transcript": "what time is it",
        "confidence": 0.934,
        "reply": "It is noon.",
        "first_audio_ms": 212.3,
        "audio_s": 1.0,
        "out": None,
    }


def test_an_answer_that_could_not_be_spoken_is_read(screen: Screen):
    problem = ServerError("tts_failed", "Sorry, the voice cannot be reached.")
    unspoken = SpokenReply("what time is it", 0.9, "It is noon.", None, problem=problem)
    report(ENGLISH, unspoken, None)
    assert screen.read() == (
        "You:  what time is it  [0.90]\nLumi: It is noon.\n",
        "the answer could not be spoken: Sorry, the voice cannot be reached.\n",
    )
    report(AS_JSON, unspoken, None)
    assert screen.object()["problem"] == "Sorry, the voice cannot be reached."


def test_nothing_understood_and_nothing_spoken(screen: Screen):
    nothing = SpokenReply("", 0.0, "", None)
    report(CHINESE, nothing, None)
    assert screen.read() == ("你：（没有听清）  [0.00]\nLumi: \n", "")
    report(AS_JSON, nothing, Path("x.wav"))
    assert screen.object() == {
        "transcript": "",
        "confidence": 0.0,
        "reply": "",
        "first_audio_ms": None,
        "audio_s": 0.0,
        "out": "x.wav",
    }


def test_the_language_is_told_to_the_server():
    assert device_speaking("zh").locale == "zh_CN"
    assert device_speaking("en").locale == "en_US"
    assert device_speaking(None).platform


async def test_an_unreadable_recording_is_told_before_anything_starts(tmp_path: Path):
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    with pytest.raises(AudioFileError, match="not a WAV file"):
        await say(ENGLISH, SayOptions(tmp_path / "broken.wav", url="ws://never/"))
