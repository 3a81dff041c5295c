"""The page counts a session's events as the Python client does, over lines and over reloads."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page
from tests.web.browsing import IN_BROWSER

from lumi.protocol.stream_management import ACK_WITHIN_S, Arrival, ReceivedEvents

pytestmark = IN_BROWSER

STAGE = """async () => {
  const { Resumption, ACK_DELAY_MS } = await import("/sdk/resumption.js");
  const real = { setTimeout, clearTimeout };
  let due = null;
  globalThis.setTimeout = (run) => (due = run);
  globalThis.clearTimeout = () => (due = null);
  const pass = () => { const run = due; due = null; run?.(); };
  const memory = (value = {}) => ({ get: () => value, set: (next) => (value = next) });
  const acks = [], gaps = [];
  const line = { up: true };
  const make = (session) => {
    const made = new Resumption({ ack: (seq) => line.up && acks.push(seq) > 0, gap: () => gaps.push("gap") });
    made.open(session);
    return made;
  };
  const hello = (session_id, resumed = false, resume = true) => ({ session_id, resumed, features: { resume } });
  const take = (one, ...seqs) => seqs.map((seq) => one.isNew({ type: "stt", seq }));
"""


async def play(page: Page, script: str) -> Any:
    return await page.evaluate(STAGE + "try {" + script + "} finally { Object.assign(globalThis, real); } }")


async def test_new_repeated_and_missing_are_told_apart_as_in_python(module_page):
    seqs = [1, 2, 2, 1, 3, 5, 4, 5]
    told, gaps, acks, delay_ms = await play(
        module_page,
        f"""
        const one = make(memory()); one.greeted(hello("s"));
        const told = take(one, ...{seqs}); pass();
        return [told, gaps.length, acks, ACK_DELAY_MS];
        """,
    )
    counter = ReceivedEvents()
    arrivals = [counter.take(seq) for seq in seqs]
    assert told == [arrival is Arrival.NEXT for arrival in arrivals]
    assert gaps == arrivals.count(Arrival.GAP) == 1
    assert acks == [5]
    assert delay_ms / 1000 < ACK_WITHIN_S


async def test_several_events_share_an_ack_and_nothing_new_sends_none(module_page):
    acks = await play(
        module_page,
        """
        const one = make(memory()); one.greeted(hello("s"));
        take(one, 1, 2, 3); pass(); take(one, 3); pass();
        line.up = false; take(one, 4); pass(); line.up = true; take(one, 4); pass();
        return acks;
        """,
    )
    assert acks == [3, 4]


async def test_the_next_page_goes_on_where_this_one_was(module_page):
    told = await play(
        module_page,
        """
        const session = memory({ tab: "kept" });
        const one = make(session); one.greeted(hello("s")); take(one, 1, 2);
        const next = make(session);
        const asked = next.request();
        next.greeted(hello("s", true));
        return [asked, take(next, 2, 3), session.get()];
        """,
    )
    assert told == [
        {"session_id": "s", "received": 2},
        [False, True],
        {"tab": "kept", "sessionId": "s", "received": 3},
    ]


async def test_a_new_session_is_counted_from_the_start_and_a_forgotten_one_is_not_asked_for(module_page):
    told = await play(
        module_page,
        """
        const one = make(memory());
        const before = one.request();
        one.greeted(hello("s")); take(one, 1, 2);
        one.greeted(hello("other"));
        const counted = take(one, 1);
        one.forget();
        const forgotten = one.request();
        one.greeted(hello("plain", false, false));
        return [before, counted, forgotten, one.request(), take(one, undefined, null)];
        """,
    )
    assert told == [None, [True], None, None, [True, True]]
