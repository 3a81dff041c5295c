"""A recording run again: the client's side of it is sent, with its timing, to a server of the present code.

    outcome = await rerun(recording, house.link, push=house.sessions.push)
    differences(recording.entries, outcome) == []

What is compared are the events that a user would notice, in their order: what was understood, answered, spoken (and for
how long), notices, errors. Ids, times, partial results and the pieces of a written answer differ from run to run.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from lumi.engines.base import Vad
from lumi.errors import ConnectionLost
from lumi.protocol.frames import Framing, pack, unpack
from lumi.protocol.messages import AudioFrame
from lumi.server.gateway import GatewaySettings
from lumi.server.kit import SessionSettings
from lumi.store.recordings import (
    Agreed,
    ClientPacket,
    Closed,
    FromClient,
    FromServer,
    Line,
    Opened,
    Recording,
    ServerPacket,
)
from lumi.testing.clock import VirtualTimeLoop
from lumi.testing.recorded_engines import RecordedLlm, RecordedStt, RecordedTts, turns
from lumi.testing.rehearsal import Rehearsal
from lumi.transport.base import Link, LinkInfo
from lumi.transport.websocket import connect

PATIENCE_S = 2.0
GRACE_S = 10.0
"""How long the client waits for what it had been told by then: before it says something, and before it leaves."""

SLACK = 0.1
SLACK_MS = 300.0
"""So much longer or shorter a sentence may sound."""

REAL_PATIENCE_S = 600.0
"""Real seconds for a recording run in virtual time."""

Dial = Callable[[LinkInfo], Awaitable[Link]]
Push = Callable[..., Awaitable[bool]]


def run_again(
    recording: Recording, vad: Vad, settings: SessionSettings, gateway: GatewaySettings
) -> list[str]:
    """Run a recording against a server in memory whose engines say what they said then, in virtual time.

    Returns:
        What is different, in words; empty: nothing that a user would notice.
    """

    async def run() -> list[Line]:
        said = turns(recording)
        async with Rehearsal(
            stt=RecordedStt(said),
            llm=RecordedLlm(said),
            tts=RecordedTts(said),
            vad=vad,
            settings=settings,
            gateway_settings=gateway,
        ) as house:

            async def dial(info: LinkInfo) -> Link:
                return house.link(info)

            return await rerun(recording, dial, push=house.sessions.push)

    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(patience_s=REAL_PATIENCE_S)) as runner:
        return differences(recording.entries, runner.run(run()))


async def run_at(recording: Recording, url: str, token: str | None = None) -> list[str]:
    """The same in real time against a server that runs, with its own engines.

    Raises:
        NetworkError: it cannot be reached, or refuses the client.
    """

    async def dial(info: LinkInfo) -> Link:
        headers = dict(info.headers) | ({"authorization": f"Bearer {token}"} if token else {})
        headers.pop("origin", None)  # the page that recorded it is another's, to this server
        return await connect(url, headers=headers)

    return differences(recording.entries, await rerun(recording, dial))


async def rerun(recording: Recording, dial: Dial, push: Push | None = None) -> list[Line]:
    """Send the client's side of a recording; what comes back, as entries.

    Args:
        recording: whose client is played.
        dial: opens a link to the server.
        push: says a notice on a device, for those that came then; None: they cannot come.
    """
    client = _Client(recording, dial, push)
    async with asyncio.TaskGroup() as tasks:
        await client.play(tasks)
    return client.came


class _Client:
    def __init__(self, recording: Recording, dial: Dial, push: Push | None) -> None:
        self._recording = recording
        self._dial = dial
        self._push = push
        self._link: Link | None = None
        self._framing = Framing.V1
        self._session_id = ""
        self._packets = 0
        self._began_s = asyncio.get_running_loop().time()
        self._expected = 0
        self._noticed = 0
        self._notices: set[str] = set()
        self._news = asyncio.Event()
        self.came: list[Line] = []

    async def play(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        for entry in self._recording.entries:
            await asyncio.sleep(max(0.0, self._began_s + entry.at_ms / 1000 - loop.time()))
            try:
                await self._do(entry, tasks)
            except ConnectionLost:
                self._link = None
        await self._catch_up(GRACE_S)
        await self._hang_up()

    async def _do(self, entry: Line, tasks: asyncio.TaskGroup) -> None:
        match entry:
            case Opened():
                await self._hang_up()
                self._framing = Framing(entry.framing)
                self._link = link = await self._dial(LinkInfo(entry.path, entry.headers, entry.query))
                tasks.create_task(self._read(link), name="replayed client reads")
            case FromClient(message=message):
                await self._catch_up(PATIENCE_S)
                await self._send(self._renamed(message))
            case ClientPacket():
                frame = AudioFrame(entry.packet, entry.timestamp_ms, self._packets)
                self._packets += 1
                await self._send(pack(self._framing, frame) if entry.packet else b"")
            case FromServer(message=message):
                await self._notify(message)
                self._expected += bool(event(message))
            case Closed():
                await self._catch_up(GRACE_S)
                await self._hang_up()
            case _:
                pass

    async def _notify(self, message: dict[str, Any]) -> None:
        """Have a notice said that came then."""
        notice = str(message.get("id"))
        if message.get("type") == "notify" and self._push is not None and notice not in self._notices:
            self._notices.add(notice)  # one that was said again after a break comes again by itself
            await self._catch_up(PATIENCE_S)
            device, kind = self._recording.header.device_id, str(message.get("kind"))
            await self._push(device, str(message.get("text")), kind=kind, notice_id=notice, due_at=0.0)

    async def _catch_up(self, within_s: float) -> None:
        """Wait until as much has come as had come then; what does not come is not waited for again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._noticed < self._expected and self._link is not None:
                    self._news.clear()
                    await self._news.wait()
        self._expected = min(self._expected, self._noticed)

    def _renamed(self, message: dict[str, Any]) -> str:
        """With the session's new id in place of the old one."""
        text = msgspec.json.encode(message).decode()
        return text.replace(self._recording.header.session_id, self._session_id or "none")

    async def _send(self, frame: str | bytes) -> None:
        if self._link is not None:
            await self._link.send(frame)

    async def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def _read(self, link: Link) -> None:
        try:
            while True:
                self._take(await link.receive())
        except ConnectionLost:
            if self._link is link:
                self._link = None
            self._news.set()

    def _take(self, frame: str | bytes) -> None:
        at_ms = (asyncio.get_running_loop().time() - self._began_s) * 1000
        content = frame if isinstance(frame, str) else unpack(self._framing, frame)
        if isinstance(content, AudioFrame):
            self.came.append(ServerPacket(at_ms=at_ms, packet=content.payload))
            return
        message = msgspec.json.decode(content)
        if message.get("type") == "hello":
            self._session_id = str(message.get("session_id"))
        self._noticed += bool(event(message))
        self._news.set()
        self.came.append(FromServer(at_ms=at_ms, message=message))


