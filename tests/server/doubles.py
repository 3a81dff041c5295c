"""Doubles for the server's shell: a session that notes what it is told, and a client at the other end of a link."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from lumi.errors import ConnectionLost
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import (
    Abort,
    Ack,
    AudioFrame,
    Chat,
    ClientHello,
    ClientIot,
    Listen,
    Mcp,
    Message,
    Played,
    Response,
)
from lumi.server.audit import AuditLog
from lumi.server.gateway import Gateway, GatewaySettings
from lumi.server.metrics import Metrics
from lumi.server.session_manager import SessionManager
from lumi.store.base import SessionRecord
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.transport.base import LinkInfo
from lumi.transport.memory import MemoryLink, memory_link_pair

HELLO = {"id": "h", "type": "hello", "version": 1, "transport": "websocket", "device_id": "dev"}


class NotedSession:
    """Answers every chat with its own words, and fails where the words say so."""

    def __init__(self, session_id: str, device_id: str, agreement: Agreement, hello: ClientHello) -> None:
        self.id = session_id
        self.device_id = device_id
        self.agreement = agreement
        self.hello = hello
        self.audio_busy = False
        self.hears_pushes = True
        self.broken: Exception | None = None
        self.noted: list[Any] = []
        self.events = 0
        self.send: Callable[[Message | AudioFrame], None] | None = None
        self._end = asyncio.Event()

    def attach(self, send: Callable[[Message | AudioFrame], None]) -> None:
        self.send = send

    def detach(self) -> None:
        self.noted.append("detached")

    def update(self, hello: ClientHello, agreement: Agreement) -> None:
        self.noted.append(hello)
        self.agreement = agreement

    def chat(self, message: Chat) -> None:
        self.noted.append(message)
        if self.broken is not None:
            raise self.broken
        assert self.send is not None
        self.send(Response(id=message.id, content=message.content, session_id=self.id))

    async def listen(self, message: Listen) -> None:
        self.noted.append(message)

    def abort(self, message: Abort) -> None:
        self.noted.append(message)

    def played(self, message: Played) -> None:
        self.noted.append(message)

    speaking = False

    def farewell(self) -> bool:
        self.noted.append("farewell")
        return False

    def mcp(self, message: Mcp) -> None:
        self.noted.append(message)

    def iot(self, message: ClientIot) -> None:
        self.noted.append(message)

    def audio(self, frame: AudioFrame) -> Awaitable[None] | None:
        self.noted.append(frame)
        return None if frame.payload else self._end_of_audio()

    async def _end_of_audio(self) -> None:
        self.noted.append("end of audio")

    @property
    def kept(self) -> bool:
        return self.agreement.features.resume

    def can_resume(self, received: int) -> bool:
        return received <= self.events

    def replay(self, received: int) -> None:
        self.noted.append(f"replayed after {received}")

    async def restore(self, record: SessionRecord) -> None:
        self.noted.append(record)

    async def touch(self) -> None:
        self.noted.append("touched")

    async def acknowledge(self, message: Ack) -> None:
        self.noted.append(message)

    async def forget(self) -> None:
        self.noted.append("forgotten")

    async def push(self, text: str, *, kind: str, notice_id: str, due_at: float, code: str = "") -> bool:
        self.noted.append((text, kind, notice_id, due_at))
        return self.hears_pushes

    async def run(self) -> None:
        await self._end.wait()
        if self.broken is not None:
            raise self.broken

    async def close(self, reason: str) -> None:
        self.noted.append(f"closed: {reason}")
        self._end.set()

    def break_down(self, error: Exception) -> None:
        self.broken = error
        self._end.set()


class Caller:
    """A client by hand: JSON in and out, nothing understood."""

    def __init__(self, link: MemoryLink) -> None:
        self.link = link

    async def say(self, **message: Any) -> None:
        await self.link.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        frame = await self.link.receive()
        assert isinstance(frame, str)
        heard: dict[str, Any] = json.loads(frame)
        return heard

    async def greet(self, **more: Any) -> dict[str, Any]:
        await self.say(**HELLO | more)
        return await self.hear()

    async def end(self) -> ConnectionLost:
        """Read to the end; how the link was closed."""
        try:
            while True:
                await self.link.receive()
        except ConnectionLost as lost:
            return lost


class Shell:
    """A gateway before noted sessions."""

    def __init__(self, settings: GatewaySettings | None = None, *, max_sessions: int = 10) -> None:
        self.made: list[NotedSession] = []
        self.metrics = Metrics()
        self.audit = AuditLog(self.metrics, WallClock())
        self.sessions = SessionManager(self._make, MemoryStore(), WallClock(), max_sessions=max_sessions)
        ids = iter(range(1, 1000))
        self.gateway = Gateway(
            self.sessions,
            self.metrics,
            settings or GatewaySettings(),
            wall_clock=WallClock(),
            new_id=lambda: f"made-{next(ids):03}",
            audit=self.audit,
        )
        self.fail_making: Exception | None = None

    def _make(
        self, session_id: str, device_id: str, agreement: Agreement, hello: ClientHello
    ) -> NotedSession:
        if self.fail_making is not None:
            raise self.fail_making
        self.made.append(NotedSession(session_id, device_id, agreement, hello))
        return self.made[-1]

    @asynccontextmanager
    async def call(self, info: LinkInfo | None = None, **pipe: Any) -> AsyncIterator[Caller]:
        """A client on a link that is being served; hangs up at the end."""
        client, server = memory_link_pair(info, **pipe)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.gateway.serve(server))
            yield Caller(client)
            await client.close()


@asynccontextmanager
async def shell(settings: GatewaySettings | None = None, *, max_sessions: int = 10) -> AsyncIterator[Shell]:
    made = Shell(settings, max_sessions=max_sessions)
    async with made.sessions:
        yield made


def counted(metrics: Metrics, line: str) -> bool:
    """Whether the counts hold this line, e.g. `lumi_connections_total 1.0`."""
    return line in metrics.text().decode().splitlines()
