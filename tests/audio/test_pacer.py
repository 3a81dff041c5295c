"""The pacer in virtual time: what leaves when, what has been heard by then, and what a late loop does."""

from __future__ import annotations

import asyncio
import gc

import pytest

from lumi.audio.pacer import Pacer
from lumi.errors import AudioError, Overloaded
from lumi.testing.clock import VirtualTimeLoop


class Listener:
    """Notes what arrives, and how many ms after the listener was made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self.arrivals: list[tuple[float, bytes]] = []

    def ms(self) -> float:
        return round((self._loop.time() - self._start) * 1000, 3)

    def __call__(self, packet: bytes) -> None:
        self.arrivals.append((self.ms(), packet))

    @property
    def times(self) -> list[float]:
        return [time for time, _ in self.arrivals]


def virtual_loop() -> VirtualTimeLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop


def timers(loop: VirtualTimeLoop) -> list[asyncio.TimerHandle]:
    scheduled: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
    return [timer for timer in scheduled if not timer.cancelled()]


def packets(count: int) -> list[bytes]:
    return [bytes([number]) for number in range(count)]


async def test_sends_the_lead_at_once_and_the_rest_in_real_time():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(5))
        assert listener.times == [0, 0]
        await asyncio.sleep(1)
        assert [packet for _, packet in listener.arrivals] == packets(5)
        assert listener.times == [0, 0, 60, 120, 180]
        assert stream.starved_ms == 0
        assert pacer.stats.frames == 5
        assert pacer.stats.late_frames == 0


async def test_a_lead_shorter_than_a_frame_still_lets_one_frame_out():
    async with Pacer() as pacer:
        listener = Listener()
        pacer.open(listener, frame_ms=60, lead_ms=0).push(packets(3))
        await asyncio.sleep(1)
        assert listener.times == [0, 60, 120]


async def test_never_more_than_the_lead_ahead_of_the_listener():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=20, lead_ms=120)
        stream.push(packets(200))
        for _ in range(400):
            await asyncio.sleep(0.0103)
            assert stream.sent_ms - stream.played_ms <= 120 + 1e-6
        assert len(listener.arrivals) == 200


async def test_knows_what_was_played():
    async with Pacer() as pacer:
        stream = pacer.open(Listener(), frame_ms=60, lead_ms=120)
        stream.push(packets(4))
        assert stream.played_ms == pytest.approx(0, abs=1e-6)
        assert stream.queued_ms == 120
        await asyncio.sleep(0.1)
        assert stream.played_ms == pytest.approx(100)
        await asyncio.sleep(1)
        assert stream.played_ms == stream.sent_ms == pytest.approx(240)


async def test_a_gap_in_the_source_is_counted_and_starts_a_new_run():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(1))
        await asyncio.sleep(0.5)
        stream.push(packets(3))
        assert listener.times == [0, 500, 500]
        assert stream.starved_ms == pytest.approx(440)
        assert stream.played_ms == pytest.approx(60)


async def test_when_played_comes_after_the_last_packet_was_heard_and_the_margin():
    async with Pacer() as pacer:
        listener = Listener()
        done: list[float] = []
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(5))
        stream.when_played(lambda: done.append(listener.ms()), margin_ms=400)
        await asyncio.sleep(2)
        assert done == [700]


async def test_when_played_waits_for_what_is_pushed_meanwhile():
    async with Pacer() as pacer:
        listener = Listener()
        done: list[float] = []
        stream = pacer.open(listener, frame_ms=60)
        stream.push(packets(2))
        stream.when_played(lambda: done.append(listener.ms()))
        await asyncio.sleep(0.05)
        stream.push(packets(2))
        await asyncio.sleep(1)
        assert done == [240]


async def test_when_played_with_nothing_to_play_comes_at_the_next_tick():
    async with Pacer() as pacer:
        listener = Listener()
        done: list[float] = []
        pacer.open(listener, frame_ms=60).when_played(lambda: done.append(listener.ms()), margin_ms=400)
        assert done == []
        await asyncio.sleep(0.03)
        assert len(done) == 1


async def test_when_played_may_push_again():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60)
        stream.push(packets(1))
        stream.when_played(lambda: stream.push(packets(1)))
        await asyncio.sleep(1)
        assert listener.times == [0, 60]


async def test_pause_lets_the_listener_play_what_it_has_and_resume_goes_on():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(4))
        await asyncio.sleep(0.07)
        stream.pause()
        await asyncio.sleep(1)
        assert len(listener.arrivals) == 3
        assert stream.played_ms == pytest.approx(180)
        stream.resume()
        assert len(listener.arrivals) == 4
        assert stream.starved_ms == 0, "a pause is wanted"


async def test_when_played_waits_through_a_pause():
    async with Pacer() as pacer:
        done: list[bool] = []
        stream = pacer.open(Listener(), frame_ms=60)
        stream.push(packets(4))
        stream.pause()
        stream.when_played(lambda: done.append(True))
        await asyncio.sleep(2)
        assert done == []
        stream.resume()
        await asyncio.sleep(2)
        assert done == [True]


async def test_hold_keeps_the_first_packet_back():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.hold(40)
        stream.push(packets(3))
        assert listener.times == []
        await asyncio.sleep(1)
        assert listener.times == [40, 40, 100]


async def test_clear_drops_what_is_queued_and_freezes_what_was_heard():
    async with Pacer() as pacer:
        listener = Listener()
        done: list[bool] = []
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(10))
        stream.when_played(lambda: done.append(True))
        await asyncio.sleep(0.1)
        assert stream.clear() == 7
        await asyncio.sleep(2)
        assert len(listener.arrivals) == 3
        assert stream.played_ms == pytest.approx(100)
        assert done == []
        stream.push(packets(1))
        assert len(listener.arrivals) == 4


async def test_close_stops_for_good():
    async with Pacer() as pacer:
        listener = Listener()
        done: list[bool] = []
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(3))
        stream.close()
        stream.close()
        stream.push(packets(3))
        stream.when_played(lambda: done.append(True))
        await stream.room(0)
        await asyncio.sleep(1)
        assert len(listener.arrivals) == 2
        assert done == []


async def test_room_makes_the_source_wait_for_a_slow_listener():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(12))
        assert stream.queued_ms == 600
        await stream.room(1000)
        assert listener.ms() == 0
        await stream.room(300)
        assert stream.queued_ms < 300
        assert listener.ms() == 360


async def test_room_is_given_back_in_any_order_and_to_the_cancelled_not_at_all():
    async with Pacer() as pacer:
        stream = pacer.open(Listener(), frame_ms=60)
        stream.push(packets(30))
        async with asyncio.TaskGroup() as tasks:
            gone = tasks.create_task(stream.room(600))
            tasks.create_task(stream.room(300))
            tasks.create_task(stream.room(900))
            await asyncio.sleep(0.1)
            gone.cancel()
        assert stream.queued_ms < 300


async def test_clear_gives_room_at_once():
    async with Pacer() as pacer:
        stream = pacer.open(Listener(), frame_ms=60)
        stream.push(packets(200))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stream.room(300))
            await asyncio.sleep(0.1)
            stream.clear()
        assert stream.queued_ms == 0


async def test_a_queue_without_end_is_refused():
    async with Pacer() as pacer:
        stream = pacer.open(Listener(), frame_ms=60)
        with pytest.raises(Overloaded, match="120 s of speech"):
            stream.push(bytes(1) for _ in range(3000))
        assert stream.queued_ms == 0


async def test_a_late_loop_catches_up_by_no_more_than_the_lead():
    loop = virtual_loop()
    late: list[float] = []
    async with Pacer(on_frame=late.append) as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60, lead_ms=120)
        stream.push(packets(10))
        await asyncio.sleep(0.05)
        loop._now += 0.5  # the loop was busy elsewhere
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert listener.times == [0, 0, 550, 550]
        assert stream.starved_ms == pytest.approx(430)
        await asyncio.sleep(1)
        assert listener.times[4:7] == [620, 680, 740]
        assert pacer.stats.late_frames == 2
        assert pacer.stats.worst_late_ms == pytest.approx(490)
        assert max(late) == pytest.approx(490)
        assert len(late) == pacer.stats.frames == 10


async def test_many_streams_share_one_timer():
    loop = virtual_loop()
    async with Pacer() as pacer:
        listeners = [Listener() for _ in range(50)]
        for number, listener in enumerate(listeners):
            pacer.open(listener, frame_ms=60).push(packets(number + 3))
        assert len([timer for timer in timers(loop) if not timer.cancelled()]) == 1
        assert len(asyncio.all_tasks()) == 1
        await asyncio.sleep(5)
        assert [len(listener.arrivals) for listener in listeners] == [number + 3 for number in range(50)]
        assert not timers(loop), "an idle pacer has no timer"


async def test_one_listener_that_fails_takes_no_other_with_it():
    loop = asyncio.get_running_loop()
    reported: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))

    def broken(packet: bytes) -> None:
        if packet == b"\x02":
            raise RuntimeError("the line is gone")

    async with Pacer() as pacer:
        before, after = Listener(), Listener()
        pacer.open(before, frame_ms=60).push(packets(6))
        pacer.open(broken, frame_ms=60).push(packets(6))
        pacer.open(after, frame_ms=60).push(packets(6))
        await asyncio.sleep(1)
        assert before.times == after.times == [0, 0, 60, 120, 180, 240]
        assert len(reported) == 1
    loop.set_exception_handler(None)


async def test_leaving_the_pacer_stops_every_stream():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, frame_ms=60)
        stream.push(packets(6))
    await asyncio.sleep(1)
    assert len(listener.arrivals) == 2
    stream.push(packets(6))
    assert len(listener.arrivals) == 2


async def test_a_pacer_that_does_not_run_opens_nothing():
    with pytest.raises(AudioError, match="async with"):
        Pacer().open(lambda _: None, frame_ms=60)
    async with Pacer() as pacer:
        pass
    with pytest.raises(AudioError, match="async with"):
        pacer.open(lambda _: None, frame_ms=60)


async def test_a_stream_nobody_holds_is_forgotten():
    async with Pacer() as pacer:
        pacer.open(lambda _: None, frame_ms=60).push(packets(1))
        gc.collect()
        assert len(pacer._streams) == 0


async def test_what_was_pushed_last_can_be_taken_back_as_far_as_it_was_not_sent():
    async with Pacer() as pacer:
        listener = Listener()
        stream = pacer.open(listener, 60)
        stream.push(packets(6))
        assert stream.retract(3) == 3
        assert stream.retract(9) == 1
        await asyncio.sleep(1)
        assert [packet for _, packet in listener.arrivals] == packets(2)
