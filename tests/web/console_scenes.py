"""What is drawn of the console: a household with a device that talks, one whose recogniser fails, one that waits to be
let in and one that is shut out; its model is out of reach, and the built-in skills stand in for it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page
from tests.web.household import DEAF, Household, house_of

from lumi.config import Config
from lumi.config.devices import DeviceSettings
from lumi.config.engines import LlmSettings
from lumi.config.serving import LogSettings, ServerSettings
from lumi.errors import NetworkError
from lumi.server import load_history
from lumi.testing.engines import ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.rehearsal import spoken
from lumi.transport.websocket import connect

HEARD = {
    "en": ("set a tea timer for ten minutes", "what is 17 times 23", "add milk to the shopping list"),
    "zh": ("定一个十分钟的泡茶计时器", "17乘以23是多少", "把牛奶加到购物清单"),
}
NAMES = {
    "en": {"kitchen": "Kitchen", "bedroom": "Bedroom", "garage": "Garage"},
    "zh": {"kitchen": "厨房", "bedroom": "卧室", "garage": "车库"},
}
SPEED_MS = {"en": 25.0, "zh": 80.0}


async def door(page: Page) -> None:
    """As it opens for whoever has not shown the token."""
    await menu(page)
    await page.locator("#leave").click()
    await page.locator("#token").wait_for()


async def menu(page: Page) -> None:
    """Language, colours and the way out; on a desktop they stand there anyway."""
    if await page.locator("#more").is_visible():
        await page.locator("#more").click()


async def overview(page: Page) -> None:
    await page.locator("#view tbody th").first.wait_for()
    await page.locator("#view .chart svg path").first.wait_for(state="attached")


async def sessions(page: Page) -> None:
    await page.locator("#view tbody th").first.wait_for()


async def turns(page: Page) -> None:
    await page.locator("details.turn summary").last.click()


async def devices(page: Page) -> None:
    await page.locator("#view tbody th").first.wait_for()


async def recordings(page: Page) -> None:
    await page.locator("td.acts .primary").first.click()
    await page.locator(".said button").first.wait_for()


async def problems(page: Page) -> None:
    await page.locator("#view tbody td").first.wait_for()


async def settings(page: Page) -> None:
    await page.locator("#view tbody th").first.wait_for()


async def changed(page: Page) -> None:
    """Of the settings only what somebody set."""
    await settings(page)
    await page.locator("#only").check()


async def saying(page: Page) -> None:
    """What a device is to say."""
    await page.locator("td.acts button").first.click()
    await page.locator("dialog textarea, dialog input").first.wait_for()


SCENES: dict[str, tuple[str, Callable[[Page], Awaitable[None]]]] = {
    "overview": ("overview", overview),
    "sessions": ("sessions", sessions),
    "turns": ("turns", turns),
    "devices": ("devices", devices),
    "recordings": ("recordings", recordings),
    "problems": ("problems", problems),
    "settings": ("settings", settings),
    "changed": ("settings", changed),
    "saying": ("sessions", saying),
    "menu": ("sessions", menu),
    "door": ("overview", door),
}
"""By name: the part of the console, and what is done there. The last one signs out."""


@asynccontextmanager
async def living(folder: Path, language: str) -> AsyncIterator[Household]:
    """The household, after it has talked a little."""
    config = Config(
        server=ServerSettings(port=0, drain_s=0.2, data_dir=folder, pairing=True),
        log=LogSettings(file=False),
        llm=LlmSettings(
            engine="openai", base_url="http://127.0.0.1:9/v1", model="qwen3", fallback=("skills",)
        ),
        devices={"kitchen": DeviceSettings(record=True)},
    )
    stt = ScriptedStt((*HEARD[language], DEAF), delay_s=0.06)
    voice = ScriptedTts(ms_per_character=SPEED_MS[language], delay_s=0.08)
    async with house_of(config, vad=ScriptedVad(), stt=stt, tts=voice) as house:
        await talk(house, language)
        await knock(house)
        yield house


async def talk(house: Household, language: str) -> None:
    """Three devices are let in; two of them are there, and are spoken to."""
    registry = house.server.registry
    for device_id, name in NAMES[language].items():
        await registry.confirm(await house.code_of(device_id))
        await registry.change(device_id, name=name)
    kitchen, bedroom = [await house.device(device_id) for device_id in ("kitchen", "bedroom")]
    for device in (kitchen, kitchen, kitchen, bedroom):
        await device.listen("start", mode="manual")
        await device.play(spoken(300))
        await device.listen("stop")
        await device.spoken_turn()


async def knock(house: Household) -> None:
    """Who waits, and who is refused."""
    server = house.server
    await house.code_of("hall-speaker")
    await server.registry.revoke("garage")
    for origin in ({}, {"Origin": "https://elsewhere.example"}):
        with pytest.raises(NetworkError):
            await connect(server.url, {"Device-Id": "garage", "Client-Id": "of garage"} | origin)
    async with ClientSession() as web:
        await web.get(f"{server.page_url}api/v1/live", headers={"Authorization": "Bearer a-guess"})


@asynccontextmanager
async def elsewhere(language: str) -> AsyncIterator[tuple[str, str]]:
    """The household in a process of its own, so that its processor and memory are not the browser's: address, token."""
    command = (sys.executable, "-m", __spec__.name, language)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address, token = json.loads(await process.stdout.readline())
        yield address, token
    finally:
        process.stdin.close()
        await process.wait()


async def main(language: str) -> None:
    """Live until the one who asked goes away."""
    load_history.EVERY_S = 1.0
    with tempfile.TemporaryDirectory() as data:
        async with living(Path(data), language) as house:
            sys.stdout.write(json.dumps([house.server.page_url, house.token]) + "\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
