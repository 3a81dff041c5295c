"""The pool with its real threads, in virtual time: the clock stands still while they work."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.audio.sounds import OPUS, PCM, CountingVad, opus_packets, tone

from lumi.audio.format import AudioFormat
from lumi.audio.media_pool import MAX_GATHER_S, GatherPolicy, Heard, MediaPool
from lumi.audio.opus import OpusDecoder
from lumi.audio.uplink import MAX_PENDING, MAX_PER_HOP
from lumi.errors import AudioError


class Listener:
    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def __call__(self, heard: Heard) -> None:
        self.heard.append(heard)

    @property
    def pcm(self) -> bytes:
        return b"".join(one.pcm for one in self.heard)

    @property
    def windows(self) -> int:
        return sum(len(one.speech) for one in self.heard)


async def test_what_is_pushed_is_heard_in_order():
    listener = Listener()
    async with MediaPool(CountingVad()) as pool:
        uplink = pool.open_uplink(PCM, listener)
        for start in range(0, 600, 60):
            uplink.push(tone(600)[start * 32 : (start + 60) * 32])
            await asyncio.sleep(0.06)
        await uplink.flush()
    assert listener.pcm == tone(600)
    assert listener.windows == 18


async def test_flush_waits_for_what_was_pushed_and_no_more():
    listener = Listener()
    async with MediaPool(CountingVad()) as pool:
        uplink = pool.open_uplink(OPUS, listener)
        assert uplink.flush().done(), "nothing pushed: nothing to wait for"
        for packet in opus_packets(60 * (MAX_PER_HOP + 4)):
            uplink.push(packet)
        flushed = uplink.flush()
        later = uplink.flush()
        assert not flushed.done()
        await flushed
        assert len(listener.pcm) == 1920 * (MAX_PER_HOP + 4)
        assert len(listener.heard) == 2, "a recording sent at once is taken in portions"
        await later
        assert uplink.flush().done()


async def test_a_flush_that_was_given_up_harms_nobody():
    async with MediaPool(CountingVad()) as pool:
        uplink = pool.open_uplink(OPUS, Listener())
        uplink.push(opus_packets(60)[0])
        given_up, kept = uplink.flush(), uplink.flush()
        given_up.cancel()
        await kept


async def test_the_end_of_audio_is_not_a_packet():
    listener = Listener()
    async with MediaPool(CountingVad()) as pool:
        uplink = pool.open_uplink(OPUS, listener)
        uplink.push(b"")
        assert uplink.pending == 0
        assert uplink.flush().done()


async def test_too_much_drops_the_oldest_and_says_so():
    listener = Listener()
    async with MediaPool(CountingVad()) as pool:
        uplink = pool.open_uplink(PCM, listener)
        for number in range(MAX_PENDING + 7):
            uplink.push(bytes([number, 0]))
        assert (uplink.pending, uplink.dropped) == (MAX_PENDING, 7)
        await uplink.flush()
    assert listener.heard[0].dropped == 7
    assert sum(one.dropped for one in listener.heard) == 7
    assert listener.pcm[0] == 7


async def test_sessions_that_push_together_share_a_hop():
    vad = CountingVad()
    listeners = [Listener() for _ in range(20)]
    async with MediaPool(vad) as pool:
        uplinks = [pool.open_uplink(OPUS, listener) for listener in listeners]
        packet = opus_packets(60)[0]
        for uplink in uplinks:
            uplink.push(packet)
        await asyncio.gather(*(uplink.flush() for uplink in uplinks))
        assert pool.stats.hops == 1
        assert pool.stats.packets == 20
    assert [len(batch) for batch in vad.batches] == [20]
    assert all(listener.windows == 1 for listener in listeners)


async def test_no_word_of_one_session_in_another():
    listeners = [Listener() for _ in range(12)]
    async with MediaPool(CountingVad()) as pool:
        uplinks = [pool.open_uplink(PCM, listener) for listener in listeners]
        for step in range(10):
            for number, uplink in enumerate(uplinks):
                uplink.push(bytes([number, step]) * 480)
            if step % 3 == 0:
                await asyncio.sleep(0.01)
        await asyncio.gather(*(uplink.flush() for uplink in uplinks))
    for number, listener in enumerate(listeners):
        assert listener.pcm == b"".join(bytes([number, step]) * 480 for step in range(10))


async def test_corrupt_packets_are_concealed_and_counted():
    listener = Listener()
    async with MediaPool(CountingVad()) as pool:
        uplink = pool.open_uplink(OPUS, listener)
        first, _, last = opus_packets(180)
        for packet in (first, b"\xff\xff", last):
            uplink.push(packet)
        await uplink.flush()
        assert pool.stats.corrupt == 1
    assert len(listener.pcm) == 3 * 1920


async def test_after_close_nothing_is_told_and_everything_is_given_back():
    vad = CountingVad()
    listener, other = Listener(), Listener()
    async with MediaPool(vad) as pool:
        uplink, stays = pool.open_uplink(OPUS, listener), pool.open_uplink(OPUS, other)
        packet = opus_packets(60)[0]
        uplink.push(packet)
        stays.push(packet)
        await uplink.flush()
        uplink.push(packet)
        await asyncio.sleep(0)
        pending = uplink.flush()
        uplink.close()
        uplink.close()
        assert pending.done()
        uplink.push(packet)
        await stays.flush()
        await asyncio.sleep(0.1)
        assert len(listener.heard) == 1
        assert len(vad.open_slots) == 1
        assert uplink.flush().done()
    assert vad.open_slots == set()


async def test_closing_in_the_middle_of_a_hop():
    """The result of a hop that was under way is not told any more."""
    vad = CountingVad()
    listener = Listener()
    async with MediaPool(vad) as pool:
        uplink = pool.open_uplink(OPUS, listener)
        uplink.push(opus_packets(60)[0])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (pool.stats.hops, uplink.pending) == (1, 0), "it has been taken"
        uplink.close()
    assert listener.heard == []
    assert vad.open_slots == set()


async def test_a_listener_may_close_its_own_uplink():
    vad = CountingVad()
    async with MediaPool(vad) as pool:
        uplink = pool.open_uplink(OPUS, lambda _: uplink.close())
        uplink.push(opus_packets(60)[0])
        await uplink.flush()
        assert uplink.closed
    assert vad.open_slots == set()


async def test_a_listener_that_raises_disturbs_nobody():
    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    listener = Listener()

    def angry(_: Heard) -> None:
        raise RuntimeError("no")

    async with MediaPool(CountingVad()) as pool:
        bad, good = pool.open_uplink(OPUS, angry), pool.open_uplink(OPUS, listener)
        for packet in opus_packets(120):
            bad.push(packet)
            good.push(packet)
        await bad.flush()
        await good.flush()
    loop.set_exception_handler(None)
    assert len(listener.pcm) == 3840
    assert len(reported) == 1


async def test_a_detector_that_fails_is_told_with_the_sound():
    vad = CountingVad()
    vad.broken = True
    listener = Listener()
    async with MediaPool(vad) as pool:
        uplink = pool.open_uplink(OPUS, listener)
        uplink.push(opus_packets(60)[0])
        await uplink.flush()
        vad.broken = False
        uplink.push(opus_packets(60)[0])
        await uplink.flush()
    assert [one.error is None for one in listener.heard] == [False, True]
    assert len(listener.pcm) == 3840


async def test_a_detector_that_breaks_in_an_unforeseen_way_costs_a_hop_not_the_pool():
    class Wild(CountingVad):
        def score(self, slots, windows):
            if self.broken:
                raise ZeroDivisionError
            return super().score(slots, windows)

    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    vad, listener = Wild(), Listener()
    vad.broken = True
    async with MediaPool(vad) as pool:
        uplink = pool.open_uplink(OPUS, listener)
        uplink.push(opus_packets(60)[0])
        await uplink.flush()
        vad.broken = False
        uplink.push(opus_packets(60)[0])
        await uplink.flush()
        assert pool.stats.failed_hops == 1
    loop.set_exception_handler(None)
    assert "ZeroDivisionError" in str(listener.heard[0].error)
    assert listener.heard[1].speech
    assert [type(context["exception"]) for context in reported] == [ZeroDivisionError]


async def test_threads_do_not_grow_with_sessions():
    before = threading.active_count()
    async with MediaPool(CountingVad(), workers=2) as pool:
        uplinks = [pool.open_uplink(OPUS, Listener()) for _ in range(50)]
        downlinks = [pool.open_downlink(OPUS) for _ in range(50)]
        packet = opus_packets(60)[0]
        for uplink in uplinks:
            uplink.push(packet)
        await asyncio.gather(*(downlink.encode(tone(300), 16_000) for downlink in downlinks))
        await asyncio.gather(*(uplink.flush() for uplink in uplinks))
        assert threading.active_count() - before == 3
    assert threading.active_count() == before


async def test_a_pool_that_does_not_run_opens_nothing():
    pool = MediaPool(CountingVad())
    with pytest.raises(AudioError, match="async with"):
        pool.open_uplink(OPUS, Listener())
    async with pool:
        pass
    with pytest.raises(AudioError, match="async with"):
        pool.open_downlink(OPUS)


async def test_leaving_with_an_error_still_ends_the_threads():
    before = threading.active_count()
    vad = CountingVad()

    async def fail() -> None:
        async with MediaPool(vad) as pool:
            uplink = pool.open_uplink(OPUS, Listener())
            uplink.push(opus_packets(60)[0])
            await uplink.flush()
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert threading.active_count() == before
    assert vad.open_slots == set()


async def test_leaving_closes_what_is_open():
    async with MediaPool(CountingVad()) as pool:
        uplink, downlink = pool.open_uplink(OPUS, Listener()), pool.open_downlink(OPUS)
        await downlink.encode(tone(60), 16_000)
    assert uplink.closed
    with pytest.raises(AudioError, match="closed"):
        await downlink.encode(tone(60), 16_000)


async def test_complexity_may_change_while_the_pool_runs():
    async with MediaPool(CountingVad(), complexity=0) as pool:
        downlink = pool.open_downlink(OPUS)
        cheap = await downlink.encode(tone(600), 16_000, last=True)
        pool.complexity = 10
        downlink.reset()
        best = await downlink.encode(tone(600), 16_000, last=True)
    assert len(cheap) == len(best) == 10
    assert cheap != best


async def test_encoders_try_less_hard_while_speech_queues_up():
    clock = iter(range(10_000))  # every look at it is a second later
    async with MediaPool(CountingVad(), complexity=3, clock=lambda: float(next(clock))) as pool:
        downlink = pool.open_downlink(OPUS)
        for _ in range(5):
            await downlink.encode(tone(60), 16_000)
            await asyncio.sleep(0)
        assert pool.complexity == 0


async def test_a_round_trip_through_both_ways():
    listener = Listener()
    async with MediaPool(CountingVad()) as pool:
        downlink = pool.open_downlink(OPUS)
        uplink = pool.open_uplink(OPUS, listener)
        for packet in await downlink.encode(tone(480), 16_000, last=True):
            uplink.push(packet)
        await uplink.flush()
    assert len(listener.pcm) == 480 * 32
    decoder = OpusDecoder(AudioFormat())
    assert len(decoder.conceal()) == 1920


def test_a_few_talkers_do_not_wait_and_many_wait_a_little():
    def delay(packets_per_s: float) -> float:
        policy = GatherPolicy()
        assert policy.delay_s() == 0
        for step in range(200):
            policy.note(round(packets_per_s * 0.06), step * 0.06)
        return policy.delay_s()

    assert delay(17) == 0
    assert 0.002 < delay(167) < 0.005
    assert delay(1000) == pytest.approx(MAX_GATHER_S, rel=0.15)
    assert delay(5000) == MAX_GATHER_S


async def test_a_flush_does_not_wait_for_others_to_share_the_hop():
    loop = asyncio.get_running_loop()
    async with MediaPool(CountingVad()) as pool:
        uplinks = [pool.open_uplink(OPUS, Listener()) for _ in range(60)]
        packet = opus_packets(60)[0]
        for _ in range(30):
            for uplink in uplinks:
                uplink.push(packet)
            await asyncio.sleep(0.06)
        start = loop.time()
        uplinks[0].push(packet)
        await asyncio.sleep(0.001)
        assert uplinks[0].pending == 1, "this one waits for company"
        await uplinks[0].flush()
        assert loop.time() - start < 0.003
