from __future__ import annotations

import pytest
from wyoming.audio import AudioChunk
from wyoming.event import Event

from lumi.engines.wyoming_sound import IncomingSound
from lumi.errors import FrameError
from lumi.testing.sounds import tone


def chunk(pcm: bytes, rate: int, channels: int = 1, width: int = 2) -> Event:
    return AudioChunk(rate, width, channels, pcm).event()


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_sound_of_any_rate_keeps_its_length(rate):
    pcm, sound = tone(900, rate), IncomingSound(16_000)
    heard = b"".join(
        sound.push(chunk(pcm[start : start + 1_001], rate)) for start in range(0, len(pcm), 1_001)
    )
    heard += sound.rest()
    assert len(heard) / 32_000 == pytest.approx(0.9, abs=0.01)


def test_stereo_becomes_mono():
    assert IncomingSound(16_000).push(chunk(b"\x02\x00\x04\x00" * 10, 16_000, 2)) == b"\x03\x00" * 10


def test_no_sound_has_no_rest():
    assert IncomingSound(16_000).rest() == b""
    assert IncomingSound(16_000).push(Event("audio-chunk", chunk(b"", 16_000).data)) == b""


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (Event("audio-chunk", {}, b"ab"), "has no format"),
        (Event("audio-chunk", {"rate": "16k", "width": 2, "channels": 1}, b"ab"), "has no format"),
        (chunk(b"ab", 16_000, width=4), "accepted: 4000 to 192000 Hz, 2 bytes, 1 to 8 channels"),
        (chunk(b"ab", 0), "0 Hz"),
        (chunk(b"ab", 16_000, channels=99), "99 channels"),
    ],
)
def test_sound_that_is_none(event, problem):
    with pytest.raises(FrameError, match=problem):
        IncomingSound(16_000).push(event)
