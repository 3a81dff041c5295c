"""The conversation page in a real browser, with a real server behind it: typed words, and what becomes of them."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect
from pydantic import SecretStr
from tests.flows.scripted import CONFIG, answering, scripted_lumi
from tests.web.browsing import IN_BROWSER, Watch
from tests.web.gate import Gate

from lumi.engines.base import EmotionHint, Prompt
from lumi.errors import EngineError
from lumi.testing import ScriptedLlm

pytestmark = IN_BROWSER

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
LOST = Watch(
    allowed=[
        "WebSocket connection to .* failed",
        "ERR_CONNECTION_REFUSED",
        "error occurred when fetching the script",
    ]
)


async def say(page: Page, words: str) -> None:
    await page.locator("#words").fill(words)
    await page.keyboard.press("Enter")


def badge(page: Page) -> Any:
    return page.locator("#badge")


async def test_an_answer_grows_word_by_word_and_feels_as_it_was_meant(visit):
    held = asyncio.Event()

    class Slow(ScriptedLlm):
        async def reply(self, prompt: Prompt) -> Any:
            async for event in super().reply(prompt):
                yield event
                if getattr(event, "text", "") == "It is ":
                    await held.wait()

    llm = Slow(lambda _: [EmotionHint("laughing"), "It is ", "noon."])
    async with scripted_lumi(llm=llm) as server, visit(server.page_url) as page:
        await say(page, "What time is it?")
        answer = page.locator("#talk .lumis").last
        await expect(answer.locator(".bubble")).to_have_text("It is ")
        await expect(page.locator("#talk .mine")).to_have_text("What time is it?")
        held.set()
        await expect(answer.locator(".bubble")).to_have_text("It is noon.")
        await expect(answer).to_have_class("lumis done")
        await expect(page.locator("#face")).to_have_attribute("data-emotion", "laughing")
        await expect(answer).to_have_attribute("aria-busy", "false")


@pytest.mark.parametrize(
    ("locale", "offline"),
    [("en-GB", "Waits for the connection"), ("zh-CN", "等待连接")],
    ids=["en", "zh"],
)
async def test_what_is_written_without_a_line_waits_and_is_answered_once(visit, locale, offline):
    llm = answering("It is noon.")
    async with (
        scripted_lumi(llm=llm) as server,
        Gate(server.port) as gate,
        visit(gate.url, watch=LOST, locale=locale) as page,
    ):
        await expect(badge(page)).to_have_attribute("data-state", "ready")
        await gate.shut()
        await expect(page.locator("#banner")).to_be_visible()
        await say(page, "Are you there?")
        waiting = page.locator("#talk .mine")
        await expect(waiting).to_have_class("mine waiting")
        await expect(waiting.locator(".mark span")).to_have_text(offline)
        await expect(page.locator("#countdown")).not_to_be_empty()
        await gate.open()
        await page.locator("#now").dispatch_event("click")
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        await expect(waiting).to_have_class("mine done")
        await expect(badge(page)).to_have_attribute("data-state", "ready")
        await expect(page.locator("#banner")).to_be_hidden()
    assert llm.calls == 1


async def test_a_reload_keeps_the_conversation_and_what_waits(visit):
    llm = answering("It is noon.", "Still noon.")
    async with (
        scripted_lumi(llm=llm) as server,
        Gate(server.port) as gate,
        visit(gate.url, watch=LOST) as page,
    ):
        await say(page, "What time is it?")
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        await page.evaluate("navigator.serviceWorker.ready")
        async with asyncio.timeout(20):
            while not await page.evaluate(ALL_KEPT):
                await page.wait_for_timeout(50)
        await gate.shut()
        await say(page, "And now?")
        await expect(page.locator("#talk .mine.waiting")).to_have_count(1)
        await page.reload()  # the server is away: the page comes from the browser's own store
        await expect(page.locator("#talk .mine.waiting")).to_contain_text("And now?", timeout=20_000)
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        await gate.open()
        await page.locator("#now").dispatch_event("click")
        await expect(page.get_by_text("Still noon.")).to_be_visible()
        await expect(page.locator("#talk > :not(.time)")).to_have_count(4)
    assert llm.calls == 2


async def test_a_picture_is_pasted_and_looked_at(visit):
    class Seeing(ScriptedLlm):
        sees_images = True

    llm = Seeing(lambda _: "A single red dot.")
    async with scripted_lumi(llm=llm) as server, visit(server.page_url) as page:
        await expect(badge(page)).to_have_attribute("data-state", "ready")
        await page.evaluate(PASTE, base64.b64encode(PIXEL).decode())
        await expect(page.locator("#picked")).to_be_visible()
        await page.locator("#send").click()
        await expect(page.get_by_text("A single red dot.")).to_be_visible()
        await expect(page.locator("#talk .mine img")).to_be_visible()
        await expect(page.locator("#picked")).to_be_hidden()
    asked = llm.prompts[0].messages[-1]
    assert asked.content == "What is in this picture?"
    assert asked.images[0].data == PIXEL


@pytest.mark.parametrize(
    ("locale", "why"),
    [("en-GB", r"^Too many questions; again in [\d:]+$"), ("zh-CN", r"^提问太多，[\d:]+ 后再发$")],
    ids=["en", "zh"],
)
async def test_who_asks_too_much_sees_why_it_waits_and_how_long(visit, locale, why):
    spent = CONFIG.limits.model_copy(update={"engine_minutes_per_hour": 0.01})
    config = CONFIG.model_copy(update={"limits": spent})
    llm = ScriptedLlm({"one": "It is noon.", "two": "Still noon."}, delay_s=0.7)
    async with scripted_lumi(config, llm=llm) as server, visit(server.page_url, locale=locale) as page:
        await say(page, "one")
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        await say(page, "two")
        await say(page, "three")
        marks = page.locator("#talk .mine.waiting .mark span")
        await expect(marks.first).to_have_text(re.compile(why))
        await expect(marks.last).to_have_text(
            {"en-GB": "Waits for the answer before it", "zh-CN": "等前一条的回答"}[locale]
        )


@pytest.mark.parametrize(
    ("locale", "why"),
    [("en-GB", "Waiting for the server’s answer"), ("zh-CN", "正在等服务器回答")],
    ids=["en", "zh"],
)
async def test_an_answer_that_takes_long_is_waited_for_in_so_many_words(visit, locale, why):
    held = asyncio.Event()

    class Slow(ScriptedLlm):
        async def reply(self, prompt: Prompt) -> Any:
            await held.wait()
            async for event in super().reply(prompt):
                yield event

    llm = Slow(lambda _: "It is noon.")
    async with (
        scripted_lumi(llm=llm) as server,
        visit(server.page_url, None, locale=locale) as page,
    ):
        await page.clock.install()
        await page.goto("/")
        await say(page, "What time is it?")
        await expect(page.locator("#talk .mine.sent")).to_be_visible()
        await expect(page.get_by_text(why)).to_have_count(0)
        await page.clock.fast_forward(6000)
        await expect(page.get_by_text(why)).to_be_visible()
        held.set()
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        await expect(page.get_by_text(why)).to_have_count(0)


async def test_what_fails_for_now_waits_and_can_be_taken_back(visit):
    broken = EngineError("scripted", "it broke")
    async with (
        scripted_lumi(llm=ScriptedLlm({"bad": [broken], "good": "It is noon."})) as server,
        visit(server.page_url) as page,
    ):
        await say(page, "bad")
        await expect(page.locator("#talk .mine.waiting")).to_contain_text("No answer for now; again in 0:0")
        await page.get_by_role("button", name="Take back").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#words")).to_be_focused()
        await expect(page.locator("#talk .mine")).to_have_count(0)
        await say(page, "good")
        await expect(page.get_by_text("It is noon.")).to_be_visible()


async def test_a_model_without_eyes_says_so(visit):
    blind = Watch(allowed=["status of 501"])
    async with scripted_lumi() as server, visit(server.page_url, watch=blind, locale="zh-CN") as page:
        await expect(badge(page)).to_have_attribute("data-state", "ready")
        await page.evaluate(PASTE, base64.b64encode(PIXEL).decode())
        await page.locator("#words").fill("What is this?")
        await expect(page.locator("#picked")).to_be_visible()
        await page.locator("#send").click()
        await expect(page.locator("#talk .trouble")).to_contain_text("还没有能看图片的模型")
        await expect(page.locator("#talk .trouble")).to_contain_text("vision.model")
        await expect(page.locator("#talk .mine.failed")).to_have_count(1)


async def test_who_needs_a_token_is_asked_for_it(visit):
    config = CONFIG.model_copy(
        update={"server": CONFIG.server.model_copy(update={"token": SecretStr("open-sesame")})}
    )
    async with scripted_lumi(config) as server, visit(server.page_url) as page:
        await expect(page.locator("#door")).to_be_visible()
        device_id = await page.evaluate("localStorage.getItem('device-id')")
        await expect(page.locator("#doorCommand")).to_have_text(f"lumi token device {device_id}")
        await page.locator("#token").fill("open-sesame")
        await page.keyboard.press("Enter")
        await expect(badge(page)).to_have_attribute("data-state", "ready")
        await expect(page.locator("#door")).to_be_hidden()
        await say(page, "What time is it?")
        await expect(page.get_by_text("It is noon.")).to_be_visible()


async def test_a_browser_that_is_not_let_in_yet_shows_its_code_and_what_to_do_with_it(visit):
    server_settings = CONFIG.server.model_copy(update={"token": SecretStr("open-sesame"), "pairing": True})
    config = CONFIG.model_copy(update={"server": server_settings})
    async with scripted_lumi(config) as server, visit(server.page_url, locale="en-GB") as page:
        shown = page.locator("#talk .told .code")
        await expect(shown).to_have_text(re.compile(r"^\d{3} \d{3}$"))
        code = await shown.inner_text()
        await expect(page.locator("#talk .told code")).to_have_text(
            f"lumi devices pair {code.replace(' ', '')}"
        )
        await shown.click()
        assert (await page.evaluate("getSelection().toString()")).strip() == code
        await say(page, "What time is it?")
        await expect(page.locator("#talk .lumis").last).to_contain_text(code)
        await page.reload()  # a new notice, and the old one is not kept
        await expect(shown).to_have_count(1)
        await server.registry.confirm(code)
        await say(page, "What time is it?")
        await expect(page.get_by_text("It is noon.")).to_be_visible()


ALL_KEPT = """async () => {
  const cache = await caches.open("lumi-page");
  const files = performance.getEntriesByType("resource").filter(({ name }) => /\\/(page|sdk)\\//.test(name));
  const kept = await Promise.all(["/", ...files.map(({ name }) => name)].map((name) => cache.match(name)));
  return kept.every(Boolean);
}"""
PASTE = """(data) => {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "dot.png", { type: "image/png" }));
  const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  document.getElementById("words").dispatchEvent(event);
}"""
