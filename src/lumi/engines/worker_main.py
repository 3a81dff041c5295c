"""The inside of a worker process: `python -m lumi.engines.worker_main`.

The first frame it reads is JSON `{"target": "module:name", "arguments": {…}}`: called with the arguments, the target
gives a `Service`. One thread serves all streams in turn, one small step
each, looking at the pipe between steps: a long request does not hold up a short one, a cancelled one stops at its
next step. The process ends when its standard input does, which is also what happens when its parent is killed.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
from collections import deque
from typing import TYPE_CHECKING, Protocol

from lumi.engines.worker_frames import (
    CONTROL_STREAM,
    HEADER,
    WINDOW_BYTES,
    Frame,
    FrameReader,
    Kind,
    credit_of,
    pack,
    pack_credit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READ_BYTES = 64 * 1024


class Job(Protocol):
    """One stream's work. Every step of the iterators should take milliseconds; `b""` is a step with nothing to say."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece; yield what there is to say so far."""
        ...

    def finish(self) -> Iterator[bytes]:
        """No more pieces come; yield the rest."""
        ...

    def close(self) -> None:
        """Give back what the job holds; called once, finished or not."""
        ...


class Service(Protocol):
    """An engine as it lives in the worker."""

    report: bytes
    """What the parent should know of how it was loaded."""

    def open(self, request: bytes) -> Job: ...


class Stream:
    """A job with its inbox and its credit."""

    def __init__(self, number: int, job: Job) -> None:
        self.number = number
        self.job = job
        self.inbox: deque[bytes] = deque()  # bounded by the sender's window
        self.ended = False
        self.finishing = False
        self.credit = WINDOW_BYTES
        self.output: Iterator[bytes] | None = None

    @property
    def runnable(self) -> bool:
        if self.output is not None:
            return self.credit > 0
        return bool(self.inbox) or self.ended


class Scheduler:
    """Serves the streams in turn. `send` gets packed frames."""

    def __init__(self, service: Service, send: Callable[[bytes], None]) -> None:
        self._service = service
        self._send = send
        self._streams: dict[int, Stream] = {}
        self._handlers: dict[Kind, Callable[[Frame], None]] = {
            Kind.OPEN: self._on_open,
            Kind.DATA: self._on_data,
            Kind.END: self._on_end,
            Kind.CANCEL: self._on_cancel,
            Kind.CREDIT: self._on_credit,
        }

    @property
    def busy(self) -> bool:
        return any(stream.runnable for stream in self._streams.values())

    def receive(self, frame: Frame) -> None:
        self._handlers[frame.kind](frame)

    def step(self) -> None:
        """Let every stream that can go on take one step."""
        for stream in list(self._streams.values()):
            if stream.runnable:
                try:
                    self._advance(stream)
                # The loop that guards a stream: what one request breaks must not cost the others their worker.
                except Exception as error:  # noqa: BLE001
                    self._send(pack(Kind.FAILED, stream.number, f"{type(error).__name__}: {error}".encode()))
                    self._drop(stream.number)

    def _advance(self, stream: Stream) -> None:
        if stream.output is None:
            self._begin(stream)
            return
        piece = next(stream.output, None)
        if piece is not None:
            if piece:
                stream.credit -= len(piece)
                self._send(pack(Kind.DATA, stream.number, piece))
            return
        stream.output = None
        if stream.finishing:
            self._send(pack(Kind.END, stream.number))
            self._drop(stream.number)

    def _begin(self, stream: Stream) -> None:
        if stream.inbox:
            piece = stream.inbox.popleft()
            stream.output = stream.job.feed(piece)
            self._send(pack_credit(stream.number, len(piece)))
        else:
            stream.finishing = True
            stream.output = stream.job.finish()

    def _on_open(self, frame: Frame) -> None:
        try:
            job = self._service.open(frame.body)
        # As above: a request that cannot be opened is that request's failure.
        except Exception as error:  # noqa: BLE001
            self._send(pack(Kind.FAILED, frame.stream, f"{type(error).__name__}: {error}".encode()))
            return
        self._streams[frame.stream] = Stream(frame.stream, job)

    def _on_data(self, frame: Frame) -> None:
        if stream := self._streams.get(frame.stream):
            stream.inbox.append(frame.body)

    def _on_end(self, frame: Frame) -> None:
        if stream := self._streams.get(frame.stream):
            stream.ended = True

    def _on_credit(self, frame: Frame) -> None:
        if stream := self._streams.get(frame.stream):
            stream.credit += credit_of(frame)

    def _on_cancel(self, frame: Frame) -> None:
        if frame.stream in self._streams:
            self._drop(frame.stream)

    def _drop(self, number: int) -> None:
        self._streams.pop(number).job.close()


def serve(scheduler: Scheduler, read_fd: int) -> None:
    """Run until the pipe ends."""
    reader = FrameReader()
    while True:
        if not scheduler.busy or _readable(read_fd):
            data = os.read(read_fd, READ_BYTES)
            if not data:
                return
            for frame in reader.feed(data):
                scheduler.receive(frame)
        scheduler.step()


def load(request: bytes) -> Service:
    """Import what the first frame names, and call it."""
    wanted = json.loads(request)
    module, _, name = wanted["target"].partition(":")
    service: Service = getattr(importlib.import_module(module), name)(**wanted["arguments"])
    return service


def main() -> int:
    # Ctrl-C and a service manager reach the whole group; the parent decides when we end, by closing our input:
    # while it drains it still speaks.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    write_fd = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not end up between our frames

    def send(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(write_fd, view) :]

    first = read_exactly(0, HEADER.size)
    try:
        service = load(read_exactly(0, HEADER.unpack(first)[0]))
    # The worker's own border: the parent is told why there is no engine, whatever the reason.
    except Exception as error:  # noqa: BLE001
        send(pack(Kind.FAILED, CONTROL_STREAM, f"{type(error).__name__}: {error}".encode()))
        return 1
    try:
        send(pack(Kind.READY, CONTROL_STREAM, service.report))
        serve(Scheduler(service, send), 0)
    except BrokenPipeError:
        return 0  # nobody is left to hear us
    return 0


def read_exactly(read_fd: int, count: int) -> bytes:
    """So many bytes, or fewer if the pipe ends."""
    data = b""
    while len(data) < count and (piece := os.read(read_fd, count - len(data))):
        data += piece
    return data


if sys.platform == "win32":  # pragma: no cover

    def _readable(read_fd: int) -> bool:
        """Whether reading would not wait: pipes cannot be selected here, but peeked at."""
        import _winapi
        import msvcrt

        try:
            return bool(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(read_fd), 0)[0])
        except BrokenPipeError:
            return True
else:

    def _readable(read_fd: int) -> bool:
        """Whether reading would not wait."""
        return bool(select.select([read_fd], [], [], 0)[0])


if __name__ == "__main__":
    # Not sys.exit: engines with threads of their own may hang while the interpreter takes itself apart.
    code = main()
    sys.stderr.flush()
    os._exit(code)
