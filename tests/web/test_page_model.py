"""What stands in the conversation after this and that, and what a browser keeps of it: modules alone, without a server."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page
from tests.web.browsing import IN_BROWSER

pytestmark = IN_BROWSER

HAPPENS = """async (steps) => {
  const { Conversation } = await import("/page/conversation.js");
  const said = new Conversation({ clock: () => 1 });
  for (const [name, ...values] of steps) said[name](...values);
  return said.entries.map(({ who, text, state }) => [who, text, state]);
}"""

PONDERS = re.sub(r"said\.entries.*;", "said.pondered;", HAPPENS)


async def after(page: Page, *steps: list[Any]) -> list[tuple[str, str, str]]:
    entries = await page.evaluate(HAPPENS, steps)
    return [tuple(entry) for entry in entries]


HEARD = ["heard", "tell me a story", {"final": True, "turn": "t"}]


@pytest.mark.parametrize(
    ("steps", "entries"),
    [
        (
            [["mine", "c", "hi"], ["growing", "c", "He"], ["answered", "c", "Hello"]],
            [("me", "hi", "done"), ("lumi", "Hello", "done")],
        ),
        (
            [["mine", "c", "hi"], ["queued", [{"id": "c", "content": "hi", "sent": False}]]],
            [("me", "hi", "waiting")],
        ),
        (
            [["queued", [{"id": "c", "content": "of an earlier page", "sent": False}]]],
            [("me", "of an earlier page", "waiting")],
        ),
        ([["mine", "c", "hi"], ["growing", "c", "He"], ["failed", "c"]], [("me", "hi", "failed")]),
        ([["heard", "tell", {"final": False, "turn": "t"}], HEARD], [("me", "tell me a story", "done")]),
        ([["heard", "uh", {"final": False, "turn": "t"}], ["heard", "", {"final": True, "turn": "t"}]], []),
        ([["heard", "tell", {"final": False, "turn": "t"}], ["lineLost"]], []),
        (
            [["sentence", "Once.", "t"], ["sentence", "Twice.", "t"], ["spoken"]],
            [("lumi", "Once. Twice.", "done")],
        ),
        ([["sentence", "从前。", "t"], ["sentence", "有山。", "t"]], [("lumi", "从前。有山。", "growing")]),
        (
            [["mine", "c", "hi"], ["answered", "c", "Hello."], ["sentence", "Hello.", "c"]],
            [("me", "hi", "done"), ("lumi", "Hello.", "done")],
        ),
        (
            [HEARD, ["sentence", "Once.", "t"], ["lineLost"], ["answered", "listen", "Once. Twice."]],
            [("me", "tell me a story", "done"), ("lumi", "Once. Twice.", "done")],
        ),
        ([["answered", None, "Said to nobody."]], [("lumi", "Said to nobody.", "done")]),
        (
            [["told", "n", "Tea is done."], ["sentence", "Tea is done.", "n2"], ["spoken"]],
            [("told", "Tea is done.", "done")],
        ),
        (
            [["sentence", "Tea is done.", "n2"], ["told", "n", "Tea is done."]],
            [("told", "Tea is done.", "done")],
        ),
        (
            [
                ["sentence", "Once.", "t"],
                ["told", "n", "Tea."],
                ["spoken"],
                ["sentence", "Tea.", "n2"],
                ["spoken"],
            ],
            [("lumi", "Once.", "done"), ("told", "Tea.", "done")],
        ),
        (
            [["told", "n", "Tea."], ["sentence", "Tea.", "n2"], ["spoken"], ["sentence", "Tea.", "t"]],
            [("told", "Tea.", "done"), ("lumi", "Tea.", "growing")],
        ),
        ([["trouble", "no"], ["trouble", "no"]], [("trouble", "no", "done")]),
    ],
)
async def test_what_happens_stands_there_once(module_page, steps, entries):
    assert await after(module_page, *steps) == entries


async def test_a_browser_keeps_the_newest_words_and_gives_up_pictures_first(module_page):
    kept = await module_page.evaluate(
        """async () => {
          const { fitting, kept } = await import("/page/keeping.js");
          const entry = (id, fields) => ({ id, who: "me", text: id, state: "done", at: 1, ...fields });
          const long = "x".repeat(1_000_000);
          const pictures = JSON.parse(fitting([entry("a", { image: long }), entry("b", { image: long })]));
          const words = JSON.parse(fitting([entry("a", { text: long }), entry("b", { text: long }), entry("c")]));
          const stored = (text) => kept({ getItem: () => text }).map(({ id, state }) => [id, state]);
          return [
            pictures.map(({ image }) => image?.length ?? 0), words.map(({ id }) => id),
            stored(fitting([entry("a", { state: "partial" }), entry("b", { state: "growing" })])),
            stored("no json"), stored('[{"id": 1}]'), stored(null),
          ];
        }"""
    )
    assert kept == [[0, 1_000_000], ["b", "c"], [["b", "done"]], [], [], []]


@pytest.mark.parametrize(
    ("steps", "ponders"),
    [
        ([["heard", "tell me", {"final": False, "turn": "t"}]], False),
        ([HEARD], True),
        ([HEARD, ["sentence", "Once.", "t"]], False),
        ([HEARD, ["spoken"]], False),
        ([HEARD, ["trouble", "no"]], False),
        ([HEARD, ["lineLost"]], False),
        ([HEARD, ["answered", "t", "Once."]], False),
    ],
)
async def test_lumi_ponders_what_was_said_until_something_comes_of_it(module_page, steps, ponders):
    assert await module_page.evaluate(PONDERS, steps) is ponders


async def test_two_tabs_keep_the_words_of_both_and_forget_them_together(module_page):
    kept = await module_page.evaluate(
        """async () => {
          const { Conversation } = await import("/page/conversation.js");
          const { keep } = await import("/page/keeping.js");
          const store = { text: "[]", getItem() { return this.text; }, setItem(_, text) { this.text = text; } };
          const [one, other] = [1, 2].map((at) => new Conversation({ clock: () => at }));
          const ids = () => JSON.parse(store.text).map(({ id }) => id);
          for (const tab of [one, other]) keep(tab, store);
          other.mine("b", "second");
          one.mine("a", "first");
          one.mine("c", "taken back");
          dispatchEvent(new Event("pagehide"));
          one.remove("c");
          dispatchEvent(new Event("pagehide"));
          const both = ids();
          one.clear();
          dispatchEvent(new StorageEvent("storage", { key: "lumi.conversation", newValue: store.text }));
          dispatchEvent(new Event("pagehide"));
          return [both, ids(), other.entries];
        }"""
    )
    assert kept == [["a", "b"], [], []]


async def test_settings_take_only_what_makes_sense_and_hold_without_a_store(module_page):
    values = await module_page.evaluate(
        """async () => {
          const { Settings } = await import("/page/settings.js");
          const made = (text) => new Settings({ getItem: () => text, setItem: () => { throw new Error("full"); } });
          const odd = made('{"theme":"pink","size":"large","volume":"loud","other":1}');
          odd.set("theme", "dark");
          return [odd.get("theme"), odd.get("size"), odd.get("volume"), made("[").get("theme"), new Settings(null).get("language")];
        }"""
    )
    assert values == ["dark", "large", 1, "auto", "auto"]


async def test_what_remains_is_written_as_a_clock(module_page):
    shown = await module_page.evaluate(
        """async () => {
          const { remaining } = await import("/page/i18n.js");
          return [remaining(-3), remaining(0.2), remaining(65), remaining(3725)];
        }"""
    )
    assert shown == ["0:00", "0:01", "1:05", "1:02:05"]
