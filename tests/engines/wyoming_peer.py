"""A Wyoming server by the book (or by no book at all): the official package's types, whatever a test wants it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from wyoming.event import Event, Eventable, async_read_event, async_write_event


@dataclass(slots=True)
class Call:
    """One connection, from the server's end."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    events: list[Event] = field(default_factory=list)

    async def until(self, kind: str) -> Event:
        """Read up to an event of this type."""
        while True:
            event = await async_read_event(self.reader)
            assert event is not None, f"hung up before {kind}"
            self.events.append(event)
            if event.type == kind:
                return event

    async def say(self, *messages: Eventable) -> None:
        for message in messages:
            await async_write_event(message.event(), self.writer)

    async def say_raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    @property
    def sound(self) -> bytes:
        return b"".join(event.payload or b"" for event in self.events if event.type == "audio-chunk")


Behaviour = Callable[[Call], Awaitable[None]]


@dataclass(slots=True)
class Peer:
    """Where it listens, and who called."""

    url: str
    calls: list[Call] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """A caller hung up while the server still read or wrote."""


@asynccontextmanager
async def peer(behaviour: Behaviour, *, path: str = "") -> AsyncIterator[Peer]:
    """A server that treats every connection so, then hangs up."""
    made = Peer("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = Call(reader, writer)
        made.calls.append(call)
        made.called.set()
        try:
            await behaviour(call)
        except (OSError, AssertionError, asyncio.IncompleteReadError):
            made.gone.set()
        finally:
            writer.close()

    if path:
        server = await asyncio.start_unix_server(serve, path)
        made.url = f"unix://{path}"
    else:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        made.url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


def silent_port_url() -> str:
    """Where nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"
