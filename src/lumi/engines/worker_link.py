"""The pipes of one worker process, and the streams on them. `worker` starts and restarts; this only talks."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast

from lumi.engines.worker_frames import (
    CONTROL_STREAM,
    WINDOW_BYTES,
    Frame,
    FrameReader,
    Kind,
    credit_of,
    pack,
    pack_credit,
)
from lumi.errors import EngineError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST_WORDS_BYTES = 2_000
STDIN, STDERR = 0, 2


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """What to run, and how patient to be with it."""

    engine: str
    """Its name in the registry, for errors."""
    target: str
    """`module:name` of what makes the `worker_main.Service`; imported in the worker only."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """For the target; JSON."""
    start_timeout_s: float = 30.0
    answer_timeout_s: float = 30.0
    """A worker that owes an answer and says nothing for so long is killed."""
    stop_timeout_s: float = 2.0
    backoff_s: tuple[float, ...] = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
    """Waits before the restarts after consecutive crashes; the last one repeats."""


class WorkerStream:
    """One request's two-way stream of bytes: send pieces, `end`, iterate over what comes back.

    Iterating raises `EngineError` if the work failed, or the worker died or fell silent. Leaving the `async with`
    block cancels what is still being worked on.
    """

    def __init__(self, link: WorkerLink, number: int) -> None:
        self._link = link
        self._number = number
        self._pieces: deque[bytes] = deque()  # bounded: the worker waits for our credit
        self._send_credit = WINDOW_BYTES
        self._changed = asyncio.Event()
        self._finished = False
        self._failure: EngineError | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._link.forget(self._number, cancel=not self._finished and self._failure is None)

    def __aiter__(self) -> WorkerStream:
        return self

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._failure:
                raise self._failure
            if self._finished:
                raise StopAsyncIteration
            await self._change()
        piece = self._pieces.popleft()
        self._link.write(pack_credit(self._number, len(piece)))
        return piece

    async def send(self, piece: bytes) -> None:
        """Hand over a piece; waits while the worker has a whole window unread."""
        for start in range(0, len(piece), WINDOW_BYTES):
            part = piece[start : start + WINDOW_BYTES]
            while self._failure is None and self._send_credit < len(part):
                await self._change()
            if self._failure:
                raise self._failure
            self._send_credit -= len(part)
            self._link.write(pack(Kind.DATA, self._number, part))

    def end(self) -> None:
        """No more pieces."""
        self._link.write(pack(Kind.END, self._number))

    def poll(self) -> list[bytes]:
        """What has come so far, without waiting."""
        pieces = list(self._pieces)
        self._pieces.clear()
        if pieces:
            self._link.write(pack_credit(self._number, sum(map(len, pieces))))
        return pieces

    async def _change(self) -> None:
        spec = self._link.spec
        self._changed.clear()
        try:
            async with asyncio.timeout(spec.answer_timeout_s):
                await self._changed.wait()
        except TimeoutError:
            self._link.kill()
            silence = f"the worker process said nothing for {spec.answer_timeout_s:g} s and was stopped"
            self._failure = EngineError(spec.engine, silence)

    def on_frame(self, frame: Frame) -> None:
        """Called by the link."""
        if frame.kind is Kind.DATA:
            self._pieces.append(frame.body)
        elif frame.kind is Kind.CREDIT:
            self._send_credit += credit_of(frame)
        elif frame.kind is Kind.END:
            self._finished = True
        elif frame.kind is Kind.FAILED:
            self._failure = EngineError(self._link.spec.engine, frame.body.decode("utf-8", "replace"))
        self._changed.set()

    def fail(self, error: EngineError) -> None:
        """Called by the link: the process is gone."""
        if not self._finished:
            self._failure = self._failure or error
        self._changed.set()


class WorkerLink(asyncio.SubprocessProtocol):
    """The pipes of one running process."""

    def __init__(self, spec: WorkerSpec) -> None:
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.ready: asyncio.Future[bytes] = loop.create_future()
        self.ready.add_done_callback(lambda ready: ready.exception())  # whoever waits asks again
        self.exited: asyncio.Future[int | None] = loop.create_future()
        self.doomed = False
        """It was killed; the event loop has only not noticed yet."""
        self.proved = False
        """It has finished a request: a later crash is not one of a row."""
        self.streams: dict[int, WorkerStream] = {}
        self._transport: asyncio.SubprocessTransport | None = None
        self._reader = FrameReader()
        self._last_words = b""
        self._next_stream = CONTROL_STREAM + 1

    @property
    def alive(self) -> bool:
        return not self.exited.done()

    @property
    def pid(self) -> int | None:
        return self._transport.get_pid() if self._transport else None

    # called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        received = cast("bytes", data)
        if fd == STDERR:
            self._last_words = (self._last_words + received)[-LAST_WORDS_BYTES:]
            return
        try:
            for frame in self._reader.feed(received):
                self._on_frame(frame)
        except ValueError:
            self.kill()  # it no longer speaks our language; `connection_lost` tells the streams

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 — the loop's signature
        """The process has ended and its pipes are closed."""
        code = self._transport.get_returncode() if self._transport else None
        self.exited.set_result(code)
        said = self._last_words.decode("utf-8", "replace").strip().splitlines()
        cause = f"; its last words: {said[-1]}" if said else ""
        error = EngineError(
            self.spec.engine, f"the worker process ended unexpectedly (exit code {code}{cause})"
        )
        if not self.ready.done():
            self.ready.set_exception(
                EngineUnavailable(self.spec.engine, f"cannot start (exit code {code}{cause})")
            )
        for stream in self.streams.values():
            stream.fail(error)

    # called by us

    def _on_frame(self, frame: Frame) -> None:
        if frame.stream != CONTROL_STREAM:
            self.proved = self.proved or frame.kind is Kind.END
            if stream := self.streams.get(frame.stream):  # else it was cancelled in the meantime
                stream.on_frame(frame)
        elif frame.kind is Kind.READY:
            self.ready.set_result(frame.body)
        else:
            self.ready.set_exception(
                EngineUnavailable(self.spec.engine, frame.body.decode("utf-8", "replace"))
            )

    def write(self, data: bytes) -> None:
        # Bounded without asking the transport: each stream has at most a window underway.
        if self.alive and self._transport and (pipe := self._transport.get_pipe_transport(STDIN)):
            stdin = cast("asyncio.WriteTransport", pipe)
            if not stdin.is_closing():
                stdin.write(data)

    def open(self, request: bytes) -> WorkerStream:
        number = self._next_stream
        self._next_stream += 1
        stream = self.streams[number] = WorkerStream(self, number)
        self.write(pack(Kind.OPEN, number, request))
        return stream

    def forget(self, number: int, *, cancel: bool) -> None:
        del self.streams[number]
        if cancel:
            self.write(pack(Kind.CANCEL, number))

    def kill(self) -> None:
        self.doomed = True
        if self.alive and self._transport:
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                self._transport.kill()

    async def stop(self) -> None:
        """Close its input, which ends it; kill it if that does not help. Returns when it is gone."""
        if self._transport and (pipe := self._transport.get_pipe_transport(STDIN)):
            pipe.close()
        try:
            async with asyncio.timeout(self.spec.stop_timeout_s):
                await asyncio.shield(self.exited)
        except TimeoutError:
            self.kill()
            await asyncio.shield(self.exited)
        if self._transport:
            self._transport.close()
