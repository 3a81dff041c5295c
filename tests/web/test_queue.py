"""The page's queue of unanswered chats, by itself: a line and a store by script, and a clock that a test turns."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page
from tests.web.browsing import IN_BROWSER

from lumi.client.offline_queue import LIMIT, MAX_AGE_S

pytestmark = IN_BROWSER

STAGE = """async () => {
  const { ChatQueue, MAX_AGE_MS, LIMIT } = await import("/sdk/queue.js");
  const { LumiError } = await import("/sdk/errors.js");
  const real = { setTimeout, clearTimeout };
  const clock = { now: 1e12, timers: [] };
  globalThis.setTimeout = (run, ms) => clock.timers.push({ at: clock.now + ms, run }) && clock.timers.at(-1);
  globalThis.clearTimeout = (timer) => (clock.timers = clock.timers.filter((one) => one !== timer));
  const pass = (ms) => {
    clock.now += ms;
    for (const timer of clock.timers.filter(({ at }) => at <= clock.now)) { clearTimeout(timer); timer.run(); }
  };
  const settled = async () => { for (let n = 0; n < 20; n += 1) await null; };
  const disk = new Map();
  const store = {
    put: async (entry) => void disk.set(entry.id, entry),
    remove: async (id) => void disk.delete(id),
  };
  const line = { up: true, sent: [] };
  const refused = [], remembered = [], changes = [];
  const queue = new ChatQueue({
    send: ({ id }) => line.up && line.sent.push(id) > 0,
    changed: (messages) => changes.push(messages.map(({ id, sent }) => [id, sent])),
    refused: (id, error) => refused.push([id, error.code]),
    answered: (ids) => remembered.push(ids.join()),
  }, () => clock.now);
  const outcomes = {};
  const say = (id, content = id) => {
    queue.ask({ id, content, speak: false }).then((r) => (outcomes[id] = r.content), (e) => (outcomes[id] = e.code));
  };
  const answer = (id) => queue.answered({ id, content: `to ${id}` });
  const fail = (id, code, more) => queue.failed(id, new LumiError(code, "", more));
"""


async def play(page: Page, script: str) -> Any:
    """Run the script on the stage; what it returns."""
    return await page.evaluate(STAGE + "try {" + script + "} finally { Object.assign(globalThis, real); } }")


async def test_chats_go_out_in_order_one_at_a_time_and_stored_before(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, []); queue.lineReady();
        say("a"); say("b");
        const before = [...line.sent];
        await settled();
        const first = [[...line.sent], [...disk.keys()]];
        answer("a"); await settled();
        const second = [[...line.sent], [...disk.keys()], { ...outcomes }];
        answer("b"); await settled();
        return [before, first, second, [...disk.keys()], outcomes, changes.at(-1)];
        """,
    )
    assert made == [
        [],
        [["a"], ["a", "b"]],
        [["a", "b"], ["b"], {"a": "to a"}],
        [],
        {"a": "to a", "b": "to b"},
        [],
    ]


async def test_what_was_said_before_there_was_a_store_waits_for_it(module_page):
    made = await play(
        module_page,
        """
        say("new");
        queue.open(store, [{ id: "kept", content: "kept", at: clock.now, order: 1 }]);
        queue.lineReady(); await settled(); answer("kept"); await settled();
        return [line.sent, [...disk.keys()]];
        """,
    )
    assert made == [["kept", "new"], ["new"]]


async def test_a_lost_line_sends_the_same_again_and_its_pieces_are_not_shown(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, []); queue.lineReady(); say("a"); await settled();
        const fresh = queue.seenFromTheStart("a");
        queue.lineLost(); queue.lineReady(); await settled();
        return [line.sent, fresh, queue.seenFromTheStart("a")];
        """,
    )
    assert made == [["a", "a"], True, False]


async def test_an_answer_is_shown_once_also_by_the_next_page(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, [{ id: "old", content: "old", at: clock.now, order: 1 }], ["old"]);
        queue.lineReady(); await settled();
        const nothing = [...line.sent];
        const again = answer("old");
        say("a"); await settled();
        return [nothing, again, answer("a"), answer("a"), answer(null), remembered];
        """,
    )
    assert made == [[], False, True, False, True, ["old,a"]]


