"""The sound of a recording, both sides in step."""

from __future__ import annotations

import pytest

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusEncoder
from lumi.store.recordings import (
    Agreed,
    ClientPacket,
    FromClient,
    Header,
    Line,
    Recording,
    ServerPacket,
    SoundFormat,
)
from lumi.testing.recorded_sound import RATE_HZ, mixed, pieces, tracks
from lumi.testing.sounds import loudness, tone

OPUS, PCM = SoundFormat("opus", 24_000, 60), SoundFormat("pcm", 8_000, 20)
MS = 2 * RATE_HZ // 1000
"""Bytes of a millisecond."""


def recording(*entries: Line) -> Recording:
    return Recording(Header(session_id="s", device_id="d", started_at=0.0), entries)


def opus(ms: float) -> list[bytes]:
    audio = AudioFormat(sample_rate_hz=24_000)
    encoder, pcm = OpusEncoder(audio), tone(ms, 24_000)
    return [encoder.encode(pcm[at : at + audio.frame_bytes]) for at in range(0, len(pcm), audio.frame_bytes)]


def test_each_side_stands_where_it_was_heard_and_long_pauses_are_cut():
    question, answer = opus(300), opus(300)
    both = tracks(
        recording(
            Agreed(at_ms=0, uplink=OPUS, downlink=OPUS),
            *(ClientPacket(at_ms=60.0 * number, packet=one) for number, one in enumerate(question)),
            ClientPacket(at_ms=310.0, packet=b""),
            *(ServerPacket(at_ms=1000.0, packet=one) for one in answer),
            ServerPacket(at_ms=61_300.0, packet=answer[0]),
        )
    )
    client, server = both.client.pcm, both.server.pcm
    assert len(client) == len(server)
    assert both.client.duration_s == pytest.approx(1.3 + 1.0 + 0.06)
    assert loudness(client[: 300 * MS]) > 500
    assert not any(client[300 * MS :])
    assert not any(server[: 1000 * MS])
    assert loudness(server[1000 * MS : 1300 * MS]) > 500
    assert not any(server[1300 * MS : 2300 * MS])
    together = mixed(both)
    assert len(together.pcm) == len(client)
    assert loudness(together.pcm[: 300 * MS]) == pytest.approx(loudness(client[: 300 * MS]) / 2, rel=0.01)


def test_sound_that_was_never_coded_is_resampled_and_a_format_may_change():
    found = list(
        pieces(
            recording(
                ClientPacket(at_ms=0.0, packet=b"before anything was agreed"),
                Agreed(at_ms=0, uplink=PCM, downlink=PCM),
                *(ClientPacket(at_ms=20.0 * number, packet=tone(20, 8_000)) for number in range(10)),
                FromClient(at_ms=200.0, message={"type": "hello"}),
                Agreed(at_ms=200, uplink=OPUS, downlink=OPUS),
                ClientPacket(at_ms=210.0, packet=opus(60)[0]),
            )
        )
    )
    assert len(found) == 11
    assert 90 * MS < sum(len(piece.pcm) for piece in found[:10]) < 200 * MS  # the resampler holds some back
    assert len(found[10].pcm) == 60 * MS


def test_nothing_sounds_like_nothing():
    both = tracks(recording())
    assert (both.client.pcm, both.server.pcm, mixed(both).pcm) == (b"", b"", b"")
