"""From PCM of a voice to packets, through the pool's threads."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.audio.sounds import OPUS, PCM, CountingVad, samples, tone

from lumi.audio.downlink import FIRST_PIECE_MS, PIECE_MS, Mouth, Piece
from lumi.audio.format import AudioFormat, Codec
from lumi.audio.media_pool import MediaPool
from lumi.audio.opus import OpusDecoder
from lumi.errors import AudioError


@pytest.fixture
async def pool():
    async with MediaPool(CountingVad()) as pool:
        yield pool


async def test_whole_packets_now_the_rest_with_the_last(pool):
    downlink = pool.open_downlink(PCM)
    first = await downlink.encode(tone(100), 16_000)
    second = await downlink.encode(tone(100), 16_000)
    rest = await downlink.encode(b"", 16_000, last=True)
    assert [len(first), len(second), len(rest)] == [1, 2, 1]
    assert b"".join(first + second + rest) == tone(100) * 2 + bytes(40 * 32)


async def test_after_the_last_comes_nothing(pool):
    downlink = pool.open_downlink(PCM)
    assert len(await downlink.encode(tone(60), 16_000, last=True)) == 1
    assert await downlink.encode(b"", 16_000, last=True) == []


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 24_000, 48_000])
async def test_a_voice_of_any_rate(pool, rate_hz):
    downlink = pool.open_downlink(OPUS)
    packets = await downlink.encode(tone(900, rate_hz), rate_hz, last=True)
    assert len(packets) == 15
    assert all(10 <= len(packet) <= 1000 for packet in packets)
    decoder = OpusDecoder(OPUS)
    pcm = b"".join(decoder.decode(packet) for packet in packets)
    assert max(samples(pcm)) == pytest.approx(8000, rel=0.25)


async def test_the_rate_may_change_between_sentences(pool):
    downlink = pool.open_downlink(PCM)
    assert len(await downlink.encode(tone(120, 24_000), 24_000, last=True)) == 2
    assert b"".join(await downlink.encode(tone(120), 16_000, last=True)) == tone(120)


async def test_packets_come_as_they_are_made(pool):
    downlink = pool.open_downlink(OPUS)
    groups = [len(group) async for group in downlink.encode_stream(tone(1020), 16_000, last=True)]
    assert groups == [FIRST_PIECE_MS // 60, PIECE_MS // 60, PIECE_MS // 60, PIECE_MS // 60]
    assert [group async for group in downlink.encode_stream(tone(10), 16_000)] == []


async def test_reset_drops_the_unfinished_frame_and_starts_anew(pool):
    downlink = pool.open_downlink(OPUS)
    fresh = await downlink.encode(tone(120), 16_000, last=True)
    await downlink.encode(tone(90, hz=100), 16_000)
    downlink.reset()
    assert await downlink.encode(tone(120), 16_000, last=True) == fresh


class Gate:
    """Holds an encoder's thread up until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        encode = Mouth.encode

        def held(mouth: Mouth, piece: Piece) -> list[bytes]:
            self.entered.set()
            assert self.open.wait(10)
            return encode(mouth, piece)

        monkeypatch.setattr(Mouth, "encode", held)


async def until(event: threading.Event) -> None:
    """Wait for a thread's event, in virtual time: as a job, so that the clock stands still."""
    assert await asyncio.get_running_loop().run_in_executor(None, event.wait, 10)


async def test_a_reset_while_encoding_gives_no_packets(pool, monkeypatch):
    gate = Gate(monkeypatch)
    downlink = pool.open_downlink(PCM)
    async with asyncio.TaskGroup() as tasks:
        old = tasks.create_task(downlink.encode(tone(600), 16_000, last=True))
        await until(gate.entered)
        downlink.reset()
        new = tasks.create_task(downlink.encode(tone(60), 16_000, last=True))
        await asyncio.sleep(0)
        gate.open.set()
    assert old.result() == []
    assert new.result() == [tone(60)]


