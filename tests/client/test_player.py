from __future__ import annotations

from lumi.client.events import Audio
from lumi.client.player import Player, Recording
from lumi.protocol.messages import Stt, Tts, TtsState

FRAME = b"\1\0" * 960


def start(turn_id: str) -> Tts:
    return Tts(state=TtsState.START, turn_id=turn_id)


def sound(turn_id: str | None, rate_hz: int = 16_000) -> Audio:
    return Audio(b"p", FRAME, rate_hz, turn_id)


class Card:
    """A sink that plays when told."""

    def __init__(self) -> None:
        self.rate_hz = 16_000
        self.buffer = b""

    @property
    def waiting_ms(self) -> float:
        return len(self.buffer) / 32

    def write(self, pcm: bytes) -> None:
        self.buffer += pcm

    def clear(self) -> None:
        self.buffer = b""

    def play(self, ms: int) -> None:
        self.buffer = self.buffer[ms * 32 :]


def test_a_turn_is_played_and_counted():
    sink = Recording()
    player = Player(sink)
    for event in (
        start("t1"),
        Stt(text="passes"),
        sound("t1"),
        sound("t1"),
        Tts(state=TtsState.SENTENCE_END),
    ):
        player.feed(event)
    assert sink.pcm == FRAME * 2
    assert player.heard_ms == 120
    assert player.speaking
    player.feed(Tts(state=TtsState.STOP, turn_id="t1"))
    assert not player.speaking


def test_what_was_heard_is_what_the_card_has_played():
    card = Card()
    player = Player(card)
    for event in (start("t1"), sound("t1"), sound("t1")):
        player.feed(event)
    assert player.heard_ms == 0
    card.play(60)
    assert player.heard_ms == 60


def test_an_interruption_is_silent_at_once_and_what_follows_of_the_turn_is_dropped():
    card = Card()
    player = Player(card)
    for event in (start("t1"), sound("t1"), sound("t1")):
        player.feed(event)
    card.play(40)
    assert player.cut() == 40
    player.feed(sound("t1"))
    assert (card.buffer, player.heard_ms, player.stale) == (b"", 40, 1)
    player.feed(start("t2"))
    player.feed(sound("t2"))
    assert card.buffer == FRAME


def test_a_dead_turn_is_never_heard():
    card = Card()
    player = Player(card)
    player.feed(start("t1"))
    player.feed(sound("t1"))
    player.feed(start("t2"))
    player.feed(sound("t1"))
    assert (card.buffer, player.stale, player.turn_id) == (b"", 1, "t2")


def test_a_server_that_names_no_turns():
    sink = Recording()
    player = Player(sink)
    player.feed(Tts(state=TtsState.START))
    player.feed(sound(None))
    assert sink.pcm == FRAME


def test_sound_of_another_rate_is_converted():
    sink = Recording(16_000)
    player = Player(sink)
    player.feed(start("t1"))
    for _ in range(10):
        player.feed(sound("t1", 48_000))
    assert abs(len(sink.pcm) - 10 * len(FRAME) // 3) < 100
    assert player.heard_ms == 200