async def test_what_fails_for_now_is_sent_again_after_a_growing_wait(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, []); queue.lineReady(); say("a"); say("b"); await settled();
        const sent = [];
        const wait = (...steps) => steps.forEach((ms) => { pass(ms); sent.push(line.sent.length); });
        fail("a", "overloaded", { retryable: true }); wait(1999, 1);
        fail("a", "overloaded", { retryable: true }); wait(3999, 1);
        fail("a", "rate_limited", { retryable: true, retryAfterS: 30 }); wait(29999, 1);
        return [sent, [...new Set(line.sent)], fail("unknown", "internal"), refused];
        """,
    )
    assert made[1:] == [["a"], False, []]
    assert made[0] == [1, 2, 2, 3, 3, 4]


async def test_it_tells_what_each_waits_for_and_until_when(module_page):
    made = await play(
        module_page,
        """
        const waits = () => queue.messages.map(({ waits, until }) => [waits, until === null ? null : until - clock.now]);
        queue.open(store, []); say("a"); say("b"); await settled();
        const told = [waits()];
        queue.lineReady(); told.push(waits());
        fail("a", "rate_limited", { retryable: true, retryAfterS: 30 }); told.push(waits());
        pass(30000); told.push(waits());
        fail("a", "llm_failed", { retryable: true }); queue.lineLost(); told.push(waits());
        return told;
        """,
    )
    assert made == [
        [["line", None], ["line", None]],
        [[None, None], ["turn", None]],
        [["rate_limited", 30_000], ["turn", None]],
        [[None, None], ["turn", None]],
        [["line", None], ["line", None]],
    ]


async def test_what_is_refused_frees_the_way_for_the_next(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, []); queue.lineReady(); say("a"); say("b"); await settled();
        fail("a", "too_large"); await settled();
        return [line.sent, outcomes, refused, [...disk.keys()]];
        """,
    )
    assert made == [["a", "b"], {"a": "too_large"}, [["a", "too_large"]], ["b"]]


async def test_what_waited_too_long_is_handed_back(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, []); say("a"); await settled();
        clock.now += MAX_AGE_MS - 1000; say("b"); clock.now += 2000;
        queue.lineReady(); await settled();
        return [line.sent, outcomes, refused, MAX_AGE_MS / 1000, LIMIT];
        """,
    )
    assert made == [["b"], {"a": "too_old"}, [["a", "too_old"]], MAX_AGE_S, LIMIT]


async def test_too_many_too_long_and_the_same_id_are_refused_aloud(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, []);
        for (let n = 0; n < LIMIT - 1; n += 1) say(`n${n}`);
        say("last"); say("last"); say("more");
        queue.forget("n0"); say("long", "好".repeat(8001)); await settled();
        return [outcomes, queue.messages.length];
        """,
    )
    outcomes, waiting = made
    assert outcomes == {"last": "bad_message", "more": "full", "n0": "forgotten", "long": "too_large"}
    assert waiting == LIMIT - 1


async def test_a_disk_that_fails_keeps_nobody_from_talking(module_page):
    made = await play(
        module_page,
        """
        store.put = store.remove = () => Promise.reject(new Error("full"));
        queue.open(store, []); queue.lineReady(); say("a"); await settled(); answer("a"); await settled();
        return [line.sent, outcomes];
        """,
    )
    assert made == [["a"], {"a": "to a"}]


async def test_a_note_waits_like_a_chat_and_its_words_are_shown_once(module_page):
    made = await play(
        module_page,
        """
        queue.open(store, []); queue.lineReady();
        const note = { params: {}, packets: [Uint8Array.of(1, 2)] };
        queue.ask({ id: "n", content: "0:01", speak: false, note }).then((r) => (outcomes.n = r.content));
        await settled();
        const kept = disk.get("n").note === note && queue.messages[0].note;
        const shown = ["n", "n", "spoken", undefined].map((id) => queue.transcribed(id));
        answer("n"); await settled();
        const huge = { params: {}, packets: [new Uint8Array(17 * 2 ** 20)] };
        const refusal = await queue.ask({ id: "h", content: "", speak: false, note: huge }).catch(({ code }) => code);
        return [line.sent, kept, shown, queue.transcribed("n"), outcomes, refusal];
        """,
    )
    assert made == [["n"], True, [True, False, True, True], False, {"n": "to n"}, "full"]
