"""Timers and lists beside the conversation, with the built-in skills behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect
from tests.flows.scripted import CONFIG
from tests.web.browsing import IN_BROWSER

from lumi.server.app import Server
from lumi.testing import ScriptedStt, ScriptedTts, ScriptedVad

pytestmark = IN_BROWSER

SPOKEN = {
    "en-GB": ("Set a tea timer for 10 minutes", "Add milk and eggs to the shopping list", "tea", "milk"),
    "zh-CN": ("定一个10分钟的泡茶计时器", "把牛奶和鸡蛋加到购物清单", "泡茶", "牛奶"),
}


@asynccontextmanager
async def skilled_lumi() -> AsyncIterator[Server]:
    async with Server(CONFIG, vad=ScriptedVad(), stt=ScriptedStt(), tts=ScriptedTts()) as server:
        await server.wait_ready()
        yield server


@pytest.mark.parametrize("locale", SPOKEN)
async def test_timers_count_down_and_lists_are_ticked_off_by_saying_it(visit, locale):
    timer, shopping, label, item = SPOKEN[locale]
    async with (
        skilled_lumi() as server,
        visit(server.page_url, locale=locale, viewport={"width": 1200, "height": 800}) as page,
    ):
        for words in (timer, shopping):
            await page.locator("#words").fill(words)
            await page.keyboard.press("Enter")
        card = page.locator(".card.timer")
        await expect(card.get_by_role("heading")).to_have_text(label)
        await expect(card.get_by_role("timer")).to_contain_text("9:5")
        items = page.locator(".card.list .item")
        await expect(items).to_have_count(2)
        await items.filter(has_text=item).click()
        await expect(items).to_have_count(1)
        await card.get_by_role("button").click()
        await expect(card).to_have_count(0)
        await page.reload()
        await expect(items).to_have_count(1)
        await expect(page.locator("#talk .mine")).to_have_count(4)


async def test_who_ticks_off_and_cancels_by_keyboard_keeps_their_place(visit):
    focused = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"
    async with (
        skilled_lumi() as server,
        visit(server.page_url, locale="en-GB", viewport={"width": 1200, "height": 800}) as page,
    ):
        for words in ("Set a tea timer for 10 minutes", "Add milk, eggs and bread to the shopping list"):
            await page.locator("#words").fill(words)
            await page.keyboard.press("Enter")
        items = page.locator(".card.list .item")
        await expect(items).to_have_count(3)
        await items.filter(has_text="eggs").focus()
        await page.keyboard.press("Enter")
        await expect(items).to_have_count(2)
        assert await page.evaluate(focused) == "Take “bread” off the list"
        await page.locator(".card.timer button").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".card.timer")).to_have_count(0)
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"


async def test_another_tab_of_the_browser_shows_at_once_what_one_has_changed(visit):
    async with skilled_lumi() as server, visit(server.page_url, locale="en-GB") as page:
        other = await page.context.new_page()
        await other.goto("/")
        for tab in (page, other):
            await expect(tab.locator("#badge")).to_have_attribute("data-state", "ready")
        await page.locator("#words").fill("Set a tea timer for 10 minutes")
        await page.keyboard.press("Enter")
        await expect(other.locator(".card.timer h3")).to_have_text("tea")
        await other.locator(".card.timer button").click()
        await expect(other.locator(".card")).to_have_count(0)
        await expect(page.locator(".card")).to_have_count(0)


async def test_a_timer_rings_in_the_conversation_and_leaves_its_card(visit):
    async with skilled_lumi() as server, visit(server.page_url, locale="en-GB") as page:
        await page.locator("#words").fill("set a timer for 1 second")
        await page.keyboard.press("Enter")
        await expect(page.locator("#talk .told")).to_contain_text("timer")
        await expect(page.locator("#talk .lumis")).to_have_count(
            1
        )  # its words are spoken, and stand there once
