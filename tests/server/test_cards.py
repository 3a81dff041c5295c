from __future__ import annotations

import asyncio

from lumi.protocol.messages import Cards, ListCard, Message, TimerCard
from lumi.server.cards import CardBoard, CardTable
from lumi.store.base import Timer
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock

START = 1_767_605_400.0
"""2026-01-05 09:30 UTC, where the clock begins."""


def timer(name: str, after_s: float) -> Timer:
    return Timer(name, "kitchen", START + after_s, "timer", name, "en", START, after_s)


def table(
    store: MemoryStore, board: CardBoard | None = None, session_id: str = "s-1", owner: str = "kitchen"
) -> tuple[CardTable, list[Message]]:
    sent: list[Message] = []
    return CardTable(session_id, owner, store, sent.append, WallClock(), board or CardBoard()), sent


async def test_all_is_shown_soonest_first_with_the_clock_it_counts_by() -> None:
    store = MemoryStore()
    await store.timers.add(timer("pasta", 600))
    await store.timers.add(timer("tea", 300))
    await store.lists.add("kitchen", "shopping", "milk")
    await store.lists.add("kitchen", "礼物", "书")
    cards, sent = table(store)
    await cards.show()
    (shown,) = sent
    assert isinstance(shown, Cards)
    assert shown.timers[0] == TimerCard(
        id="tea", kind="timer", label="tea", due_at="2026-01-05T09:35:00.000Z", duration_s=300.0
    )
    assert [one.id for one in shown.timers] == ["tea", "pasta"]
    assert shown.lists == (ListCard(name="shopping", items=("milk",)), ListCard(name="礼物", items=("书",)))
    assert (shown.sent_at, shown.session_id) == ("2026-01-05T09:30:00.000Z", "s-1")


async def test_the_same_is_shown_once_and_again_to_who_comes_anew() -> None:
    cards, sent = table(MemoryStore())
    await cards.show()
    await cards.show()
    assert len(sent) == 1
    cards.forget()
    await cards.show()
    assert len(sent) == 2


async def test_a_timer_that_is_due_is_no_card_any_more() -> None:
    store = MemoryStore()
    await store.timers.add(timer("tea", 60))
    cards, sent = table(store)
    await asyncio.sleep(60)
    await cards.show()
    assert [one for one in sent if isinstance(one, Cards) and one.timers] == []


async def test_news_go_to_the_devices_other_sessions_until_they_are_over() -> None:
    store, board = MemoryStore(), CardBoard()
    (one, _), (other, there) = table(store, board), table(store, board, "s-2")
    stranger, elsewhere = table(store, board, "s-3", "bath")
    for cards in (one, other, stranger, one):
        await cards.show()
    assert (len(there), len(elsewhere)) == (1, 1), "who comes in has no news for the others"
    await store.lists.add("kitchen", "shopping", "milk")
    await asyncio.gather(one.show(), other.show())
    news = there[-1]
    assert isinstance(news, Cards)
    assert (news.lists, news.session_id) == ((ListCard(name="shopping", items=("milk",)),), "s-2")
    assert (len(there), len(elsewhere)) == (2, 1)
    other.close()
    await store.lists.add("kitchen", "shopping", "eggs")
    await one.show()
    assert len(there) == 2
    one.close()
    one.close()
    assert board.beside("kitchen", other) == []


async def test_a_store_that_fails_costs_the_cards_and_nothing_else() -> None:
    store = MemoryStore()
    cards, sent = table(store)
    await store.aclose()
    await cards.show()
    assert sent == []
