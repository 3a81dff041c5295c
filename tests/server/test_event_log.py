from __future__ import annotations

import asyncio

import pytest

from lumi.errors import ProtocolError, StoreError
from lumi.protocol.messages import Message, Response, Stt, Tts, TtsState
from lumi.server.event_log import EventLog
from lumi.store.base import SessionRecord, StoredEvent
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock


class Client:
    """A log, and what its client got."""

    def __init__(self, store: MemoryStore | None = None, *, kept: bool = True) -> None:
        self.store = store or MemoryStore()
        self.got: list[Message] = []
        self.log = EventLog("s", "me", self.store, self.got.append, WallClock(), kept=kept)

    @property
    def seqs(self) -> list[object]:
        return [message.seq for message in self.got if isinstance(message, Response | Stt)]


def response(text: str) -> Response:
    return Response(id=text, content=text, session_id="s", timestamp="t")


async def test_an_event_is_stored_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    append = client.store.events.append
    stored: list[int] = []

    async def slowly(event: StoredEvent) -> None:
        await asyncio.sleep(1)
        assert client.got == []
        await append(event)
        stored.append(event.seq)

    monkeypatch.setattr(client.store.events, "append", slowly)
    await client.log.post(response("a"))
    assert (client.seqs, stored) == ([1], [1])


async def test_what_may_be_lost_just_passes() -> None:
    client = Client()
    await client.log.post(Tts(state=TtsState.START))
    await client.log.post(Stt(text="a", is_final=False))
    assert len(client.got) == 2
    assert await client.store.events.count("s") == 0


async def test_who_did_not_ask_gets_no_numbers() -> None:
    client = Client(kept=False)
    await client.log.post(response("a"))
    await client.log.record()
    await client.log.acknowledge(5)
    await client.log.forget()
    assert client.got == [response("a")]
    assert not client.log.can_resume(0)
    assert await client.store.sessions.load("me", "s") is None


async def test_events_leave_in_the_order_of_their_numbers() -> None:
    client = Client()
    await asyncio.gather(*(client.log.post(response(str(number))) for number in range(20)))
    assert client.seqs == list(range(1, 21))


async def test_a_client_that_comes_back_in_mid_storing_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    append = client.store.events.append

    async def slowly(event: StoredEvent) -> None:
        await asyncio.sleep(1)
        await append(event)

    monkeypatch.setattr(client.store.events, "append", slowly)
    posting = asyncio.create_task(client.log.post(response("a")))
    await asyncio.sleep(0.5)
    client.log.replay(0)
    await posting
    assert client.seqs == [1]


async def test_a_turn_that_is_cut_off_in_mid_storing_leaves_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    append = client.store.events.append

    async def slowly(event: StoredEvent) -> None:
        await asyncio.sleep(1)
        await append(event)

    monkeypatch.setattr(client.store.events, "append", slowly)
    posting = asyncio.create_task(client.log.post(response("a")))
    await asyncio.sleep(0.5)
    posting.cancel()
    await asyncio.wait({posting})
    assert posting.cancelled()
    await client.log.post(response("b"))
    assert client.seqs == [1, 2]


async def test_what_is_acknowledged_is_let_go() -> None:
    client = Client()
    for text in "abc":
        await client.log.post(response(text))
    await client.log.acknowledge(2)
    await client.log.acknowledge(1)
    assert await client.store.events.count("s") == 1
    assert client.log.can_resume(2)
    assert not client.log.can_resume(1)
    with pytest.raises(ProtocolError, match=r"ack\.seq is 9"):
        await client.log.acknowledge(9)


async def test_another_log_goes_on_where_this_one_stopped() -> None:
    first = Client()
    for text in "abc":
        await first.log.post(response(text))
    await first.log.acknowledge(1)
    second = Client(first.store)
    record = await first.store.sessions.load("me", "s")
    assert record is not None
    await second.log.restore(record)
    second.log.replay(1)
    await second.log.post(response("d"))
    assert second.seqs == [2, 3, 4]


async def test_a_gap_in_the_store_is_not_glossed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Client()
    for text in "abcd":
        await first.log.post(response(text))
    record = await first.store.sessions.load("me", "s")
    assert isinstance(record, SessionRecord)
    events = [event for event in await first.store.events.after("s", 0) if event.seq != 2]

    async def after(_session_id: str, _seq: int) -> list[StoredEvent]:
        return events

    second = Client(first.store)
    monkeypatch.setattr(second.store.events, "after", after)
    await second.log.restore(record)
    assert not second.log.can_resume(1)
    assert second.log.can_resume(2)


async def test_a_store_that_fails_costs_the_safety_not_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()

    async def full(_event: StoredEvent) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(client.store.events, "append", full)
    await client.log.post(response("a"))
    assert client.seqs == [1]
    assert client.log.can_resume(0)


async def test_a_session_that_is_over_leaves_nothing() -> None:
    client = Client()
    await client.log.post(response("a"))
    await client.log.forget()
    await client.log.forget()
    assert await client.store.sessions.load("me", "s") is None
    assert await client.store.events.count("s") == 0
