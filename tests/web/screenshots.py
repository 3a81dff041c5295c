"""Draws the page: every scene and every state, on a phone and a desktop, light and dark, in Chinese and English.

python -m tests.web.screenshots DIRECTORY [PATTERN …]

A real server with the built-in skills answers; Debian's Chromium draws. Without patterns all pictures are drawn.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import product
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page
from pydantic import SecretStr
from tests.flows.scripted import CONFIG
from tests.web.browsing import FakeMicrophone, Watch, chromium, chromium_running, watched_page
from tests.web.gate import Gate
from tests.web.test_page_look import SHOWN_STATE

from lumi.client.state_machine import Phase
from lumi.engines.espeak import EspeakTts
from lumi.server.app import Server
from lumi.testing import ScriptedStt, ScriptedTts, ScriptedVad, silence, tone

SIZES = {"phone": (360, 740), "desktop": (1180, 760)}
SAID = {
    "en": (
        "Set a tea timer for 10 minutes",
        "Add milk, eggs and bread to the shopping list",
        "What is 17 times 23?",
    ),
    "zh": ("定一个10分钟的泡茶计时器", "把牛奶、鸡蛋和面包加到购物清单", "17乘以23是多少"),
}
HEARD = {"en": "tell me a joke", "zh": "讲个笑话"}
LATER = {"en": "Remind me to call mother at 6 pm", "zh": "下午六点提醒我给妈妈打电话"}
SPEED_MS = {"en": 60.0, "zh": 240.0}
LOCALES = {"en": "en-GB", "zh": "zh-CN"}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a picture is taken."""

    page: Page
    gate: Gate
    microphone: FakeMicrophone
    language: str


async def say(stage: Stage, words: str) -> None:
    answers = stage.page.locator("#talk .lumis.done")
    before = await answers.count()
    await stage.page.locator("#words").fill(words)
    await stage.page.keyboard.press("Enter")
    await answers.nth(before).wait_for()


async def welcome(_: Stage) -> None:
    """As it opens."""


async def conversation(stage: Stage) -> None:
    for words in SAID[stage.language]:
        await say(stage, words)


async def listening(stage: Stage) -> None:
    await say(stage, SAID[stage.language][2])
    stage.microphone.says(tone(9000), 16_000)
    await stage.page.locator("#hold").hover()
    await stage.page.mouse.down()
    await stage.page.locator("#talk .mine.partial").wait_for()
    await stage.page.wait_for_timeout(1500)


async def speaking(stage: Stage) -> None:
    await say(stage, SAID[stage.language][0])
    stage.microphone.says(tone(900) + silence(20_000), 16_000)
    await stage.page.locator("#realtime").click()
    await stage.page.locator("#talk .lumis .now").wait_for()
    await stage.page.wait_for_timeout(1200)


async def waiting(stage: Stage) -> None:
    await say(stage, SAID[stage.language][2])
    await stage.gate.shut()
    await stage.page.locator("#words").fill(LATER[stage.language])
    await stage.page.keyboard.press("Enter")
    await stage.page.locator("#talk .mine.waiting").wait_for()
    await stage.page.wait_for_function("document.getElementById('countdown').textContent !== ''")


async def settings(stage: Stage) -> None:
    await stage.page.locator("#openSettings").click()
    await stage.page.locator("#voiceName").wait_for()


async def devices(stage: Stage) -> None:
    await stage.page.locator("#openSettings").click()
    await stage.page.locator("#settings summary").last.click()
    await stage.page.locator("#pair button").scroll_into_view_if_needed()


async def door(stage: Stage) -> None:
    await stage.page.locator("#door").wait_for()


async def microphone(stage: Stage) -> None:
    await stage.page.evaluate(
        """async () => {
          const { NoMicrophone } = await import("/page/no_microphone.js");
          const shown = new NoMicrophone();
          shown.show("insecure");
          document.getElementById("voice").classList.add("none");
          await new Promise((done) => setTimeout(done, 100));
          shown.explain();
        }"""
    )


SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    scene.__name__: scene
    for scene in (welcome, conversation, listening, speaking, waiting, settings, devices, door, microphone)
}


class Choir(ScriptedTts):
    voice_names = EspeakTts.voice_names


@asynccontextmanager
async def answering(language: str, name: str) -> AsyncIterator[Server]:
    stt, config = ScriptedStt([HEARD[language]], partials=True), CONFIG
    if name == door.__name__:
        config = CONFIG.model_copy(
            update={"server": CONFIG.server.model_copy(update={"token": SecretStr("open-sesame")})}
        )
    async with Server(
        config, vad=ScriptedVad(), stt=stt, tts=Choir(ms_per_character=SPEED_MS[language])
    ) as server:
        await server.wait_ready()
        yield server


async def scene(
    browser: Browser, heard: FakeMicrophone, name: str, look: tuple[str, str, str], path: Path
) -> None:
    """One picture."""
    size, scheme, language = look
    width, height = SIZES[size]
    heard.says(b"", 16_000)
    options: dict[str, Any] = {
        "viewport": {"width": width, "height": height},
        "device_scale_factor": 1.5 if size == "phone" else 1,
        "color_scheme": scheme,
        "locale": LOCALES[language],
        "timezone_id": "Asia/Shanghai" if language == "zh" else "Europe/London",
    }
    async with (
        answering(language, name) as server,
        Gate(server.port) as gate,
        watched_page(browser, gate.url, watch=Watch(allowed=[".*"]), **options) as page,
    ):
        await page.route("**/tls", lambda route: route.fulfill(json={"port": 8443, "authority": True}))
        await page.goto("/")
        await page.locator(
            "#badge:is([data-state=ready], [data-state=failed], [data-state=error])"
        ).wait_for()
        await SCENES[name](Stage(page, gate, heard, language))
        await page.wait_for_timeout(300)
        await page.screenshot(path=path)


async def states(browser: Browser, scheme: str, language: str, path: Path) -> None:
    """The badge in each of its states, one below the other."""
    options: dict[str, Any] = {
        "viewport": {"width": 360, "height": 740},
        "device_scale_factor": 2,
        "color_scheme": scheme,
    }
    async with (
        answering(language, states.__name__) as server,
        watched_page(browser, server.page_url, locale=LOCALES[language], **options) as page,
    ):
        await page.goto("/")
        await page.locator("#badge[data-state=ready]").wait_for()
        for phase in Phase:
            await page.evaluate(SHOWN_STATE, phase.value)
            await page.evaluate(
                "(window.sheet ??= []).push(document.getElementById('badge').cloneNode(true))"
            )
        await page.evaluate("document.getElementById('main').replaceChildren(...sheet)")
        await page.evaluate(
            "main.style.cssText = 'display: grid; gap: 8px; padding: 12px; flex: none; width: 170px'"
        )
        await page.locator("#main").screenshot(path=path)


async def main(directory: Path, patterns: list[str]) -> None:
    """Draw what the patterns name."""
    executable = chromium()
    if executable is None:
        sys.exit("Chromium is not here; to have it: apt-get install chromium")
    with tempfile.TemporaryDirectory() as place:
        heard = FakeMicrophone(Path(place) / "heard.wav")
        async with chromium_running(executable, heard.path) as browser:
            for scheme, language in product(("light", "dark"), LOCALES):
                if named(name := f"page-states-{scheme}-{language}", patterns):
                    await states(browser, scheme, language, directory / f"{name}.png")
                for one, size in product(SCENES, SIZES):
                    if named(name := f"page-{one}-{size}-{scheme}-{language}", patterns):
                        await scene(browser, heard, one, (size, scheme, language), directory / f"{name}.png")


def named(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


if __name__ == "__main__":
    to = Path(sys.argv[1])
    to.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(to, sys.argv[2:] or ["*"]))