def differences(then: Sequence[Line], now: Sequence[Line]) -> list[str]:
    """What a user would notice, `-` then and `+` now; empty: nothing."""
    before, after = noticed(then), noticed(now)
    frame_ms = next((entry.downlink.frame_ms for entry in then if isinstance(entry, Agreed)), 60)
    found = [
        line
        for line in difflib.ndiff([one for one, _ in before], [one for one, _ in after])
        if line[0] in "+-"
    ]
    if found:
        return found
    return [
        f"? {what}: {old * frame_ms / 1000:.2f} s of sound then, {new * frame_ms / 1000:.2f} s now"
        for (what, old), (_, new) in zip(before, after, strict=True)
        if abs(old - new) * frame_ms > max(SLACK_MS, SLACK * old * frame_ms)
    ]


def noticed(entries: Sequence[Line]) -> list[tuple[str, int]]:
    """Events in words, each with the packets of sound that came after it."""
    found: list[tuple[str, int]] = []
    for entry in entries:
        if isinstance(entry, ServerPacket) and found:
            found[-1] = found[-1][0], found[-1][1] + 1
        elif isinstance(entry, FromServer) and (words := event(entry.message)):
            found.append((words, 0))
    return found


def event(message: dict[str, Any]) -> str:
    """A message in words; empty: nobody would notice it."""
    what = str(message.get("type"))
    if what in {"metrics", "pong"} or message.get("is_final") is False:
        return ""
    said = {name: message[name] for name in NOTICED.get(what, ()) if message.get(name) not in (None, "")}
    return f"{what} {json.dumps(said, ensure_ascii=False)}" if said else what


NOTICED = {
    "stt": ("text",),
    "tts": ("state", "text"),
    "llm": ("emotion",),
    "response": ("content",),
    "notify": ("kind", "text"),
    "error": ("error_code",),
    "alert": ("status", "message"),
    "system": ("command",),
    "hello": ("version", "transport", "resumed"),
    "goodbye": ("reason",),
}
"""By type: the fields that matter. Of other types only that they came."""
