"""Three tries two seconds apart, then the next ready; in order, once, and never more at a time than a server takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lumi.audio.format import Codec
from lumi.client.message_queue import MessageQueue
from lumi.client.offline_queue import MAX_AGE_S, OfflineQueue, QueuedMessage
from lumi.client.voice_notes import VoiceNote
from lumi.errors import LocalProtocolError, LumiError, NotConnected, Overloaded, ReplyTimeout
from lumi.protocol.messages import AudioFrame, Chat, Listen
from lumi.testing import WallClock


def chat(number: int) -> Chat:
    return Chat(id=f"c{number}", content="hello")


def note(name: str) -> VoiceNote:
    return VoiceNote(name, Codec.PCM, 16_000, 60, (b"12",))


class Line:
    """A line that is up or down; keeps what was sent on it and when, and when sending was tried in vain."""

    def __init__(self) -> None:
        self.up = True
        self.sent: list[str] = []
        self.tried: list[tuple[str, float]] = []
        self.error: LumiError = NotConnected("no line")
        self.on_sent: Callable[[str], Awaitable[object]] | None = None
        self._began_s = asyncio.get_running_loop().time()

    def now_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began_s

    async def send(self, message: Any) -> bool:
        if isinstance(message, AudioFrame):
            return True
        name = f"{message.id} {message.state}" if isinstance(message, Listen) else message.id
        self.tried.append((name, self.now_s()))
        if not self.up:
            raise self.error
        self.sent.append(name)
        if self.on_sent is not None:
            await self.on_sent(name)
        return True


class Desk:
    """A message queue over a line, with an offline queue in memory."""

    def __init__(self, offline: OfflineQueue | None = None, **options: Any) -> None:
        self.line = Line()
        self.offline = OfflineQueue() if offline is None else offline
        self.given_up: list[tuple[str, LumiError]] = []
        self.queue = MessageQueue(self.line.send, self.offline, on_given_up=self._give_up, **options)

    def _give_up(self, queued: QueuedMessage, error: LumiError) -> None:
        self.given_up.append((queued.id, error))


async def test_what_is_sent_is_kept_until_it_is_answered():
    desk = Desk()
    assert await desk.queue.send(chat(1))
    assert (desk.line.sent, desk.queue.pending, desk.queue.waiting) == (["c1"], frozenset({"c1"}), 0)
    assert "c1" in desk.offline
    assert await desk.queue.settle("c1")
    assert not await desk.queue.settle("c1")
    assert (desk.queue.pending, len(desk.offline)) == (frozenset(), 0)


@pytest.mark.parametrize("error", [NotConnected("no line"), LocalProtocolError("a chat before the hello")])
async def test_three_tries_two_seconds_apart_then_the_offline_queue(error: LumiError):
    desk = Desk()
    desk.line.up, desk.line.error = False, error
    assert not await desk.queue.send(chat(1))
    assert desk.line.tried == [("c1", 0), ("c1", 2), ("c1", 4)]
    assert desk.line.now_s() == 4
    assert (desk.queue.pending, desk.queue.waiting) == (frozenset(), 1)
    assert desk.offline.messages()[0].retry_count == 3


async def test_a_later_try_may_succeed():
    desk = Desk()
    desk.line.up = False
    sending = asyncio.create_task(desk.queue.send(chat(1)))
    await asyncio.sleep(3)
    desk.line.up = True
    assert await sending
    assert desk.line.tried == [("c1", 0), ("c1", 2), ("c1", 4)]


async def test_once_offline_nobody_waits_for_tries_and_all_goes_out_in_order_at_the_next_ready():
    desk = Desk()
    desk.line.up = False
    await asyncio.gather(*(desk.queue.send(chat(number)) for number in range(3)))
    assert desk.line.now_s() == 4, "the later ones wait for the first, not each for its own tries"
    assert not await desk.queue.send(chat(3))
    assert desk.line.now_s() == 4
    await asyncio.sleep(600)
    desk.line.up = True
    assert await desk.queue.process_offline_messages() == 4
    assert desk.line.sent == ["c0", "c1", "c2", "c3"]
    assert desk.queue.waiting == 0


async def test_processing_starts_every_count_anew():
    desk = Desk()
    desk.line.up = False
    await desk.queue.send(chat(1))
    await asyncio.sleep(100)
    assert await desk.queue.process_offline_messages() == 0
    assert [at for _, at in desk.line.tried] == [0, 2, 4, 104, 106, 108]
    assert desk.offline.messages()[0].retry_count == 3
    assert not await desk.queue.send(chat(2))
    assert len(desk.line.tried) == 6


async def test_a_line_that_is_ready_between_two_tries_is_used_at_once():
    desk = Desk()
    desk.line.up = False
    sending = asyncio.create_task(desk.queue.send(chat(1)))
    await asyncio.sleep(2.5)
    desk.line.up = True
    await desk.queue.process_offline_messages()
    assert await sending
    assert desk.line.tried == [("c1", 0), ("c1", 2), ("c1", 2.5)]
    assert desk.line.sent == ["c1"]


async def test_a_ready_line_that_dies_again_gives_all_three_tries():
    desk = Desk()
    desk.line.up = False
    sending = asyncio.create_task(desk.queue.send(chat(1)))
    await asyncio.sleep(3)
    assert await desk.queue.process_offline_messages() == 0
    assert not await sending
    assert [at for _, at in desk.line.tried][:5] == [0, 2, 3, 5, 7]


async def test_after_a_lost_line_everything_unanswered_goes_out_again():
    desk = Desk()
    for number in range(3):
        await desk.queue.send(chat(number))
    await desk.queue.settle("c1")
    desk.queue.line_lost()
    assert (desk.queue.pending, desk.queue.waiting) == (frozenset(), 2)
    assert await desk.queue.process_offline_messages() == 2
    assert desk.line.sent == ["c0", "c1", "c2", "c0", "c2"]


async def test_what_is_new_goes_after_what_is_old():
    desk = Desk()
    await desk.queue.send(chat(1))
    desk.queue.line_lost()
    await desk.queue.send(chat(2))
    assert desk.line.sent == ["c1", "c1", "c2"]
    assert await desk.queue.process_offline_messages() == 0


async def test_a_window_is_kept():
    desk = Desk(window=2)
    sending = [asyncio.create_task(desk.queue.send(chat(number))) for number in range(4)]
    await asyncio.sleep(10)
    assert desk.line.sent == ["c0", "c1"]
    await desk.queue.settle("c1")
    await asyncio.sleep(10)
    assert desk.line.sent == ["c0", "c1", "c2"]
    await desk.queue.settle("c0")
    await asyncio.gather(*sending)
    assert desk.line.sent == ["c0", "c1", "c2", "c3"]


async def test_an_answer_that_comes_before_the_sending_is_over():
    desk = Desk()
    desk.line.on_sent = desk.queue.settle
    assert await desk.queue.send(chat(1))
    assert (len(desk.offline), desk.queue.pending) == (0, frozenset())


async def test_a_line_lost_in_the_middle_of_sending():
    desk = Desk()

    async def lose(_: str) -> None:
        desk.line.on_sent = None
        desk.queue.line_lost()

    desk.line.on_sent = lose
    await desk.queue.send(chat(1))
    await desk.queue.process_offline_messages()
    assert desk.line.sent == ["c1", "c1"]


async def test_what_the_server_could_not_take_goes_out_again():
    desk = Desk()
    await desk.queue.send(chat(1))
    desk.queue.put_back("c1")
    assert desk.queue.waiting == 1
    await desk.queue.process_offline_messages()
    assert desk.line.sent == ["c1", "c1"]


async def test_nobody_wants_it_any_longer():
    desk = Desk()
    desk.line.up = False
    sending = asyncio.create_task(desk.queue.send(chat(1)))
    await asyncio.sleep(1)
    await desk.queue.settle("c1")
    desk.line.up = True
    assert await sending
    assert desk.line.sent == []


async def test_who_goes_away_in_the_middle_leaves_the_message_kept():
    desk = Desk()
    desk.line.on_sent = lambda _: asyncio.sleep(100)
    sending = asyncio.create_task(desk.queue.send(chat(1)))
    await asyncio.sleep(1)
    assert desk.queue.pending == {"c1"}
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert (desk.queue.pending, desk.queue.waiting) == (frozenset(), 1)


async def test_a_full_queue_refuses_aloud():
    desk = Desk(OfflineQueue(limit=1))
    desk.line.up = False
    await desk.queue.send(chat(1))
    with pytest.raises(Overloaded):
        await desk.queue.send(chat(2))
    assert desk.queue.waiting == 1


async def test_what_waited_too_long_is_handed_back(wall_clock: WallClock):
    desk = Desk(OfflineQueue(wall_clock=wall_clock))
    desk.line.up = False
    await desk.queue.send(chat(1))
    await asyncio.sleep(MAX_AGE_S)
    await desk.queue.send(chat(2))
    desk.line.up = True
    assert await desk.queue.process_offline_messages() == 1
    assert desk.line.sent == ["c2"]
    ((name, error),) = desk.given_up
    assert name == "c1"
    assert isinstance(error, ReplyTimeout)


async def test_notes_keep_their_place_among_the_chats():
    desk = Desk()
    await asyncio.gather(*(desk.queue.send(one) for one in (chat(1), note("n1"), note("n2"), chat(2))))
    assert desk.line.sent == ["c1", "n1 start", "n1 stop", "n2 start", "n2 stop", "c2"]
    assert desk.queue.pending == {"c1", "n1", "n2", "c2"}


async def test_a_note_that_broke_off_goes_out_again_whole():
    desk = Desk()

    async def lose(_: str) -> None:
        desk.line.up = False
        desk.line.on_sent = None

    desk.line.on_sent = lose
    sending = asyncio.create_task(desk.queue.send(note("n1")))
    await asyncio.sleep(1)
    desk.line.up = True
    assert await sending
    assert desk.line.sent == ["n1 start", "n1 start", "n1 stop"]


async def test_what_is_given_up_is_at_least_in_the_log(
    caplog: pytest.LogCaptureFixture, wall_clock: WallClock
):
    line = Line()
    line.up = False
    queue = MessageQueue(line.send, OfflineQueue(wall_clock=wall_clock, max_age_s=10))
    await queue.send(chat(1))
    await asyncio.sleep(20)
    with caplog.at_level(logging.WARNING):
        await queue.process_offline_messages()
    assert "message c1 was given up: no connection came in time" in caplog.text


async def test_an_error_of_another_kind_is_not_swallowed():
    class Bug(Exception):
        pass

    async def broken(_: Any) -> bool:
        raise Bug

    queue = MessageQueue(broken, OfflineQueue())
    with pytest.raises(Bug):
        await queue.send(chat(1))
    assert (queue.pending, queue.waiting) == (frozenset(), 1)
