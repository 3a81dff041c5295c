"""Lines typed at the terminal, or piped in, without holding up the event loop."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from typing import Self

MAX_LINES = 1000
"""Lines that may wait; beyond, reading waits too: whoever pipes a file in is slowed down, nothing is lost."""

_CHUNK_BYTES = 4096


class Keyboard:
    """An asynchronous iterator over lines of a file descriptor; ends at its end (Ctrl-D).

    Reads in a daemon thread of its own: a thread of the loop's pool would keep the program from leaving until the
    next Enter. It reads the descriptor itself, since a daemon thread inside `sys.stdin` may crash the interpreter's
    shutdown.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = sys.stdin.fileno() if descriptor is None else descriptor
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._room = threading.Semaphore(MAX_LINES)
        self._started = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        if not self._started:
            self._started = True
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._read, args=(loop,), name="keyboard", daemon=True).start()
        line = await self._lines.get()
        self._room.release()
        if line is None:
            self._lines.put_nowait(None)
            raise StopAsyncIteration
        return line

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        rest = b""
        while piece := self._piece():
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._hand_over(loop, line)
        if rest:
            self._hand_over(loop, rest)
        self._hand_over(loop, None)

    def _piece(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK_BYTES)
        except OSError:
            return b""

    def _hand_over(self, loop: asyncio.AbstractEventLoop, line: bytes | None) -> None:
        self._room.acquire()
        text = None if line is None else line.decode("utf-8", "replace").rstrip("\r")
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._lines.put_nowait, text)
