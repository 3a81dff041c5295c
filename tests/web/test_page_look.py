"""How the page looks and reads: states, languages, themes, small screens, and for who cannot see or hold a mouse."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect
from tests.flows.scripted import scripted_lumi
from tests.web.browsing import IN_BROWSER

from lumi.client.state_machine import Phase
from lumi.client.status import STATUSES
from lumi.testing import ScriptedTts

pytestmark = IN_BROWSER

SERIOUS = {"serious", "critical"}

SHOWN_STATE = """async (state) => {
  const { Badge } = await import("/page/badge.js");
  window.shown ??= new Badge({ retry: () => {} });
  window.shown.show({ state, retryInS: state === "disconnected" ? 7 : null });
  const badge = document.getElementById("badge");
  const style = getComputedStyle(badge);
  return [badge.dataset.state, badge.textContent.trim(), style.backgroundColor, style.fontSize, style.borderRadius];
}"""
CARDS = """async () => {
  const { CardTable } = await import("/page/cards.js");
  const now = Date.now();
  const at = (ms) => new Date(now + ms).toISOString();
  new CardTable({ say: () => {} }).show({
    sent_at: at(0),
    timers: [{ id: "t", kind: "timer", label: "tea", due_at: at(300000), duration_s: 600 },
             { id: "r", kind: "reminder", label: "call mother", due_at: at(9e8) }],
    lists: [{ name: "shopping", items: ["milk", "鸡蛋"] }],
  });
}"""


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


async def axe(page: Page) -> list[str]:
    """What axe finds that is serious, each with where it is."""
    found = await Axe().run(page)
    return [
        f"{one['id']}: {node['html']}"
        for one in found.response["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


async def axe_in_both_lights(page: Page) -> list[str]:
    found = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found += [f"{scheme} {one}" for one in await axe(page)]
    return found


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_the_badge_shows_the_eight_states_as_they_were_founded(visit, locale):
    async with scripted_lumi() as server, visit(server.page_url, locale=locale) as page:
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        for phase in Phase:
            status = STATUSES[phase]
            shown = await page.evaluate(SHOWN_STATE, phase.value)
            label = status.zh if locale == "zh-CN" else status.en
            assert shown == [phase.value, label, rgb(status.hex), "12px", "12px"]


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
async def test_nothing_serious_stands_in_anybodys_way_light_or_dark(visit, locale):
    async with scripted_lumi() as server, visit(server.page_url, locale=locale) as page:
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        assert await axe_in_both_lights(page) == []
        await page.evaluate(CARDS)
        await page.locator("#words").fill("What time is it?")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        await page.evaluate(SHOWN_STATE, "disconnected")
        assert await axe_in_both_lights(page) == []
        await page.locator("#openSettings").click()
        for more in await page.locator("#settings summary").all():
            await more.click()
        assert await axe_in_both_lights(page) == []


@pytest.mark.parametrize("width", [320, 360])
async def test_a_small_phone_shows_all_of_it_without_scrolling_sideways(visit, width):
    async with (
        scripted_lumi() as server,
        visit(server.page_url, viewport={"width": width, "height": 640}, locale="en-GB") as page,
    ):
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        await page.evaluate(CARDS)
        await page.evaluate(SHOWN_STATE, "disconnected")
        await page.locator("#words").fill("W" * 200)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("It is noon.")).to_be_visible()
        for place in ("document.documentElement", "document.getElementById('talk')"):
            wide = await page.evaluate(f"[{place}.scrollWidth, {place}.clientWidth]")
            assert wide[0] <= wide[1], place
        outside = await page.evaluate(
            """() => [...document.querySelectorAll("header *, footer *, .banner *")].filter((one) => {
              const box = one.getBoundingClientRect();
              return box.width && (box.left < 0 || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5);
            }).map((one) => one.outerHTML)"""
        )
        assert outside == []


async def test_a_phone_on_its_side_keeps_the_last_answer_in_sight(visit):
    async with (
        scripted_lumi() as server,
        visit(server.page_url, viewport={"width": 740, "height": 340}, locale="en-GB") as page,
    ):
        for _ in range(3):
            await page.locator("#words").fill("What time is it?")
            await page.keyboard.press("Enter")
        last = page.locator("#talk .lumis").nth(2)
        await expect(last).to_be_in_viewport(ratio=1)
        await page.evaluate(CARDS)
        await expect(last).to_be_in_viewport(ratio=1)
        await page.locator("#realtime").click()
        await expect(page.locator("#live")).to_be_in_viewport(ratio=1)
        await expect(last).to_be_in_viewport(ratio=1)


async def test_settings_take_hold_at_once_and_last(visit):
    async with (
        scripted_lumi() as server,
        visit(server.page_url, locale="en-GB", color_scheme="light") as page,
    ):
        await page.locator("#openSettings").click()
        await expect(page.get_by_role("heading", name="Settings")).to_be_visible()
        await page.get_by_label("中文").check()
        await expect(page.get_by_role("heading", name="设置")).to_be_visible()
        await page.locator("#settings summary").last.click()
        await page.locator("#code").fill("123 4")
        await page.get_by_label("深色").check()
        await expect(page.locator("#code")).to_be_visible()
        await expect(page.locator("#code")).to_have_value("123 4")
        await page.get_by_label("大", exact=True).check()
        await page.get_by_role("switch", name="朗读对文字消息的回答").check()
        await page.locator("#words").evaluate("(words) => { words.value = '还没写完'; }")
        await page.reload()
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page.locator("html")).to_have_attribute("data-size", "large")
        await expect(page.locator("#quiet")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#words")).to_have_value("还没写完")
        await expect(page.locator("#words")).to_have_attribute("placeholder", "给 Lumi 发消息")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(25, 22, 20)"


async def test_the_keyboard_reaches_everything_in_the_order_of_the_page(visit):
    async with scripted_lumi() as server, visit(server.page_url) as page:
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        order = []
        for _ in range(10):
            await page.keyboard.press("Tab")
            order.append(await page.evaluate("document.activeElement.id || document.activeElement.className"))
        assert order[:3] == ["skip", "quiet", "openSettings"]
        assert order[3:7] == ["plain"] * 4
        assert order[7:] == ["pick", "words", "send"]


async def test_a_voice_is_chosen_among_those_the_server_has(visit):
    class Choir(ScriptedTts):
        voice_names = ("+f1", "bass")

    tts = Choir()
    async with scripted_lumi(tts=tts) as server, visit(server.page_url, locale="en-GB") as page:
        await page.locator("#openSettings").click()
        await expect(page.get_by_label("Voice").locator("option")).to_have_text(
            ["The server’s choice", "Woman 1", "bass"]
        )
        await page.get_by_label("Voice").select_option("+f1")
        async with page.expect_navigation():  # the server hears of it in a new hello
            await page.keyboard.press("Escape")
        await expect(page.locator("#badge")).to_have_attribute("data-state", "ready")
        await page.locator("#quiet").click()
        await page.locator("#words").fill("What time is it?")
        await page.keyboard.press("Enter")
        await expect(page.locator("#stop")).to_be_visible()
        await expect(page.locator("#live")).to_have_text("It is noon.")
        await expect(page.locator("#talk .lumis .bubble")).to_have_text(
            ["It is noon."]
        )  # read aloud, and there once
    assert {voice.name for voice in tts.voices} == {"+f1"}
