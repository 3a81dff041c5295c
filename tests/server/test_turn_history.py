"""Every turn leaves its stages and times behind, and none of its words."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from lumi.errors import EngineError
from lumi.server import turn_history
from lumi.server.turn_history import TurnHistory, TurnRecord
from lumi.testing.clock import MONDAY_MORNING, WallClock
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.rehearsal import Rehearsal, spoken


def house(clock: WallClock, **engines: Any) -> tuple[TurnHistory, Rehearsal]:
    history = TurnHistory(clock)
    made: dict[str, Any] = {
        "stt": ScriptedStt(delay_s=0.2),
        "llm": ScriptedLlm(delay_s=0.3, piece_s=0.1),
        "tts": ScriptedTts(delay_s=0.4),
    }
    return history, Rehearsal(turns=history, wall_clock=clock, **(made | engines))


def stages(record: TurnRecord) -> dict[str, Any]:
    return {one.name: (one.start_ms, one.first_ms, one.end_ms) for one in record.stages}


async def say(device: Any) -> None:
    await device.listen("start", mode="manual")
    await device.play(spoken(600))
    await device.listen("stop")


async def test_a_spoken_turn_is_a_waterfall():
    clock = WallClock()
    history, lumi = house(clock)
    async with lumi, lumi.device() as device:
        await device.hello()
        await asyncio.sleep(10)
        await say(device)
        turn = await device.spoken_turn()
    (record,) = history.after(0)
    assert (record.kind, record.ending, record.device_id) == ("spoken", "done", "test-device")
    assert record.session_id == device.session_id
    assert record.started_at == pytest.approx(MONDAY_MORNING + 10, abs=0.1)
    assert record.latency_ms == {"stt": 200.0, "llm": 500.0, "tts": pytest.approx(1400, abs=110)}
    found = stages(record)
    assert list(found) == ["hear", "stt", "llm", "tts", "speak"]
    assert found["hear"] == (0.0, None, pytest.approx(540, abs=61))
    heard = found["hear"][2]
    assert found["stt"] == (heard, None, pytest.approx(heard + 200))
    assert found["llm"][:2] == (found["stt"][2], pytest.approx(found["stt"][2] + 300))
    assert found["tts"][1] == found["speak"][0]
    assert found["speak"][2] == record.duration_ms
    played_ms = (turn.stopped_s - turn.packets[0].at_s) * 1000
    assert found["speak"][2] - found["speak"][0] == pytest.approx(played_ms, abs=100)
    words = msgspec.json.encode(record).decode()
    assert "time" not in words.replace("started_at", "")
    assert "You said" not in words


async def test_every_kind_of_turn():
    history, lumi = house(WallClock())
    async with lumi, lumi.device() as device:
        await device.hello()
        await device.detect("tell me more")
        await device.spoken_turn()
        await device.chat("hello")
        await lumi.sessions.push("test-device", "Tea.", kind="timer", notice_id="n", due_at=0.0)
        await device.spoken_turn()
        await say(device)
        await device.expect("tts", state="sentence_start")
        await device.abort()
        await device.listen("start", mode="manual")
        await device.play(spoken(300))
        await asyncio.sleep(0.5)
        assert history.running == 1
        await device.abort()
    assert [(one.kind, one.ending) for one in history.after(0)] == [
        ("typed", "done"),
        ("written", "done"),
        ("notice", "done"),
        ("spoken", "aborted"),
        ("spoken", "aborted"),
    ]
    assert [list(stages(one)) for one in history.after(0)] == [
        ["llm", "tts", "speak"],
        ["llm"],
        ["tts", "speak"],
        ["llm", "tts"],
        ["hear"],
    ]
    assert (history.count, history.running) == (5, 0)
    assert [one.number for one in history.after(3)] == [4, 5]


async def test_what_failed_is_told():
    failing = ScriptedStt((EngineError("deaf", "no model"),))
    history, lumi = house(WallClock(), stt=failing)
    async with lumi, lumi.device() as device:
        await device.hello()
        await say(device)
        await device.spoken_turn()
    (record,) = history.after(0)
    assert (record.kind, record.ending) == ("spoken", "failed")
    (failure,) = record.failures
    assert (failure.stage, failure.engine, failure.trouble) == ("stt", "deaf", "failed")
    assert "no model" in failure.message


async def test_only_the_last_are_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turn_history, "KEPT", 3)
    history, lumi = house(WallClock())
    async with lumi, lumi.device() as device:
        await device.hello()
        for number in range(5):
            await device.chat(f"hello {number}")
    assert [one.number for one in history.after(0)] == [3, 4, 5]
