"""`lumi replay`: shows a recording, writes and plays its sound, runs it again; what is wrong with the file is named."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen
from tests.server.test_recorder import recorded

from lumi.audio.wav import read_wav
from lumi.commands.replay import ReplayOptions, replay, timeline
from lumi.errors import ConfigError, StoreError
from lumi.server import assembly
from lumi.store.recordings import (
    CUT_OFF,
    ClientPacket,
    Closed,
    FromServer,
    Full,
    Header,
    Line,
    Lost,
    Recording,
    Unreadable,
    encoded,
    read,
)
from lumi.testing.clock import VirtualTimeLoop
from lumi.testing.engines import ScriptedVad
from lumi.testing.recorded_sound import tracks
from lumi.testing.rehearsal import Rehearsal, spoken


async def converse(house: Rehearsal) -> None:
    async with house.device() as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(spoken(600))
        await device.listen("stop")
        await device.spoken_turn()
        await asyncio.sleep(60)
        await device.detect("good night")
        await device.spoken_turn()


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    async def record() -> None:
        async with recorded(tmp_path / "recordings") as house:
            await converse(house)

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(record())
    (path,) = (tmp_path / "recordings").iterdir()
    return path


async def test_it_is_shown_as_a_timeline(tape: Path, screen: Screen):
    assert await replay(ENGLISH, ReplayOptions(str(tape))) == 0
    lines = screen.read()[0].splitlines()
    assert lines[0] == "       0 ms  connection opened (lumi, v1, client “lumi”)"
    assert "     540 ms  ← stt “what time is it”" in lines
    assert "       0 ms  → 10 packets, 0.60 s of sound" in lines
    assert any("turn: stt" in line for line in lines)
    assert await replay(AS_JSON, ReplayOptions(str(tape))) == 0
    told = screen.object()
    assert (told["device_id"], told["complaint"]) == ("test-device", "")
    assert told["duration_s"] > 60


def test_what_is_rare_is_shown_too():
    entries: list[Line] = [
        FromServer(at_ms=1, message={"type": "response", "delta": "Hel", "is_final": False}),
        Unreadable(at_ms=2, size=5),
        Lost(at_ms=3, frames=4),
        Full(at_ms=4),
        Closed(at_ms=5, code=1001, reason="going away"),
        ClientPacket(at_ms=6, packet=b""),
    ]
    shown = list(timeline(Recording(Header(session_id="s", device_id="d", started_at=0), entries)))
    assert [line.split("  ", 4)[-1].strip() for line in shown] == [
        "← response “Hel” (partial)",
        "→ 5 bytes that make no sense",
        "(4 frames are missing here)",
        "(the file is full; what came after is not in it)",
        "connection closed (1001: going away)",
        "→ 1 packets, 0.00 s of sound",
    ]


async def test_its_sound_is_written_and_a_long_pause_is_not(tape: Path, tmp_path: Path, screen: Screen):
    assert await replay(CHINESE, ReplayOptions(str(tape), out=tmp_path / "sound")) == 0
    assert screen.read()[0].count("已写入") == 2
    client, server = (
        read_wav(tmp_path / "sound" / f"{tape.stem}-{side}.wav") for side in ("client", "server")
    )
    assert len(client.pcm) == len(server.pcm)
    assert 3 < client.duration_s < 15
    assert any(client.pcm[: 2 * 8000])
    assert not any(server.pcm[: 2 * 8000])
    with pytest.raises(ConfigError, match="--out"):
        await replay(ENGLISH, ReplayOptions(str(tape), out=tape))


async def test_it_is_run_again(tape: Path, screen: Screen, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(assembly, "create_vad", lambda _: ScriptedVad())
    options = ReplayOptions(tape.stem, run=True, data_dir=tape.parent.parent)
    assert await replay(ENGLISH, options) == 0
    assert screen.read()[1] == "The same as then.\n"
    changed = [
        replace_text(entry) if isinstance(entry, FromServer) else entry for entry in read(tape).entries
    ]
    other = tape.with_name("other.jsonl")
    other.write_bytes(encoded(read(tape).header) + b"".join(map(encoded, changed)) + b"{torn")
    assert await replay(AS_JSON, replace(options, file=str(other))) == 1
    told = screen.object()
    assert told["same"] is False
    assert '- error {"error_code": "stt_failed"}' in told["differences"]


def replace_text(entry: FromServer) -> FromServer:
    """Then, the answer was an error."""
    if entry.message.get("state") != "sentence_start":
        return entry
    return FromServer(at_ms=entry.at_ms, message={"type": "error", "error_code": "stt_failed"})


async def test_it_is_played(tape: Path, screen: Screen, monkeypatch: pytest.MonkeyPatch):
    class Loudspeaker:
        heard = b""

        def __init__(self, rate_hz: int) -> None:
            assert rate_hz == 16_000

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            return

        def write(self, pcm: bytes) -> None:
            Loudspeaker.heard += pcm

        async def drain(self) -> None:
            return

    monkeypatch.setattr("lumi.client.speaker.Speaker", Loudspeaker)
    assert await replay(ENGLISH, ReplayOptions(str(tape), play=True)) == 0
    assert screen.read()[1].startswith("playing ")
    both = tracks(read(tape))
    assert len(Loudspeaker.heard) == len(both.client.pcm)
    assert any(Loudspeaker.heard[: 2 * 8000])


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


async def test_what_is_wrong_with_the_file_is_said(tape: Path, screen: Screen, tmp_path: Path):
    torn(tape)
    assert await replay(ENGLISH, ReplayOptions(str(tape))) == 0
    assert CUT_OFF in screen.read()[1]
    with pytest.raises(StoreError, match="no recording"):
        await replay(ENGLISH, ReplayOptions("nothing", data_dir=tmp_path))
    with pytest.raises(StoreError, match="cannot be read"):
        await replay(ENGLISH, ReplayOptions(str(tmp_path / "nothing.jsonl")))
