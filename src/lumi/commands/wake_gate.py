"""Keeps the microphone from the server until a wake word is heard.

waiting ──a wake word, or a key──▶ open ──the answer begins──▶ closed ──it was heard──▶ waiting
                                    └──nobody says anything──▶ waiting
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import Enum

from lumi.commands.console import Console
from lumi.commands.running import load_extra
from lumi.engines.base import Wake
from lumi.errors import ConfigError, EngineError

WAITING_PIECES = 64
"""Of the microphone, some seconds; then the oldest is dropped: a wake word is of now."""

PATIENCE_S = 12.0
"""From the wake word to the answer; then it waits for the next."""

RETRY_S = 5.0
"""After the engine failed."""


class Phase(Enum):
    WAITING = "waiting"
    OPEN = "open"
    CLOSED = "closed"


class WakeGate:
    """`push` what the microphone hears; `run` and `watch` beside it. `opened` and `gave_up` are told what happens."""

    def __init__(
        self,
        wake: Wake,
        console: Console,
        opened: Callable[[], Awaitable[None]],
        gave_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._wake = wake
        self._console = console
        self._opened = opened
        self._gave_up = gave_up
        self._sound: asyncio.Queue[bytes] = asyncio.Queue(WAITING_PIECES)  # the oldest is dropped
        self._phase = Phase.CLOSED
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> bool:
        """Whether it waits for a wake word."""
        return self._phase is Phase.WAITING

    def push(self, pcm: bytes) -> None:
        """A piece at 16 kHz; dropped unless a wake word is waited for."""
        if self._phase is not Phase.WAITING:
            return
        if self._sound.full():
            self._sound.get_nowait()
        self._sound.put_nowait(pcm)

    def wait(self) -> None:
        """Wait for a wake word from now on."""
        self._console.note(zh="○ 等待唤醒词", en="○ waiting for the wake word")
        self._move(Phase.WAITING)

    def close(self) -> None:
        """The answer has begun."""
        self._move(Phase.CLOSED)

    async def open(self) -> None:
        """The user speaks now."""
        self._move(Phase.OPEN)
        self._console.note(zh="● 正在听", en="● listening")
        await self._opened()

    async def run(self) -> None:
        """Listen for wake words for ever. An engine that fails is told of, and tried again."""
        while True:
            try:
                async for _ in self._wake.detect(self._heard()):
                    if self.waiting:
                        await self.open()
            except EngineError as error:
                if not error.retryable:
                    raise
                self._console.note(zh=f"唤醒词引擎出错：{error}", en=f"the wake word engine failed: {error}")
                await asyncio.sleep(RETRY_S)

    async def watch(self) -> None:
        """Where nothing follows a wake word, wait for the next."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(PATIENCE_S if self._phase is Phase.OPEN else None):
                    await self._changed.wait()
            except TimeoutError:
                await self._gave_up()
                self.wait()

    async def _heard(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._sound.get()

    def _move(self, phase: Phase) -> None:
        self._phase = phase
        while not self._sound.empty():  # what was heard before is no wake word of now
            self._sound.get_nowait()
        self._changed.set()


def wake_engine(words: str, url: str) -> Wake:
    """What listens for wake words: this machine, or the Wyoming server at `url`.

    Raises:
        ConfigError: there is no such wake word, or `url` is no address.
        EngineUnavailable: its package is not installed.
    """
    registry = load_extra("lumi.engines.registry", extra="wake", command="--wake")
    name = "wyoming" if url else "micro"
    given = {"base_url": url, "model": words} if url else {"model": words}
    if not (words or url):
        raise ConfigError("--wake", "names no wake word, e.g. --wake 'okay nabu'")
    engine: Wake = registry.create("wake", name, given)
    return engine
