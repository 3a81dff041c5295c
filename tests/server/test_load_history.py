"""Samples every ten seconds, of everything since the one before."""

from __future__ import annotations

import asyncio

import pytest

from lumi.server import load_history
from lumi.server.load_history import EVERY_S, LoadHistory, Used, percentiles, used
from lumi.server.turn_history import Failure, TurnHistory, TurnRecord
from lumi.testing.clock import MONDAY_MORNING, WallClock


def turn(history: TurnHistory, **latency_ms: float) -> None:
    history.count += 1
    failures = () if latency_ms else (Failure("stt", "deaf", "failed", ""),)
    history.add(
        TurnRecord(
            number=history.count,
            id="t",
            session_id="s",
            device_id="d",
            kind="spoken",
            started_at=0.0,
            duration_ms=1.0,
            ending="done",
            latency_ms=latency_ms,
            stages=(),
            failures=failures,
        )
    )


async def test_samples_tell_what_has_been_since_the_last_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load_history, "KEPT", 3)
    clock, turns, late, readings = WallClock(), TurnHistory(lambda: 0.0), [0], iter(range(100))
    load = LoadHistory(
        turns,
        clock,
        sessions=lambda: 7,
        links=lambda: 8,
        late_frames=lambda: late[0],
        read=lambda: Used(cpu_s=2.5 * next(readings), memory_bytes=1000, processes=2),
    )
    sampling = asyncio.create_task(load.run())
    assert load.last is None
    for stt, tts in ((10, 100), (20, 200), (30, 300)):
        turn(turns, stt=stt, tts=tts)
    turn(turns)
    late[0] = 5
    await asyncio.sleep(EVERY_S + 1)
    first = load.last
    assert first is not None
    assert first.at == pytest.approx(MONDAY_MORNING + EVERY_S, abs=0.1)
    assert (first.cpu_percent, first.memory_bytes, first.sessions, first.links) == (25.0, 1000, 7, 8)
    assert (first.turns, first.failures, first.late_frames) == (4, 1, 5)
    assert first.latency_ms == {"stt": (20, 30), "tts": (200, 300)}
    await asyncio.sleep(EVERY_S)
    second = load.last
    assert second is not None
    assert (second.turns, second.failures, second.late_frames, second.latency_ms) == (0, 0, 0, {})
    assert load.after(first.at) == [second]
    await asyncio.sleep(5 * EVERY_S)
    assert len(load.after(0)) == 3
    sampling.cancel()


async def test_a_loop_that_was_held_up_shows(monkeypatch: pytest.MonkeyPatch):
    load = LoadHistory(
        TurnHistory(lambda: 0.0),
        lambda: 0.0,
        sessions=lambda: 0,
        links=lambda: 0,
        late_frames=lambda: 0,
        read=lambda: Used(0.0, 0, 1),
    )
    sampling = asyncio.create_task(load.run())
    await asyncio.sleep(1)
    loop = asyncio.get_running_loop()
    loop.call_later(EVERY_S - 1.1, lambda: setattr(loop, "_now", loop.time() + 3.0))
    await asyncio.sleep(EVERY_S + 3)
    assert load.last is not None
    assert load.last.lag_ms == pytest.approx(2900, abs=150)
    sampling.cancel()


async def test_what_cannot_be_read_now_is_read_the_next_time():
    readings: list[Used | OSError] = [
        OSError("too many open files"),
        Used(1.0, 5, 1),
        OSError(),
        Used(3.0, 7, 1),
    ]

    def read() -> Used:
        now = readings.pop(0)
        if isinstance(now, OSError):
            raise now
        return now

    load = LoadHistory(
        TurnHistory(lambda: 0.0),
        lambda: asyncio.get_running_loop().time(),
        sessions=lambda: 0,
        links=lambda: 0,
        late_frames=lambda: 0,
        read=read,
    )
    sampling = asyncio.create_task(load.run())
    await asyncio.sleep(3 * EVERY_S + 1)
    (sample,) = load.after(0)
    assert (sample.cpu_percent, sample.memory_bytes) == (10.0, 7)
    sampling.cancel()


@pytest.mark.parametrize(
    ("values", "expected"),
    [([5.0], (5.0, 5.0)), ([1.0, 2.0], (1.0, 2.0)), (list(map(float, range(1, 101))), (50.0, 95.0))],
)
def test_percentiles(values: list[float], expected: tuple[float, float]):
    assert percentiles(values) == expected


@pytest.mark.real
def test_this_process_uses_something():
    found = used()
    assert found.cpu_s > 0
    assert found.memory_bytes > 1_000_000
    assert found.processes >= 1
