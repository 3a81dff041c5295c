from __future__ import annotations

import asyncio
from typing import Any

import pytest

from lumi.audio.format import AudioFormat, Codec
from lumi.audio.opus import OpusDecoder
from lumi.client.voice_notes import NoteRecorder, VoiceNote, deliver_note, record_note
from lumi.errors import AudioError, ConnectionLost
from lumi.protocol.messages import AudioParams, Listen
from lumi.testing import silence, tone

PCM = AudioFormat(Codec.PCM)
OPUS = AudioFormat()
FRAME_BYTES = PCM.frame_bytes


def note(packets: int) -> VoiceNote:
    return VoiceNote("n", Codec.PCM, 16_000, 60, tuple(bytes([number % 256]) for number in range(packets)))


class Line:
    """Keeps what came and when."""

    def __init__(self, *, slow_s: float = 0.0, breaks_at: int | None = None) -> None:
        self.came: list[tuple[float, Any]] = []
        self.slow_s = slow_s
        self.breaks_at = breaks_at

    async def send(self, message: Any) -> bool:
        if len(self.came) == self.breaks_at:
            raise ConnectionLost(1006)
        await asyncio.sleep(self.slow_s)
        self.came.append((asyncio.get_running_loop().time(), message))
        return True


def test_what_was_said_is_kept_as_packets():
    kept = record_note("n1", tone(1_000), 16_000, OPUS)
    assert (kept.id, kept.audio, len(kept.packets)) == ("n1", OPUS, 17)
    assert kept.duration_s == pytest.approx(1.02)
    assert kept.size_bytes == sum(map(len, kept.packets)) < 10_000
    decoder = OpusDecoder(OPUS)
    assert all(len(decoder.decode(packet)) == OPUS.frame_bytes for packet in kept.packets)


def test_it_may_come_in_pieces_of_any_length_and_any_rate():
    recorder = NoteRecorder("n", PCM, 48_000)
    pcm = silence(600) * 3  # as many samples as 600 ms at 48 kHz have
    for start in range(0, len(pcm), 1_001):
        recorder.feed(pcm[start : start + 1_001])
    assert recorder.duration_s == pytest.approx(0.54, abs=0.061)
    kept = recorder.finish()
    assert {len(packet) for packet in kept.packets} == {FRAME_BYTES}
    assert kept.duration_s == pytest.approx(0.6, abs=0.061)


def test_what_is_too_long_is_refused_aloud_and_its_beginning_kept():
    recorder = NoteRecorder("n", PCM, 16_000, max_s=0.6)
    recorder.feed(tone(540))
    with pytest.raises(AudioError, match=r"may last 0\.6 s: end it, and say the rest in another"):
        recorder.feed(tone(120))
    with pytest.raises(AudioError):
        recorder.feed(tone(600))
    assert recorder.duration_s == 0.6
    assert len(recorder.finish().packets) == 10
    with pytest.raises(AudioError, match="may last"):
        record_note("n", tone(700), 16_000, PCM, max_s=0.6)


def test_the_rest_of_a_note_that_is_just_full_is_not_too_much():
    recorder = NoteRecorder("n", PCM, 16_000, max_s=0.6)
    recorder.feed(tone(630))
    assert len(recorder.finish().packets) == 10


def test_silence_of_no_length_is_no_note():
    with pytest.raises(AudioError, match="there is no sound in this voice note"):
        record_note("n", b"", 16_000, OPUS)


async def test_it_is_delivered_with_its_id_and_its_format_as_fast_as_the_line_allows():
    line = Line()
    began_s = asyncio.get_running_loop().time()
    await deliver_note(line.send, note(500))
    start, *frames, stop = (message for _, message in line.came)
    assert isinstance(start, Listen)
    assert isinstance(stop, Listen)
    assert (start.state, start.mode, start.id, start.note) == ("start", "manual", "n", True)
    assert start.audio_params == AudioParams(format="pcm")
    assert (stop.state, stop.id) == ("stop", "n")
    assert [frame.payload for frame in frames] == list(note(500).packets)
    assert [frame.sequence for frame in frames] == list(range(500))
    assert asyncio.get_running_loop().time() == began_s


async def test_a_slow_line_sets_the_pace():
    line = Line(slow_s=0.1)
    before = asyncio.get_running_loop().time()
    await deliver_note(line.send, note(100))
    assert asyncio.get_running_loop().time() - before == pytest.approx(10.2)


async def test_a_line_that_breaks_in_the_middle_is_told():
    line = Line(breaks_at=5)
    with pytest.raises(ConnectionLost):
        await deliver_note(line.send, note(10))
