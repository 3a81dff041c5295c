"""In virtual time, with a card that plays at its own pace: what is heard, when, and how late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from tests.client.card import FRAME_MS, Card, frame

from lumi.client.events import Audio
from lumi.client.player import SINK_MS, TICK_S, Player, Recording, is_silent
from lumi.errors import NotConnected
from lumi.protocol.messages import Stt, Tts, TtsState
from lumi.testing import silence, tone

LEAD_MS = 120
"""A server sends so far ahead."""


def start(turn_id: str | None) -> Tts:
    return Tts(state=TtsState.START) if turn_id is None else Tts(state=TtsState.START, turn_id=turn_id)


STOP = Tts(state=TtsState.STOP)


def sound(turn_id: str | None, pcm: bytes | None = None, rate_hz: int = 16_000) -> Audio:
    return Audio(b"p", frame() if pcm is None else pcm, rate_hz, turn_id)


class Stage:
    def __init__(self) -> None:
        self.card = Card()
        self.reports: list[tuple[str, float, bool]] = []
        self.player = Player(self.card, report=self.told)

    async def told(self, turn_id: str, ms: float, *, final: bool = False) -> bool:
        self.reports.append((turn_id, round(ms, 3), final))
        return True

    async def send(
        self, turn_id: str, frames: Iterable[bytes], *, stalls: dict[int, float] | None = None
    ) -> None:
        """What comes from a server that paces in real time, `LEAD_MS` ahead, over a line that stands still for so
        many seconds from the frame that a key names on. `tts stop` comes 400 ms after the end.
        """
        loop = asyncio.get_running_loop()
        began_s, blocked_until_s, due_s = loop.time(), 0.0, 0.0
        self.player.feed(start(turn_id))
        for number, pcm in enumerate(frames):
            due_s = began_s + max(0, number * FRAME_MS - LEAD_MS) / 1000
            if stalls and number in stalls:
                blocked_until_s = due_s + stalls[number]
            await asyncio.sleep(max(0.0, max(due_s, blocked_until_s) - loop.time()))
            self.player.feed(sound(turn_id, pcm))
        await asyncio.sleep(max(0.0, due_s + (LEAD_MS + FRAME_MS + 400) / 1000 - loop.time()))
        self.player.feed(Tts(state=TtsState.STOP, turn_id=turn_id))


@asynccontextmanager
async def playing() -> AsyncIterator[Stage]:
    stage = Stage()
    running = asyncio.create_task(stage.player.run())
    yield stage
    await asyncio.wait_for(stage.player.played_out(), 60)
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait({running})


# ── a good line ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_turn_is_heard_without_a_break_in_order_and_soon():
    async with playing() as stage:
        await stage.send("t1", map(frame, range(50)))
        assert not stage.player.speaking
    assert stage.card.numbers == list(range(50))
    assert stage.card.heard[0][0] == 0, "as soon as 120 ms are there, which come at once"
    assert stage.card.gaps_ms() == []
    assert stage.player.stats.underruns == stage.player.stats.skipped == 0
    assert stage.player.heard_ms == 3_000


async def test_small_unevenness_is_not_heard():
    async with playing() as stage:
        await stage.send("t1", map(frame, range(50)), stalls={10: 0.1, 20: 0.08, 30: 0.1})
    assert stage.card.gaps_ms() == []
    assert stage.card.numbers == list(range(50))


async def test_the_sink_is_given_no_more_than_it_needs():
    async with playing() as stage:
        stage.player.feed(start("t1"))
        for number in range(20):
            stage.player.feed(sound("t1", frame(number)))
        assert SINK_MS <= stage.card.waiting_ms < SINK_MS + FRAME_MS
        assert stage.player.waiting_ms == 20 * FRAME_MS
        stage.player.feed(STOP)


async def test_a_short_turn_is_heard_once_it_is_complete():
    async with playing() as stage:
        stage.player.feed(start("t1"))
        stage.player.feed(sound("t1"))
        await asyncio.sleep(1)
        assert stage.card.heard == []
        stage.player.feed(STOP)
    assert stage.card.heard == [(1_000, 1)]


# ── a bad line ───────────────────────────────────────────────────────────────────────────────────────────────────────


def talk(sentences: int) -> list[bytes]:
    """Sentences of 1.2 s with pauses of 480 ms; a pause has no number."""
    frames: list[bytes] = []
    for _ in range(sentences):
        frames += [frame(len(frames) + number) for number in range(20)]
        frames += [silence(FRAME_MS)] * 8
    return frames


async def test_a_stall_of_two_seconds_costs_one_gap_and_the_delay_shrinks_until_it_is_gone():
    async with playing() as stage:
        frames = talk(10)
        await stage.send("t1", frames, stalls={35: 2.0})
    stats = stage.player.stats
    (gap_ms,) = stage.card.gaps_ms()
    assert 1_800 <= gap_ms <= 2_000, "what was in hand is heard first"
    assert stats.underruns == 1
    assert stats.dropped == 0, "no word is lost"
    spoken = [number for number in range(len(frames)) if frames[number] != silence(FRAME_MS)]
    assert [number for number in stage.card.numbers if number >= 0] == spoken
    delays = stage.card.delays_ms()
    after = [delays[number] for number in spoken if number > 40]
    assert max(after) <= 2_000 - LEAD_MS + 2 * FRAME_MS
    assert after == sorted(after, reverse=True), "never growing"
    assert after[-1] <= 2 * TICK_S * 1000, "and gone at the end"
    assert stats.skipped * FRAME_MS == pytest.approx(gap_ms, abs=2 * FRAME_MS)


async def test_without_pauses_the_delay_stays_but_never_grows():
    async with playing() as stage:
        await stage.send("t1", map(frame, range(200)), stalls={50: 2.0})
    delays = [stage.card.delays_ms()[number] for number in range(60, 200)]
    assert len(stage.card.gaps_ms()) == 1
    assert max(delays) == min(delays) <= 2_000
    assert stage.card.numbers == list(range(200))


async def test_a_delay_covers_the_stalls_that_follow():
    async with playing() as stage:
        stalls = dict.fromkeys(range(50, 400, 50), 1.9)
        await stage.send("t1", map(frame, range(450)), stalls=stalls)
    assert len(stage.card.gaps_ms()) == 1
    assert stage.card.numbers == list(range(450))


async def test_growing_stalls_never_add_up_beyond_the_bound():
    async with playing() as stage:
        stalls = {50: 1.0, 100: 2.0, 150: 3.0, 250: 4.0, 350: 4.0}
        await stage.send("t1", map(frame, range(450)), stalls=stalls)
    stats = stage.player.stats
    assert max(stage.card.delays_ms().values()) <= 2_500 + SINK_MS + FRAME_MS
    assert stats.dropped > 0
    assert stats.underruns == len(stage.card.gaps_ms()) == 5
    assert stage.card.numbers == sorted(stage.card.numbers)
    assert stage.card.numbers[-50:] == list(range(400, 450))


async def test_a_long_stall_drops_the_oldest_beyond_the_bound():
    async with playing() as stage:
        await stage.send("t1", map(frame, range(300)), stalls={50: 10.0})
    assert len(stage.card.gaps_ms()) == 1
    assert stage.player.stats.underruns == 1
    assert stage.player.stats.dropped == pytest.approx(7_500 / FRAME_MS, abs=4)
    assert max(stage.card.delays_ms().values()) <= 2_500 + SINK_MS
    assert stage.player.heard_ms == 300 * FRAME_MS, "what was dropped has passed"


# ── generations ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_interruption_is_silent_at_once_and_what_follows_of_the_turn_is_dropped():
    async with playing() as stage:
        sending = asyncio.create_task(stage.send("t1", map(frame, range(50))))
        await asyncio.sleep(1.01)
        assert stage.player.cut() == pytest.approx(1_010)
        assert stage.card.waiting_ms == 0
        await sending
    assert stage.card.numbers == list(range(17))
    assert stage.player.heard_ms == pytest.approx(1_010)
    assert stage.player.stale == 50 - 17 - 2, "two lay in the card"
    assert stage.reports[-1] == ("t1", 1_010, True)
    assert [report for report in stage.reports if report[2]] == stage.reports[-1:]


async def test_a_dead_turn_is_never_heard():
    async with playing() as stage:
        stage.player.feed(sound(None))  # before any turn
        stage.player.feed(start("t1"))
        for number in range(20):
            stage.player.feed(sound("t1", frame(number)))
        await asyncio.sleep(0.1)
        stage.player.feed(start("t2"))
        for number in range(20, 25):
            stage.player.feed(sound("t1", frame(number)))
            stage.player.feed(sound("t2", frame(100 + number)))
        stage.player.feed(STOP)
        stage.player.feed(sound("t2", frame(99)))
        stage.player.feed(STOP)
    assert stage.card.numbers == [0, 1, 120, 121, 122, 123, 124]
    assert stage.card.heard[2][0] <= 100 + TICK_S * 1000, "the new turn does not wait for the old one"
    assert stage.player.stale == 1 + (20 - 4) + 5 + 1
    assert stage.player.turn_id == "t2"
    assert [(turn, final) for turn, _, final in stage.reports if final] == [("t1", True), ("t2", True)]


async def test_a_server_that_names_no_turns_is_heard_and_not_told():
    async with playing() as stage:
        stage.player.feed(start(None))
        stage.player.feed(sound(None))
        stage.player.feed(STOP)
    assert stage.card.numbers == [1]
    assert stage.reports == []


# ── what was really heard ────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_heard_is_told_while_it_is_heard_and_at_the_end():
    async with playing() as stage:
        told_at: list[tuple[float, float]] = []
        tell = stage.told

        async def told(turn_id: str, ms: float, *, final: bool = False) -> bool:
            told_at.append((stage.card.now_s(), ms))
            return await tell(turn_id, ms, final=final)

        stage.player._report = told
        await stage.send("t1", map(frame, range(50)))
    assert [final for _, _, final in stage.reports] == [False] * (len(stage.reports) - 1) + [True]
    assert stage.reports[-2:] == [("t1", 3_000, False), ("t1", 3_000, True)]
    waits = [later - earlier for (earlier, _), (later, _) in pairwise(told_at)]
    assert all(0.2 <= wait <= 0.5 for wait in waits[:-2])
    assert all(ms == pytest.approx(at * 1000, abs=21) for at, ms in told_at[:-1]), "what the card has played"


async def test_during_a_stall_nothing_is_told_but_that_all_was_heard():
    async with playing() as stage:
        await stage.send("t1", map(frame, range(60)), stalls={20: 2.0})
    positions = [ms for _, ms, _ in stage.reports]
    assert positions == sorted(positions)
    assert positions.count(20 * FRAME_MS) == 1


async def test_who_cannot_be_told_does_not_stop_the_sound():
    async with playing() as stage:

        async def broken(turn_id: str, ms: float, *, final: bool = False) -> bool:
            raise NotConnected("no line")

        stage.player._report = broken
        await stage.send("t1", map(frame, range(20)))
        assert stage.card.gaps_ms() == []

        async def stuck(turn_id: str, ms: float, *, final: bool = False) -> bool:
            await asyncio.sleep(100)
            return True

        stage.player._report = stuck
        before = len(stage.card.heard)
        await stage.send("t2", map(frame, range(20)))
        assert stage.card.numbers[before:] == list(range(20))


async def test_nothing_to_hear_is_nothing_to_wait_for():
    async with playing() as stage:
        await stage.player.played_out()
        stage.player.feed(start("t1"))
        waiting = asyncio.create_task(stage.player.played_out())
        await asyncio.sleep(10)
        assert not waiting.done()
        stage.player.feed(STOP)
        await waiting
    assert stage.reports == [("t1", 0, True)]


# ── without a pace ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recording_gets_everything():
    sink = Recording()
    player = Player(sink)
    for event in (start("t1"), Stt(text="passes"), sound("t1"), sound("t1"), sound("t1"), sound("t1", b"")):
        player.feed(event)
    assert sink.pcm == frame() * 2
    player.feed(STOP)
    assert sink.pcm == frame() * 3
    assert player.heard_ms == 180
    player.cut()
    assert sink.pcm == frame() * 3


def test_sound_of_another_rate_is_converted_and_of_another_length_taken():
    sink = Recording(16_000)
    player = Player(sink)
    player.feed(start("t1"))
    for _ in range(10):
        player.feed(sound("t1", rate_hz=48_000))
    player.feed(STOP)
    assert abs(len(sink.pcm) - 10 * len(frame()) // 3) < 100
    assert player.heard_ms == 200
    player.feed(start("t2"))
    player.feed(sound("t2"))
    player.feed(STOP)
    assert len(sink.pcm) > 11 * len(frame()) // 3


def test_what_counts_as_silence():
    assert is_silent(b"")
    assert is_silent(silence(60))
    assert is_silent((200).to_bytes(2, "little") * 10)
    assert not is_silent((-201).to_bytes(2, "little", signed=True) * 10)
    assert not is_silent(tone(60))
