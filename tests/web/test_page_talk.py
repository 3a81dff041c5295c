"""Talking to the page: by a finger, by the keyboard, hands-free, and into the answer."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect
from tests.flows.scripted import CONFIG, answering, scripted_lumi
from tests.web.browsing import ELSEWHERE, IN_BROWSER, Watch

from lumi.testing import ScriptedStt, ScriptedTts, tone

pytestmark = IN_BROWSER

LONG = "This answer is so long that nobody wants to hear all of it. " * 4


async def test_what_is_said_into_the_held_button_is_shown_answered_and_read_along(visit, microphone):
    stt, slow = ScriptedStt(partials=True), ScriptedTts(ms_per_character=200)
    async with (
        scripted_lumi(stt=stt, llm=answering("It is noon. Time to eat."), tts=slow) as server,
        visit(server.page_url, locale="en-GB") as page,
    ):
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        microphone.says(tone(2000), 16_000)
        await page.locator("#hold").hover()
        await page.mouse.down()
        await expect(page.locator("#hold")).to_have_text("Let go to send")
        await expect(page.locator("#live")).to_have_text("Listening …")
        await expect(page.locator("#talk .mine.partial")).to_be_visible()
        await page.mouse.up()
        await expect(page.locator("#talk .mine.done")).to_have_text("what time is it")
        await expect(page.locator("#live")).to_have_text("It is noon.")
        await expect(page.locator("#talk .lumis .now")).to_have_text("It is noon.")
        await expect(page.locator("#live")).to_have_text("Time to eat.")
        await expect(page.locator("#stage")).to_be_hidden()
        await expect(page.locator("#talk .lumis.done .bubble")).to_have_text("It is noon. Time to eat.")
    assert len(stt.heard) == 1


async def test_space_talks_and_escape_ends_the_answer(visit, microphone):
    async with (
        scripted_lumi(llm=answering(LONG)) as server,
        visit(server.page_url, locale="en-GB") as page,
    ):
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        microphone.says(tone(2000), 16_000)
        await page.keyboard.down(" ")
        await expect(page.locator("#hold")).to_have_attribute("aria-pressed", "true")
        await asyncio.sleep(0.6)
        await page.keyboard.up(" ")
        await expect(page.locator("#stop")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("#stop")).to_be_hidden()
        await expect(page.locator("#talk .lumis.done")).to_have_count(1)
        await page.locator("#words").press(" ")
        await expect(page.locator("#hold")).to_have_attribute("aria-pressed", "false")


async def test_one_speaks_into_the_answer_live_and_it_ends(visit, microphone):
    stt = ScriptedStt(["tell me a story", "stop that"])
    async with (
        scripted_lumi(stt=stt, llm=answering(LONG, "All right.")) as server,
        visit(server.page_url, locale="en-GB") as page,
    ):
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        microphone.says(tone(900) + bytes(32_000 * 2) + tone(1500), 16_000)
        await page.locator("#realtime").click()
        await expect(page.locator("#realtime")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#stop")).to_be_visible()
        await expect(page.locator("#talk .mine.done")).to_have_text(["tell me a story", "stop that"])
        await expect(page.locator("#talk .lumis .bubble").last).to_have_text("All right.")
        await page.locator("#realtime").click()
        await expect(page.locator("#realtime")).to_have_attribute("aria-pressed", "false")
        await page.locator("#handsFree").click()
        await expect(page.locator("#handsFree")).to_have_attribute("aria-pressed", "true")
        await page.locator("#handsFree").click()
        await expect(page.locator("#handsFree")).to_have_attribute("aria-pressed", "false")


async def test_who_presses_before_the_voice_is_loaded_is_heard_when_it_is(visit):
    loaded = asyncio.Event()

    async def later(route):
        await loaded.wait()
        await route.continue_()

    async with scripted_lumi() as server, visit(server.page_url, None) as page:
        await page.route("**/sdk/audio/voice.js", later)
        await page.goto("/", wait_until="commit")
        await page.locator("#ideas button").first.wait_for()
        await page.locator("#realtime").click()
        loaded.set()
        await expect(page.locator("#realtime")).to_have_attribute("aria-pressed", "true")


async def test_a_page_without_the_voice_is_one_to_type_into(visit):
    watch = Watch(allowed=["ERR_FAILED"])
    async with scripted_lumi() as server, visit(server.page_url, None, watch=watch, locale="en-GB") as page:
        await page.route("**/sdk/audio/voice.js", lambda route: route.abort())
        await page.goto("/")
        await expect(page.locator("#hintText")).to_contain_text("cannot record")
        await page.locator("#hold").click()
        await expect(page.locator("#safe")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.locator("#words").fill("What time is it?")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("It is noon.")).to_be_visible()


async def test_over_plain_http_from_elsewhere_it_says_why_there_is_no_microphone(visit):
    config = CONFIG.model_copy(update={"server": CONFIG.server.model_copy(update={"origins": ("*",)})})
    async with scripted_lumi(config) as server:
        address = server.page_url.replace("127.0.0.1", ELSEWHERE)
        async with visit(address, None, locale="en-GB") as page:
            await page.route("**/tls", lambda route: route.fulfill(json={"port": 8443, "authority": True}))
            await page.goto("/")
            await expect(page.locator("#hintText")).to_contain_text("plain http")
            await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
            for entry in server.sessions:  # what is said before the first click, as a stranger's code is
                await entry.session.push("Good day to you.", kind="push", notice_id="n", due_at=0.0)
            await expect(page.get_by_text("Good day to you.").first).to_be_visible()
            await page.wait_for_timeout(1600)  # longer than a page waits for a sound that does not come
            await expect(page.locator("#hintText")).to_contain_text("plain http")
            await page.get_by_role("button", name="What to do").click()
            link = page.get_by_role("link", name="certificate")
            await expect(link).to_have_attribute("href", "/lumi-ca.crt")
            await expect(page.locator("#safeLink")).to_have_text(f"https://{ELSEWHERE}:8443/")
            await page.keyboard.press("Escape")
            await page.locator("#words").fill("What time is it?")
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("It is noon.")).to_be_visible()
            await page.unroute("**/tls")  # a server without TLS says so itself
            await page.reload()
            await page.get_by_role("button", name="What to do").click()
            await expect(page.locator("#safeNone")).to_contain_text("lumi serve --lan")
