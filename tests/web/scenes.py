"""What is drawn of the page: its situations and the connection's states, in every look a browser may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

from playwright.async_api import Page
from pydantic import SecretStr
from tests.flows.scripted import CONFIG
from tests.web.browsing import FakeMicrophone
from tests.web.gate import Gate

from lumi.client.state_machine import Phase
from lumi.engines.espeak import EspeakTts
from lumi.server.app import Server
from lumi.testing import ScriptedStt, ScriptedTts, ScriptedVad, silence, tone

SIZES = {"phone": (360, 740), "desktop": (1180, 760)}
SCHEMES = ("light", "dark")
LOCALES = {"en": "en-GB", "zh": "zh-CN"}
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
SHORTLY = {"en": "set a timer for 1 second", "zh": "定一个1秒的计时器"}
SPEED_MS = {"en": 60.0, "zh": 240.0}


@dataclass(frozen=True, slots=True)
class Look:
    """How a browser shows the page."""

    size: str
    scheme: str
    language: str

    def __str__(self) -> str:
        return f"{self.size}-{self.scheme}-{self.language}"

    @property
    def options(self) -> dict[str, Any]:
        """Of the browser's context."""
        width, height = SIZES[self.size]
        return {
            "viewport": {"width": width, "height": height},
            "device_scale_factor": 1.5 if self.size == "phone" else 1,
            "color_scheme": self.scheme,
            "locale": LOCALES[self.language],
            "timezone_id": "Asia/Shanghai" if self.language == "zh" else "Europe/London",
        }


LOOKS = [Look(*look) for look in product(SIZES, SCHEMES, LOCALES)]

STATES: dict[Phase, list[dict[str, Any]]] = {
    Phase.INITIAL: [],
    Phase.CONNECTING: [{"state": "connecting"}],
    Phase.CONNECTED: [{"state": "connected"}],
    Phase.HANDSHAKING: [{"state": "handshaking"}],
    Phase.READY: [{"state": "ready"}],
    Phase.DISCONNECTED: [{"state": "ready"}, {"state": "disconnected", "retryInS": 1}],
    Phase.FAILED: [{"state": "connecting"}, {"state": "failed", "retryInS": 8}],
    Phase.ERROR: [{"state": "ready"}, {"state": "error", "retryInS": 1}],
}
"""What the page's badge is told, one after the other, until it shows a state."""

SHOW_STATE = """async (steps) => {
  const { Badge } = await import("/page/badge.js");
  document.querySelector("#now").replaceWith(document.querySelector("#now").cloneNode());
  window.drawn?.show({ state: "ready" }); // the one before counts no further
  const badge = (window.drawn = new Badge({ retry: () => {} }));
  for (const step of steps) badge.show(step);
  return document.getElementById("badge").dataset.state;
}"""


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
    await type_in(stage, words)
    await answers.nth(before).wait_for()


async def type_in(stage: Stage, words: str) -> None:
    await stage.page.locator("#words").fill(words)
    await stage.page.keyboard.press("Enter")


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


async def ringing(stage: Stage) -> None:
    """A timer rings, in the conversation and on its card."""
    await say(stage, SAID[stage.language][1])
    await say(stage, SHORTLY[stage.language])
    await stage.page.locator("#talk .told").wait_for()


async def waiting(stage: Stage) -> None:
    await say(stage, SAID[stage.language][2])
    await stage.gate.shut()
    await type_in(stage, LATER[stage.language])
    await stage.page.locator("#talk .mine.waiting").wait_for()
    await stage.page.wait_for_function("document.getElementById('countdown').textContent !== ''")


async def limited(stage: Stage) -> None:
    """Whoever has asked too much for this hour sees why the next question waits."""
    await say(stage, SAID[stage.language][2])
    for words in (HEARD[stage.language], LATER[stage.language]):
        await type_in(stage, words)
    await stage.page.locator("#talk .mine.waiting").nth(1).wait_for()
    await stage.page.wait_for_timeout(300)


async def settings(stage: Stage) -> None:
    await stage.page.locator("#openSettings").click()
    await stage.page.locator("#voiceName").wait_for()


async def devices(stage: Stage) -> None:
    await settings(stage)
    await stage.page.locator("#settings summary").last.click()
    await stage.page.locator("#pair button").scroll_into_view_if_needed()


async def door(stage: Stage) -> None:
    await stage.page.locator("#door").wait_for()


async def stranger(stage: Stage) -> None:
    """A browser that is not let in yet."""
    await stage.page.locator("#talk .told .code").wait_for()


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
    for scene in (
        welcome,
        conversation,
        listening,
        speaking,
        ringing,
        waiting,
        limited,
        settings,
        devices,
        door,
        stranger,
        microphone,
    )
}


class Choir(ScriptedTts):
    voice_names = EspeakTts.voice_names


@asynccontextmanager
async def answering(language: str, name: str) -> AsyncIterator[Server]:
    """The server of a scene: built-in skills, and voices that take their time."""
    stt, config = ScriptedStt([HEARD[language]], partials=True), CONFIG
    if name in {door.__name__, stranger.__name__}:
        locked = {"token": SecretStr("open-sesame"), "pairing": name == stranger.__name__}
        config = CONFIG.model_copy(update={"server": CONFIG.server.model_copy(update=locked)})
    if name == limited.__name__:
        spent = CONFIG.limits.model_copy(update={"engine_minutes_per_hour": 0.000001})
        config = CONFIG.model_copy(update={"limits": spent})
    async with Server(
        config, vad=ScriptedVad(), stt=stt, tts=Choir(ms_per_character=SPEED_MS[language])
    ) as server:
        await server.wait_ready()
        yield server
