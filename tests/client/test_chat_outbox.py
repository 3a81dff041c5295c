from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lumi.audio.format import Codec
from lumi.client.chat_outbox import REMEMBERED, ChatOutbox, check_size
from lumi.client.offline_queue import OfflineQueue
from lumi.client.voice_notes import VoiceNote
from lumi.errors import (
    ConnectionLost,
    LocalProtocolError,
    NotConnected,
    Overloaded,
    ReplyTimeout,
    ServerError,
)
from lumi.protocol.messages import Chat, Error, Listen, Response
from lumi.testing import WallClock


class Line:
    """Keeps what was sent, and when; broken on demand."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, Any]] = []
        self.broken = False
        self._began_s = asyncio.get_running_loop().time()

    async def send(self, message: Any) -> None:
        if self.broken:
            raise ConnectionLost(1006)
        self.sent.append((round(asyncio.get_running_loop().time() - self._began_s, 3), message))

    @property
    def chats(self) -> list[str]:
        return [message.id for _, message in self.sent if isinstance(message, Chat)]

    @property
    def at_s(self) -> list[float]:
        return [at for at, _ in self.sent]


@asynccontextmanager
async def an_outbox(
    patience_s: float | None = None, kept: OfflineQueue | None = None
) -> AsyncIterator[tuple[ChatOutbox, Line, OfflineQueue]]:
    line = Line()
    kept = OfflineQueue() if kept is None else kept
    outbox = ChatOutbox(line.send, kept, patience_s=patience_s)
    running = asyncio.create_task(outbox.run())
    try:
        yield outbox, line, kept
    finally:
        running.cancel()


def chat(name: str, content: str = "x") -> Chat:
    return Chat(id=name, content=content)


def answer(name: str) -> Response:
    return Response(id=name, content=name.upper())


def trouble(name: str | None, code: str = "llm_failed", **fields: Any) -> Error:
    return Error(error_code=code, error_message="trouble", id=name, **fields)


async def asking(outbox: ChatOutbox, *names: str) -> list[asyncio.Task[Response]]:
    """Ask all of them, one after the other."""
    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(outbox.ask(chat(name))))
        await asyncio.sleep(0.001)
    return tasks


async def test_an_answer_settles_its_chat():
    async with an_outbox() as (outbox, line, kept):
        (task,) = await asking(outbox, "a")
        assert (line.chats, len(outbox)) == (["a"], 1)
        assert await outbox.answered(answer("a")) == answer("a")
        assert await task == answer("a")
        assert (len(outbox), len(kept)) == (0, 0)


async def test_the_next_goes_out_when_the_one_before_is_answered():
    async with an_outbox() as (outbox, line, _):
        tasks = await asking(outbox, "a", "b")
        assert line.chats == ["a"]
        await outbox.answered(answer("a"))
        await asyncio.sleep(0.001)
        assert line.chats == ["a", "b"]
        await outbox.answered(answer("b"))
        assert [(await task).content for task in tasks] == ["A", "B"]


async def test_without_a_queue_on_disk_many_may_be_on_the_line():
    async with an_outbox(60) as (outbox, line, _):
        tasks = await asking(outbox, *"abcdefghijklmnopqrst")
        assert "".join(line.chats) == "abcdefghijklmnop"
        for name in "abcdefghijklmnopqrst":
            await outbox.answered(answer(name))
        assert [(await task).id for task in tasks] == list("abcdefghijklmnopqrst")


async def test_an_error_that_passes_is_waited_out_and_nothing_overtakes():
    async with an_outbox() as (outbox, line, _):
        tasks = await asking(outbox, "a", "b")
        for error in (trouble("a"), trouble("a"), trouble("a", retryable=True, retry_after=30)):
            assert await outbox.failed(error) is None
            await asyncio.sleep(40)
        assert line.chats == ["a"] * 4
        assert line.at_s == [
            0,
            pytest.approx(2, abs=0.01),
            pytest.approx(44, abs=0.01),
            pytest.approx(110, abs=0.01),
        ]
        await outbox.answered(answer("a"))
        await asyncio.sleep(0.001)
        assert line.chats[-1] == "b"
        await outbox.answered(answer("b"))
        await asyncio.gather(*tasks)


async def test_a_final_error_is_raised_and_settles():
    async with an_outbox() as (outbox, _, kept):
        (task,) = await asking(outbox, "a")
        assert await outbox.failed(trouble("a", "bad_message")) is None
        with pytest.raises(ServerError, match="trouble"):
            await task
        assert len(kept) == 0


async def test_without_a_queue_on_disk_every_error_is_raised():
    async with an_outbox(60) as (outbox, _, kept):
        (task,) = await asking(outbox, "a")
        await outbox.failed(trouble("a", retryable=True))
        with pytest.raises(ServerError):
            await task
        assert len(kept) == 0


async def test_an_error_about_something_else_is_an_event():
    async with an_outbox() as (outbox, _, _):
        assert await outbox.failed(trouble("other")) == trouble("other")
        assert await outbox.failed(trouble(None)) == trouble(None)


async def test_a_server_that_is_not_ready_gets_it_on_the_next_line():
    async with an_outbox() as (outbox, line, _):
        (task,) = await asking(outbox, "a")
        assert await outbox.failed(trouble("a", "not_ready")) is None
        await asyncio.sleep(60)
        assert line.chats == ["a"]
        again = asyncio.create_task(outbox.run())
        await asyncio.sleep(0.001)
        assert line.chats == ["a", "a"]
        await outbox.answered(answer("a"))
        await task
        again.cancel()


async def test_after_a_lost_line_all_go_out_again_in_their_order():
    """Also where a younger one was waiting for its turn when the line broke."""
    async with an_outbox() as (outbox, line, _):
        tasks = await asking(outbox, "a", "b", "c")
        line.broken = True
        outbox.line_lost()
        await asyncio.sleep(1)
        line.broken = False
        again = asyncio.create_task(outbox.run())
        for name in "abc":
            await asyncio.sleep(3)
            await outbox.answered(answer(name))
        assert line.chats == ["a", "a", "b", "c"]
        assert [(await task).id for task in tasks] == ["a", "b", "c"]
        again.cancel()


async def test_what_was_answered_is_not_shown_again():
    async with an_outbox() as (outbox, _, _):
        (task,) = await asking(outbox, "a")
        assert await outbox.answered(answer("a")) is not None
        assert await outbox.answered(answer("a")) is None  # before the one who waits has woken
        await task
        assert await outbox.answered(answer("a")) is None
        assert await outbox.answered(answer("nobody's")) is not None
        assert await outbox.answered(answer("nobody's")) is not None


async def test_asked_again_on_purpose_it_is_answered_again():
    async with an_outbox() as (outbox, line, _):
        for _ in range(2):
            (task,) = await asking(outbox, "a")
            assert await outbox.answered(answer("a")) is not None
            await task
        assert line.chats == ["a", "a"]


async def test_only_so_many_answered_ids_are_remembered():
    async with an_outbox() as (outbox, _, _):
        for number in range(REMEMBERED + 1):
            (task,) = await asking(outbox, f"n{number}")
            await outbox.answered(answer(f"n{number}"))
            await task
        assert await outbox.answered(answer("n0")) is not None
        assert await outbox.answered(answer("n1")) is None


async def test_pieces_go_to_whoever_wants_them():
    async with an_outbox() as (outbox, _, _):
        heard: list[str] = []
        task = asyncio.create_task(outbox.ask(chat("a"), heard.append))
        await asyncio.sleep(0.001)
        piece = Response(id="a", is_final=False, delta="He")
        assert await outbox.answered(piece) is piece
        await outbox.answered(answer("a"))
        await task
        assert heard == ["He"]


async def test_who_stops_waiting_takes_it_back_unless_it_is_on_disk():
    for patience_s, left in ((60, 0), (None, 1)):
        async with an_outbox(patience_s) as (outbox, _, kept):
            (task,) = await asking(outbox, "a")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(kept) == left
            assert await outbox.answered(answer("a")) is not None  # then it is an event
            assert len(kept) == 0


async def test_what_waited_too_long_is_given_up_aloud():
    clock = WallClock()
    kept = OfflineQueue(max_age_s=100, wall_clock=clock)
    line = Line()
    outbox = ChatOutbox(line.send, kept)
    (task,) = await asking(outbox, "a")
    await asyncio.sleep(101)
    running = asyncio.create_task(outbox.run())
    with pytest.raises(ReplyTimeout, match="no connection came in time"):
        await task
    running.cancel()
    assert line.sent == []


async def test_a_clock_that_jumps_ages_nothing_that_was_said_here():
    clock = WallClock()
    kept = OfflineQueue(wall_clock=clock)
    async with an_outbox(kept=kept) as (outbox, line, _):
        tasks = await asking(outbox, "a", "b")
        clock.shift(10 * 86_400)
        await outbox.answered(answer("a"))
        await asyncio.sleep(1)
        clock.shift(-20 * 86_400)
        await outbox.answered(answer("b"))
        await asyncio.gather(*tasks)
        assert line.chats == ["a", "b"]


async def test_a_full_queue_says_so():
    async with an_outbox(kept=OfflineQueue(limit=1)) as (outbox, _, _):
        (task,) = await asking(outbox, "a")
        with pytest.raises(Overloaded, match="this one was not kept"):
            await outbox.ask(chat("b"))
        await outbox.answered(answer("a"))
        await task


async def test_the_end():
    async with an_outbox() as (outbox, _, kept):
        (task,) = await asking(outbox, "a")
        outbox.finish(ConnectionLost(1006, "gone"))
        with pytest.raises(ConnectionLost):
            await task
        with pytest.raises(NotConnected, match=r"the conversation is over: .*gone"):
            await outbox.ask(chat("b"))
        assert "b" not in kept


async def test_a_note_is_settled_by_its_answer():
    note = VoiceNote("n", Codec.PCM, 16_000, 60, (b"\0\0",))
    async with an_outbox() as (outbox, line, kept):
        await outbox.keep(note)
        await asyncio.sleep(0.001)
        assert [message.id for _, message in line.sent if isinstance(message, Listen)] == ["n", "n"]
        assert len(kept) == 1
        assert await outbox.answered(answer("n")) is not None
        assert len(kept) == 0


def test_what_no_server_would_take_is_refused_here():
    check_size(chat("a", "语" * 20_000))
    with pytest.raises(LocalProtocolError, match="accepted: 8000 characters"):
        check_size(chat("a", "语" * 30_000))
