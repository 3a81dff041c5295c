"""A terminal app on stage: a scripted server, a sound card that follows a script, and textual's pilot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.client.scripted_server import Script, ScriptedServer, scripted_server
from textual.pilot import Pilot

from lumi.audio.format import AudioFormat, Codec
from lumi.client.client import Client, connect
from lumi.client.connection_service import Connector
from lumi.client.player import Recording
from lumi.client.reconnection import ReconnectPolicy
from lumi.client.task_scope import TaskScope
from lumi.commands.tui import FEATURES
from lumi.errors import AudioDeviceError
from lumi.testing.sounds import tone
from lumi.tui.app import LumiApp
from lumi.tui.conductor import Conductor
from lumi.tui.model import Model
from lumi.tui.voice import Devices

PCM = AudioFormat(Codec.PCM)
PIECE_S = 0.02
PIECE = tone(60)


class FakeMicrophone:
    """Hears a tone for ever."""

    async def __aenter__(self) -> AsyncIterator[bytes]:
        return self.pieces()

    async def __aexit__(self, *_exc: object) -> None:
        return None

    async def pieces(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(PIECE_S)
            yield PIECE


class FakeLoudspeaker:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.recording = Recording()

    async def __aenter__(self) -> Recording:
        return self.recording

    async def __aexit__(self, *_exc: object) -> None:
        return None


class Missing:
    """A device that this machine has not."""

    def __init__(self, what: str) -> None:
        self._what = what

    async def __aenter__(self) -> Any:
        raise AudioDeviceError(f"this machine has no {self._what}")

    async def __aexit__(self, *_exc: object) -> None:
        raise AssertionError("it was never entered")


def with_sound() -> Devices:
    return Devices(FakeMicrophone, FakeLoudspeaker)


def without_sound() -> Devices:
    return Devices(lambda: Missing("microphone"), lambda: Missing("loudspeaker"))


def dial_by(
    connector: Connector, *, wait_ready: bool = False
) -> Callable[[], AbstractAsyncContextManager[Client]]:
    """Clients by `connector`, with uncoded sound and the documented waits."""

    def dial() -> AbstractAsyncContextManager[Client]:
        return connect(
            "ws://x/",
            device_id="me",
            connector=connector,
            audio=PCM,
            features=FEATURES,
            reconnect=ReconnectPolicy(tries=None),
            wait_ready=wait_ready,
        )

    return dial


@asynccontextmanager
async def conducting(conductor: Conductor) -> AsyncIterator[None]:
    """The conductor runs as long as the block."""
    async with TaskScope() as tasks:
        tasks.start(conductor.run(), name="conductor")
        yield


async def until(condition: Callable[[], object], *, timeout_s: float = 10.0) -> None:
    """Wait by the loop's clock until `condition` holds."""
    async with asyncio.timeout(timeout_s):  # the screen is drawn by a timer, and tells nobody
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@dataclass
class Stage:
    """What a test of the whole app has in its hands. Used as `async with`."""

    script: Script
    devices: Devices = field(default_factory=with_sound)
    size: tuple[int, int] = (80, 24)
    model: Model = field(default_factory=lambda: Model("en", address="ws://x/"))
    server: ScriptedServer = field(init=False)
    app: LumiApp = field(init=False)
    pilot: Pilot[None] = field(init=False)

    async def __aenter__(self) -> Self:
        self._whole = self._opened()
        await self._whole.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._whole.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[None]:
        async with scripted_server(self.script) as self.server:
            conductor = Conductor(dial_by(self.server.connector), self.model, self.devices)
            self.app = LumiApp(self.model, conductor)
            async with conducting(conductor), self.app.run_test(size=self.size) as self.pilot:
                yield

    async def ready(self) -> None:
        await until(lambda: self.model.state.phase == "ready")

    async def type(self, text: str) -> None:
        await self.pilot.press(*("space" if character == " " else character for character in text), "enter")

    async def see(self, text: str) -> None:
        """Wait until `text` stands on the screen."""
        try:
            await until(lambda: text in self.screen)
        except TimeoutError:
            raise AssertionError(f"{text!r} is not to be seen:\n{self.screen}") from None

    async def gone(self, text: str) -> None:
        """Wait until `text` stands on the screen no longer."""
        try:
            await until(lambda: text not in self.screen)
        except TimeoutError:
            raise AssertionError(f"{text!r} is still to be seen:\n{self.screen}") from None

    @property
    def screen(self) -> str:
        """The characters on the screen, row by row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)
