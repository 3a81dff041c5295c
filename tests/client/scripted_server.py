"""A server that answers by script, over memory links: a double for the client's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

from lumi.client.task_scope import TaskScope
from lumi.errors import ConnectionLost, NetworkError
from lumi.protocol.connection import Connection, Role
from lumi.protocol.handshake import answer, negotiate
from lumi.protocol.messages import (
    AudioFrame,
    Chat,
    ClientHello,
    Features,
    Listen,
    Message,
    Response,
    Stt,
    Tts,
    TtsState,
)
from lumi.transport.base import Link, LinkInfo
from lumi.transport.memory import MemoryLink, memory_link_pair

ALL = Features(stream=True, partials=True, emotion=True, turns=True, played=True, notify=True, metrics=True)
SILENCE = bytes([0x08]) + bytes(20)

Script = Callable[["Peer", Any], Awaitable[None]]


class Peer:
    """The server's end of one link."""

    def __init__(self, link: MemoryLink, offered: Features, tasks: TaskScope | None = None) -> None:
        self.link = link
        self._tasks = tasks
        self.connection = Connection(Role.SERVER, headers=link.info.headers, query=link.info.query)
        self.offered = offered
        self.received: list[Any] = []

    async def send(self, *messages: Message | AudioFrame) -> None:
        for message in messages:
            frame = self.connection.send(message)
            if frame is not None:
                await self.link.send(frame)

    def meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        """Do `work` while receiving goes on."""
        assert self._tasks is not None
        self._tasks.start(work, name="scripted server, meanwhile")

    async def greet(self, hello: ClientHello, session_id: str = "session-1", version: str = "9.9") -> None:
        agreement = negotiate(
            hello, headers=self.connection.headers, query=self.connection.query, offered=self.offered
        )
        reply = answer(hello, agreement, session_id=session_id, device_id="known-as", server_version=version)
        await self.link.send(self.connection.accept(hello, reply, agreement))

    async def run(self, script: Script) -> None:
        try:
            while True:
                for item in self.connection.receive(await self.link.receive()):
                    self.received.append(item)
                    await script(self, item)
        except ConnectionLost:
            return


class ScriptedServer:
    """Hand `connector` to the client; `peers` are the links that came."""

    def __init__(
        self, tasks: TaskScope, script: Script, offered: Features, refusal: NetworkError | None
    ) -> None:
        self._tasks = tasks
        self._script = script
        self._offered = offered
        self._refusal = refusal
        self.peers: list[Peer] = []
        self.headers: Mapping[str, str] = {}

    async def connector(self, url: str, *, headers: Mapping[str, str]) -> Link:
        if self._refusal is not None:
            raise self._refusal
        self.headers = headers
        lower = {name.lower(): value for name, value in headers.items()}
        client_end, server_end = memory_link_pair(LinkInfo(headers=lower))
        peer = Peer(server_end, self._offered, self._tasks)
        self.peers.append(peer)
        self._tasks.start(peer.run(self._script), name="scripted server")
        return client_end

    @property
    def peer(self) -> Peer:
        return self.peers[-1]

    def received(self, kind: type) -> list[Any]:
        return [item for peer in self.peers for item in peer.received if isinstance(item, kind)]


async def converse(peer: Peer, item: Any) -> None:
    """The usual script: greets, echoes chats, answers a recording with one sentence of two packets."""
    if isinstance(item, ClientHello):
        await peer.greet(item)
    elif isinstance(item, Chat):
        await peer.send(Response(id=item.id, content=item.content.upper()))
    elif isinstance(item, Listen) and item.state == "stop":
        started = [one for one in peer.received if isinstance(one, Listen) and one.state == "start"]
        await speak(peer, started[-1].id or "")


async def speak(peer: Peer, listen_id: str, text: str = "what time is it") -> None:
    await peer.send(
        Stt(text=text, confidence=0.9, id=listen_id, turn_id="t1"),
        Tts(state=TtsState.START, turn_id="t1"),
        Tts(state=TtsState.SENTENCE_START, text="It is noon.", turn_id="t1"),
    )
    await asyncio.sleep(0.05)
    await peer.send(AudioFrame(SILENCE), AudioFrame(SILENCE), Tts(state=TtsState.STOP, turn_id="t1"))


@asynccontextmanager
async def scripted_server(
    script: Script = converse, *, offered: Features = ALL, refusal: NetworkError | None = None
) -> AsyncIterator[ScriptedServer]:
    async with TaskScope() as tasks:
        server = ScriptedServer(tasks, script, offered, refusal)
        yield server
        for peer in server.peers:
            await peer.link.close(1001, "test over")
