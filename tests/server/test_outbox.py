from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lumi.audio.pacer import Pacer
from lumi.protocol.messages import AudioFrame, Message, Tts, TtsState
from lumi.server.outbox import Outbox

START = Tts(state=TtsState.START)
STOP = Tts(state=TtsState.STOP)


def sentence(text: str) -> Tts:
    return Tts(state=TtsState.SENTENCE_START, text=text)


class Sent:
    """An outbox and what left it, with times from the first on."""

    def __init__(self, pacer: Pacer) -> None:
        self.items: list[tuple[float, Message | AudioFrame]] = []
        self.outbox = Outbox(self.take, pacer, frame_ms=60, lead_ms=120, gap_ms=60, margin_ms=400)

    def take(self, item: Message | AudioFrame) -> None:
        self.items.append((asyncio.get_running_loop().time(), item))

    @property
    def packets(self) -> list[float]:
        return [at for at, item in self.items if isinstance(item, AudioFrame)]

    async def say(self, text: str, count: int) -> None:
        await self.outbox.sentence(text, sentence(text))
        await self.outbox.packets([b"packet"] * count)


@pytest_asyncio.fixture
async def sent() -> AsyncIterator[Sent]:
    async with Pacer() as pacer:
        yield Sent(pacer)


async def test_messages_of_a_turn_keep_their_place_between_the_packets(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 2)
    await sent.say("two", 2)
    sent.outbox.follow(STOP)
    await sent.outbox.played_out()
    assert [type(item).__name__ for _, item in sent.items] == [
        "Tts", "Tts", "AudioFrame", "AudioFrame", "Tts", "AudioFrame", "AudioFrame", "Tts",
    ]  # fmt: skip


async def test_the_first_packet_leaves_a_gap_after_the_start(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 3)
    await sent.outbox.played_out()
    assert sent.packets[0] - sent.items[0][0] >= 0.06 - 1e-9


async def test_played_out_is_the_end_of_playing_and_the_margin(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 10)
    await sent.outbox.played_out()
    now = asyncio.get_running_loop().time()
    assert now - sent.packets[0] == pytest.approx(0.6 + 0.4, abs=0.021)


async def test_a_turn_without_sound_is_played_out_at_once(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 0)
    before = asyncio.get_running_loop().time()
    await sent.outbox.played_out()
    assert asyncio.get_running_loop().time() == before


async def test_a_new_sentence_waits_while_much_of_the_last_is_unsent(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 100)
    before = asyncio.get_running_loop().time()
    await sent.say("two", 1)
    assert asyncio.get_running_loop().time() - before == pytest.approx(6 - 2, abs=0.2)


async def test_after_a_cut_not_one_more_packet_goes_out(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one two three four", 100)
    await asyncio.sleep(3.06)
    assert sent.outbox.heard_text() == "one two"
    sent.outbox.cut()
    count = len(sent.items)
    await asyncio.sleep(10)
    assert len(sent.items) == count


async def test_who_waits_for_room_says_nothing_after_a_cut(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 100)
    waiting = [asyncio.create_task(sent.outbox.sentence("two", sentence("two")))]
    await asyncio.sleep(1)
    sent.outbox.cut()
    count = len(sent.items)
    await asyncio.wait(waiting)
    assert len(sent.items) == count


async def test_a_cut_wakes_who_waits_for_the_end(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 100)
    waiting = asyncio.create_task(sent.outbox.played_out())
    await asyncio.sleep(1)
    sent.outbox.cut()
    await asyncio.wait_for(waiting, 0.001)


async def test_the_clients_word_on_playing_counts(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one two three four", 20)
    await asyncio.sleep(1.0)
    sent.outbox.played(300, final=False)
    assert sent.outbox.heard_ms == 300
    await asyncio.sleep(0.1)
    assert sent.outbox.heard_ms == pytest.approx(400)
    await asyncio.sleep(10)
    assert sent.outbox.heard_ms == pytest.approx(1200)  # never more than was sent


async def test_the_clients_last_word_ends_the_margin_but_not_what_is_unsent(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 20)
    waiting = asyncio.create_task(sent.outbox.played_out())
    await asyncio.sleep(0.5)
    sent.outbox.played(500, final=True)
    await asyncio.sleep(0)
    assert not waiting.done()
    await asyncio.sleep(0.75)
    sent.outbox.played(1200, final=True)
    await asyncio.wait_for(waiting, 0.001)


async def test_a_pause_holds_packets_back_and_resuming_goes_on(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 20)
    await asyncio.sleep(0.5)
    sent.outbox.pause()
    count = len(sent.packets)
    await asyncio.sleep(1)
    assert len(sent.packets) == count
    sent.outbox.resume()
    await sent.outbox.played_out()
    assert len(sent.packets) == 20


async def test_after_a_pause_and_a_cut_the_next_turn_is_heard(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 20)
    sent.outbox.pause()
    sent.outbox.cut()
    sent.outbox.begin(START)
    await sent.say("two", 2)
    await sent.outbox.played_out()
    assert sent.outbox.heard_text() == "two"


async def test_frames_are_numbered_and_timed(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 3)
    await sent.outbox.played_out()
    frames = [item for _, item in sent.items if isinstance(item, AudioFrame)]
    assert [frame.sequence for frame in frames] == [0, 1, 2]
    assert [frame.timestamp_ms for frame in frames] == sorted({frame.timestamp_ms for frame in frames})


async def test_closed_it_says_nothing_more(sent: Sent) -> None:
    sent.outbox.begin(START)
    sent.outbox.close()
    await sent.say("one", 3)
    await asyncio.sleep(1)
    assert sent.packets == []


async def test_a_sentence_spoken_anew_drops_what_was_not_sent_of_it_and_nothing_else(sent: Sent) -> None:
    sent.outbox.begin(START)
    await sent.say("one", 4)
    await sent.say("two", 10)
    await asyncio.sleep(0.3)  # all of the first is out, and some of the second
    gone = len(sent.packets)
    assert 4 < gone < 14
    sent.outbox.again()
    await sent.outbox.packets([b"anew"] * 5)
    await sent.outbox.played_out()
    assert len(sent.packets) == gone + 5
    assert sent.outbox.heard_text() == "one two"


async def test_spoken_anew_before_anything_was_begun_it_changes_nothing(sent: Sent) -> None:
    sent.outbox.begin(START)
    sent.outbox.again()
    assert sent.outbox.heard_ms == 0
