"""What goes over the wire is written down whole, without secrets, and never at the talk's expense."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lumi.protocol.messages import ClientHello
from lumi.server import recorder as module
from lumi.server.recorder import MASK, Recorder, RecorderSettings, masked
from lumi.store.recordings import (
    Agreed,
    ClientPacket,
    Closed,
    FromClient,
    FromServer,
    Full,
    Lost,
    Opened,
    Recording,
    Recordings,
    ServerPacket,
    Turn,
    Unreadable,
    read,
)
from lumi.testing.clock import WallClock
from lumi.testing.device import FakeDevice
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.testing.wire import V2
from lumi.transport.base import LinkInfo


@asynccontextmanager
async def recorded(
    folder: Path,
    wanted: Callable[[str], bool] = lambda _: True,
    settings: RecorderSettings | None = None,
) -> AsyncIterator[Rehearsal]:
    """A house whose sessions are written down, all of it by the time this is left."""
    clock = WallClock()
    recorder = Recorder(Recordings(folder), wanted, clock, "1.2.3", settings)
    writing = asyncio.create_task(recorder.run())
    async with Rehearsal(recorder=recorder, wall_clock=clock) as house:
        yield house
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


def only(folder: Path) -> Recording:
    (path,) = folder.glob("*.jsonl")
    return read(path)


def written(folder: Path) -> bytes:
    (path,) = folder.glob("*.jsonl")
    return path.read_bytes()


async def conversation(device: FakeDevice) -> None:
    await device.hello(features={"metrics": True}, token="very secret")
    await device.listen("start", mode="manual")
    await device.play(spoken(600))
    await device.listen("stop")
    await device.spoken_turn()


async def test_a_session_is_written_down_whole(tmp_path: Path):
    headers = {"authorization": "Bearer very secret", "user-agent": "board", "cookie": "very secret"}
    info = LinkInfo("/talk", headers, {"authorization": "very secret", "from": "here"})
    async with recorded(tmp_path) as house, house.device(info) as device:
        await conversation(device)
        packets, messages = device.packets, device.messages
    tape = only(tmp_path)
    assert (tape.header.device_id, tape.header.server_version, tape.complaint) == ("test-device", "1.2.3", "")
    kinds = [type(entry) for entry in tape.entries]
    assert kinds[:4] == [Opened, FromClient, Agreed, FromServer]
    assert kinds[-1] is Closed
    assert kinds.count(ClientPacket) == 10
    assert [e.packet for e in tape.entries if isinstance(e, ServerPacket)] == [p.content for p in packets]
    assert [e.message for e in tape.entries if isinstance(e, FromServer)] == messages
    opened = tape.entries[0]
    assert isinstance(opened, Opened)
    assert (opened.path, opened.headers, opened.query) == ("/talk", {"user-agent": "board"}, {"from": "here"})
    assert "secret" not in written(tmp_path).decode()
    times = [entry.at_ms for entry in tape.entries]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(tape.duration_s * 1000)
    assert tape.duration_s > 3
    (turn,) = [entry for entry in tape.entries if isinstance(entry, Turn)]
    assert set(turn.stages_ms) == {"stt", "llm", "tts"}


async def test_only_devices_that_are_to_be_recorded_are(tmp_path: Path):
    async with recorded(tmp_path / "tapes", lambda device: device == "kitchen") as house:
        for name in ("kitchen", "hall"):
            async with house.device(device_id=name) as device:
                await device.hello()
                await device.chat("good morning")
    assert [header.device_id for _, header in Recordings(tmp_path / "tapes").all()] == ["kitchen"]
    (path,) = (tmp_path / "tapes").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "tapes").stat().st_mode & 0o777 == 0o700


async def test_a_session_that_is_found_again_goes_on_in_its_file(tmp_path: Path):
    async with recorded(tmp_path) as house:
        async with house.device() as device:
            first = await device.hello(features={"resume": True})
            await device.chat("good morning")
        await asyncio.sleep(30)
        async with house.device() as device:
            resume = {"session_id": first["session_id"], "received": 1}
            await device.hello(features={"resume": True}, resume=resume)
    tape = only(tmp_path)
    links = [entry for entry in tape.entries if isinstance(entry, Opened | Closed)]
    assert [type(entry) for entry in links] == [Opened, Closed, Opened, Closed]
    assert [entry.resumed for entry in links if isinstance(entry, Opened)] == [False, True]
    assert links[2].at_ms - links[1].at_ms == pytest.approx(30_000, abs=1)


async def test_headers_of_frames_and_what_makes_no_sense(tmp_path: Path):
    info = LinkInfo(headers={"protocol-version": "2"})
    async with recorded(tmp_path) as house, house.device(info, framing=V2) as device:
        await device.hello()
        await device.link.send("no JSON")
        await device.link.send(V2.wrap(b"0123456789", 77, 0))
        await device.link.send(b"\0\1broken")
        await device.expect("error")
    tape = only(tmp_path)
    came = [entry for entry in tape.entries if isinstance(entry, ClientPacket | Unreadable)]
    assert [(e.packet, e.timestamp_ms) for e in came if isinstance(e, ClientPacket)] == [(b"0123456789", 77)]
    assert [entry.size for entry in came if isinstance(entry, Unreadable)] == [7, 8]


HOSTILE = (
    "[" * 50_000,
    '{"a":' * 900 + "1" + "}" * 900,
    '{"a":' * 300 + "1" + "}" * 300,
    '{"n": 123456789012345678901234567890}',
    '{"n": 1e999}',
    '{"s": "\\ud800"}',
    '{"s": "\ud800"}',
    '["a list"]',
    "",
)


async def test_no_frame_stops_the_recorder(tmp_path: Path):
    clock = WallClock()
    recorder = Recorder(Recordings(tmp_path), lambda _: True, clock, "1")
    async with Rehearsal(recorder=recorder, wall_clock=clock) as house, house.device() as device:
        await device.hello()
        session = house.sessions.get(device.session_id or "")
        assert session is not None
        tape = recorder.begin(session, LinkInfo(), ClientHello(), session.agreement, resumed=False)  # type: ignore[attr-defined]
        assert tape is not None
        await recorder.flush()
        before = len(only(tmp_path).entries)
        for frame in HOSTILE:
            tape.came(frame)
            tape.went(frame)
        tape.came(b"\0" * 5000)
        await recorder.flush()
    entries = only(tmp_path).entries[before:]
    assert len(entries) >= 2 * len(HOSTILE) + 1
    assert sum(isinstance(entry, Unreadable) for entry in entries) > len(HOSTILE)


async def test_a_later_hello_may_change_the_sound(tmp_path: Path):
    async with recorded(tmp_path) as house, house.device() as device:
        await device.hello()
        pcm = {"format": "pcm", "sample_rate": 8_000, "channels": 1, "frame_duration": 20}
        await device.hello(audio_params=pcm)
    agreed = [entry.uplink.codec for entry in only(tmp_path).entries if isinstance(entry, Agreed)]
    assert agreed == ["opus", "pcm"]


async def test_a_file_that_is_full_ends_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.WARNING)
    async with (
        recorded(tmp_path, settings=RecorderSettings(file_bytes=4000)) as house,
        house.device() as device,
    ):
        await conversation(device)
        await conversation(device)
    tape = only(tmp_path)
    assert isinstance(tape.entries[-1], Full)
    assert len(written(tmp_path)) < 12_000
    assert "recorder.file_mb" in caplog.text


async def test_what_does_not_fit_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "WAITING_BYTES", 1500)
    async with recorded(tmp_path) as house, house.device() as device:
        await device.hello()
        await asyncio.sleep(1)
        for number in range(40):
            await device.send("ping", timestamp=number)
        await asyncio.sleep(1)
        await device.chat("good morning")
    tape = only(tmp_path)
    (lost,) = [entry for entry in tape.entries if isinstance(entry, Lost)]
    pings = [e for e in tape.entries if isinstance(e, FromClient | FromServer) and "timestamp" in e.message]
    pings = [e for e in pings if e.message["type"] in {"ping", "pong"}]
    assert lost.frames + len(pings) == 80
    assert lost.frames > 0
    assert isinstance(tape.entries[-1], Closed)


async def test_a_disk_that_cannot_be_written_costs_the_recording_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    (tmp_path / "file").touch()
    async with recorded(tmp_path / "file") as house, house.device() as device:
        await conversation(device)
    assert caplog.text.count("recording ended") == 1


async def test_a_recording_that_was_deleted_meanwhile_ends(tmp_path: Path):
    async with recorded(tmp_path) as house, house.device() as device:
        await device.hello()
        await asyncio.sleep(1)
        assert Recordings(tmp_path).delete_of("test-device") == 1
        await device.chat("good morning")
    assert Recordings(tmp_path).all() == []


async def test_the_oldest_make_room_for_a_new_one(tmp_path: Path):
    async with recorded(tmp_path, settings=RecorderSettings(folder_bytes=100)) as house:
        for _ in range(3):
            async with house.device() as device:
                await device.hello()
            await asyncio.sleep(1)
    assert len(Recordings(tmp_path).all()) == 1


def test_what_lets_somebody_in_is_masked():
    message = {
        "params": [{"vision": {"url": "u", "token": "t"}}],
        "max_tokens": 5,
        "API-Key": "k",
        "apiKey": {"x": 1},
        "password": "p",
        "token": ["t"],
        "text": "my token is x",
    }
    assert masked(message) == {
        "params": [{"vision": {"url": "u", "token": MASK}}],
        "max_tokens": 5,
        "API-Key": MASK,
        "apiKey": {"x": 1},
        "password": MASK,
        "token": MASK,
        "text": "my token is x",
    }