async def test_a_reset_between_two_pieces_ends_the_stream(pool):
    downlink = pool.open_downlink(PCM)
    groups = []
    async for group in downlink.encode_stream(tone(900), 16_000):
        groups.append(group)
        downlink.reset()
    assert len(groups) == 1


async def test_whoever_waits_its_turn_when_the_reset_comes_gets_nothing(pool, monkeypatch):
    gate = Gate(monkeypatch)
    downlink = pool.open_downlink(PCM)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(downlink.encode(tone(60), 16_000))
        await until(gate.entered)
        second = tasks.create_task(downlink.encode(tone(60), 16_000))
        await asyncio.sleep(0)
        downlink.reset()
        gate.open.set()
    assert first.result() == second.result() == []


async def test_one_who_is_cancelled_leaves_the_encoder_to_the_next_in_order(pool, monkeypatch):
    gate = Gate(monkeypatch)
    downlink = pool.open_downlink(PCM)
    async with asyncio.TaskGroup() as tasks:
        cancelled = tasks.create_task(downlink.encode(tone(30), 16_000))
        await until(gate.entered)
        cancelled.cancel()
        gate.entered.clear()
        following = tasks.create_task(downlink.encode(tone(30), 16_000))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not gate.entered.is_set(), "two threads never touch one encoder"
        gate.open.set()
    assert len(following.result()) == 1


async def test_close_while_encoding_gives_no_packets_and_frees_the_encoder(pool, monkeypatch):
    gate = Gate(monkeypatch)
    downlink = pool.open_downlink(OPUS)
    async with asyncio.TaskGroup() as tasks:
        old = tasks.create_task(downlink.encode(tone(600), 16_000))
        await until(gate.entered)
        downlink.close()
        downlink.close()
        gate.open.set()
    assert old.result() == []
    await asyncio.sleep(0)
    assert downlink._mouth._encoder is None


async def test_after_close_it_is_an_error(pool):
    downlink = pool.open_downlink(OPUS)
    downlink.close()
    with pytest.raises(AudioError, match="closed"):
        await downlink.encode(tone(60), 16_000)


async def test_an_error_reaches_the_one_who_asked_and_nobody_else(pool):
    bad, good = pool.open_downlink(AudioFormat(sample_rate_hz=44_100)), pool.open_downlink(OPUS)
    with pytest.raises(AudioError, match="no sample rate 44100"):
        await bad.encode(tone(60), 16_000)
    assert len(await good.encode(tone(60), 16_000)) == 1


async def test_an_error_nobody_waits_for_any_more_is_not_reported_twice(pool, monkeypatch):
    gate = Gate(monkeypatch)
    bad = pool.open_downlink(AudioFormat(sample_rate_hz=44_100))
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(bad.encode(tone(60), 16_000))
        await until(gate.entered)
        asked.cancel()
        gate.open.set()
    with pytest.raises(AudioError, match="44100"):
        await bad.encode(tone(60), 16_000)


async def test_speech_has_one_channel(pool):
    with pytest.raises(AudioError, match="1 channel, not 2"):
        pool.open_downlink(AudioFormat(channels=2))


def test_a_mouth_that_never_spoke_has_no_encoder():
    mouth = Mouth(OPUS)
    mouth.close()
    spoken = mouth.encode(Piece(tone(60), 16_000, last=False, fresh=True, complexity=5))
    assert len(spoken) == 1
    mouth.close()
    assert len(mouth.encode(Piece(tone(60), 16_000, last=False, fresh=False, complexity=5))) == 1


def test_pcm_has_nothing_to_set_or_to_forget():
    mouth = Mouth(AudioFormat(Codec.PCM, 24_000))
    for fresh in (False, True):
        assert mouth.encode(Piece(tone(60, 24_000), 24_000, last=True, fresh=fresh, complexity=fresh)) == [
            tone(60, 24_000)
        ]
    mouth.close()
