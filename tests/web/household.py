"""A server with a household in it: devices that talk, one that asks to come in, one whose sessions are recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumi.config import Config
from lumi.config.devices import DeviceSettings
from lumi.config.serving import LogSettings, ServerSettings
from lumi.errors import EngineError
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.server.server import Server
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.rehearsal import spoken
from lumi.transport.websocket import connect

ANSWERS = {
    "what time is it": "It is noon.",
    "turn on the lamp": "The lamp is on.",
    "现在几点": "现在是十二点。",
}


@dataclass(frozen=True, slots=True)
class Household:
    """`token` is the admin's."""

    server: Server
    token: str
    stack: AsyncExitStack

    @property
    def console(self) -> str:
        return f"{self.server.page_url}console"

    async def device(self, device_id: str, **options: Any) -> FakeDevice:
        """One more that has said hello."""
        link = await connect(self.server.url, {"Device-Id": device_id, "Client-Id": f"of {device_id}"})
        device = await self.stack.enter_async_context(FakeDevice(link, device_id=device_id, **options))
        await device.hello()
        return device

    async def code_of(self, device_id: str) -> str:
        """The code that a device shows which asks to come in."""
        code = await self.server.registry.ask(device_id, f"of {device_id}", model="speaker")
        return code.code


async def ask(device: FakeDevice, ms: float = 240) -> None:
    """A short question, spoken in real time, and its answer to the end."""
    await device.listen("start", mode="manual")
    await device.play(spoken(ms))
    await device.listen("stop")
    await device.spoken_turn()


@asynccontextmanager
async def household(folder: Path, **engines: Any) -> AsyncIterator[Household]:
    config = Config(
        server=ServerSettings(port=0, drain_s=0.2, data_dir=folder),
        log=LogSettings(file=False),
        devices={"kitchen": DeviceSettings(record=True)},
    )
    parts: dict[str, Any] = {
        "vad": ScriptedVad(),
        "stt": ScriptedStt(delay_s=0.06),
        "llm": ScriptedLlm(ANSWERS, delay_s=0.12, piece_s=0.01),
        "tts": ScriptedTts(ms_per_character=25, delay_s=0.08),
    } | engines
    async with house_of(config, **parts) as house:
        yield house


@asynccontextmanager
async def house_of(config: Config, **engines: Any) -> AsyncIterator[Household]:
    """A household in the data directory of the settings."""
    token = SecretFile(config.data_dir / ADMIN_TOKEN).obtain()
    async with Server(config, **engines) as server, AsyncExitStack() as stack:
        await server.wait_ready()
        yield Household(server, token, stack)


DEAF = EngineError("deaf", "its model is gone; lumi models add brings it back")
