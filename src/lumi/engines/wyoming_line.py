"""One connection to a Wyoming server, for one request. No task: what comes waits to be asked for.

Whatever goes wrong is an `EngineError` whose text names the address as it was set.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from lumi.errors import ConfigError, EngineError, FrameError, Trouble

if TYPE_CHECKING:
    from wyoming.event import Event, Eventable

    from lumi.engines.wyoming_events import EventReader

WAITING_EVENTS = 256
"""Events that may wait to be asked for; then the server has to wait."""


@dataclass(frozen=True, slots=True)
class WyomingAddress:
    """Where a server listens: host and port, or a socket's path.

    Raises:
        ConfigError: on `parse`, where the text is none; says what is accepted.
    """

    url: str
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, engine: str, url: str) -> WyomingAddress:
        """`tcp://host:port` or `unix:///path`; `engine` is the name for errors, e.g. `stt.wyoming`."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 0
        except ValueError:
            parts, host, port = urlsplit(""), "", 0
        if parts.scheme == "tcp" and host and port:
            return cls(url, host, port)
        if parts.scheme == "unix" and parts.path:
            return cls(url, path=parts.path)
        problem = f"{url!r} will not do; accepted: tcp://HOST:PORT, or unix:///PATH of a socket"
        raise ConfigError(f"{engine}.base_url", problem)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait."""

    connect_s: float = 5.0
    answer_s: float = 30.0
    """For the next event, and for the server to take what is sent."""


class WyomingLine(asyncio.Protocol):
    """Made by `connected`. Bounded: a server that is not listened to has to wait, and so has a `send` it does not take."""

    def __init__(self, engine: str, address: WyomingAddress, reader: EventReader, patience: Patience) -> None:
        self._engine = engine
        self._address = address
        self._reader = reader
        self._patience = patience
        self._events: deque[Event] = deque()
        self._changed = asyncio.Event()
        self._writable = True
        self._failure: EngineError | None = None
        self._transport: asyncio.Transport | None = None

    async def send(self, message: Eventable) -> None:
        """Raises `EngineError` where the server is gone or does not take it in time."""
        from lumi.engines.wyoming_events import packed

        if self._failure is not None and not self._events:
            raise self._failure
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packed(message))
        await self._wait(lambda: self._writable or self._failure is not None, "takes nothing")

    def poll(self) -> Event | None:
        """The next event, if it is there already; None otherwise.

        Raises:
            EngineError: the line is broken, or the server says `error`.
        """
        if not self._events:
            if self._failure is not None:
                raise self._failure
            return None
        event = self._events.popleft()
        if self._transport is not None and len(self._events) < WAITING_EVENTS // 2:
            self._transport.resume_reading()
        if event.type == "error":
            said = f"{event.data.get('text') or 'it names no reason'}"
            raise EngineError(self._engine, f"{self._address.url} says: {said}")
        return event

    async def receive(self) -> Event:
        """The next event. Raises `EngineError` as `poll` does, and where none comes in time."""
        await self._wait(lambda: bool(self._events) or self._failure is not None, "says nothing")
        event = self.poll()
        assert event is not None
        return event

    def close(self, *, finished: bool) -> None:
        """Hang up; what was not sent is dropped unless the request is `finished`."""
        if self._transport is not None:
            if finished:
                self._transport.close()
            else:
                self._transport.abort()

    async def _wait(self, there: Callable[[], bool], complaint: str) -> None:
        try:
            async with asyncio.timeout(self._patience.answer_s):
                while not there():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            problem = f"{self._address.url} {complaint} for {self._patience.answer_s:g} s"
            raise EngineError(self._engine, problem, trouble=Trouble.SLOW) from None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._events.extend(self._reader.feed(data))
        except FrameError as error:
            self._fail(f"{self._address.url} answers what is no Wyoming ({error}); is base_url right?")
            self.close(finished=False)
        if len(self._events) >= WAITING_EVENTS and self._transport is not None:
            self._transport.pause_reading()
        self._changed.set()

    def connection_lost(self, error: Exception | None) -> None:
        half = " in the middle of an event" if self._reader.inside else ""
        reason = f" ({error})" if error else ""
        self._fail(f"{self._address.url} hung up{half} before it had answered{reason}")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._changed.set()

    def _fail(self, problem: str) -> None:
        if self._failure is None:
            self._failure = EngineError(self._engine, problem, trouble=Trouble.GARBLED)
        self._changed.set()


@asynccontextmanager
async def connected(
    engine: str, address: WyomingAddress, patience: Patience | None = None
) -> AsyncIterator[WyomingLine]:
    """A line for as long as the block runs; leaving it early (an error, a cancellation) hangs up at once.

    Raises:
        EngineError: nobody answers there.
    """
    from lumi.engines.wyoming_events import EventLimits, EventReader

    patience = patience or Patience()
    # A list of a hundred voices is long, and a voice may send a whole sentence in one event.
    limits = EventLimits(header_bytes=4_194_304, data_bytes=4_194_304, payload_bytes=16_777_216)
    line = WyomingLine(engine, address, EventReader(limits), patience)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience.connect_s):
            if address.path:
                await loop.create_unix_connection(lambda: line, address.path)
            else:
                await loop.create_connection(lambda: line, address.host, address.port)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        reason = f"no answer within {patience.connect_s:g} s" if isinstance(error, TimeoutError) else error
        problem = (
            f"nothing listens at {address.url} ({reason}): start the Wyoming server there, or set base_url"
        )
        raise EngineError(engine, problem, trouble=Trouble.UNREACHABLE) from error
    finished = False
    try:
        yield line
        finished = True
    finally:
        line.close(finished=finished)
