from __future__ import annotations

import asyncio

import pytest

from lumi.errors import EngineError, ProtocolError
from lumi.server.answers import AnswerDesk
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock


class Maker:
    """Makes a numbered answer after a while; fails as often as it is told to."""

    def __init__(self, wait_s: float = 1.0, failures: int = 0) -> None:
        self.made = 0
        self._wait_s = wait_s
        self._failures = failures

    async def __call__(self) -> str:
        self.made += 1
        number = self.made
        await asyncio.sleep(self._wait_s)
        if number <= self._failures:
            raise EngineError("scripted", "it broke")
        return f"answer {number}"


def desk(store: MemoryStore | None = None) -> AnswerDesk:
    return AnswerDesk((store or MemoryStore()).answers, WallClock())


async def test_a_known_chat_is_answered_from_the_store_also_by_another_desk() -> None:
    store, make = MemoryStore(), Maker()
    assert await desk(store).answer("me", "c1", "hello", make) == "answer 1"
    assert await desk(store).answer("me", "c1", "hello", make) == "answer 1"
    assert make.made == 1


async def test_who_asks_while_it_is_made_gets_the_same() -> None:
    answers, make = desk(), Maker()
    asked = (answers.answer("me", "c1", "hello", make) for _ in range(5))
    assert set(await asyncio.gather(*asked)) == {"answer 1"}
    assert make.made == 1


async def test_when_the_making_fails_the_next_one_tries() -> None:
    answers, make = desk(), Maker(failures=1)
    first = asyncio.create_task(answers.answer("me", "c1", "hello", make))
    second = asyncio.create_task(answers.answer("me", "c1", "hello", make))
    with pytest.raises(EngineError):
        await first
    assert await second == "answer 2"


async def test_when_the_maker_is_cancelled_the_next_one_makes_it() -> None:
    answers, make = desk(), Maker()
    first = asyncio.create_task(answers.answer("me", "c1", "hello", make))
    await asyncio.sleep(0.5)
    second = asyncio.create_task(answers.answer("me", "c1", "hello", make))
    await asyncio.sleep(0.1)
    first.cancel()
    assert await second == "answer 2"
    assert first.cancelled()


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_same_id_with_other_words_is_refused(at_once: bool) -> None:
    answers, make = desk(), Maker()
    first = asyncio.create_task(answers.answer("me", "c1", "hello", make))
    await asyncio.sleep(0.5 if at_once else 2)
    with pytest.raises(ProtocolError, match="'c1' was used before") as refused:
        await answers.answer("me", "c1", "goodbye", make)
    assert (refused.value.code, refused.value.message_id) == ("bad_message", "c1")
    assert await first == "answer 1"


async def test_everyone_has_ids_of_their_own() -> None:
    answers, make = desk(), Maker()
    assert await answers.answer("me", "c1", "hello", make) == "answer 1"
    assert await answers.answer("you", "c1", "goodbye", make) == "answer 2"
