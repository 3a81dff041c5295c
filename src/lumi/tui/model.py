"""The terminal app's model: events in, a `View` out. Pure; times are seconds by any one clock, handed in."""

from __future__ import annotations

from enum import StrEnum

from lumi.client.error_handler import Language
from lumi.client.events import Audio, Event
from lumi.client.state_machine import ConnectionState, Initial, Ready
from lumi.protocol.messages import Response, Stt
from lumi.tui import wording
from lumi.tui.conversation import Conversation
from lumi.tui.levels import LevelMeter
from lumi.tui.turn_clock import TurnClock
from lumi.tui.wording import Words


class Listening(StrEnum):
    """What happens with what the microphone hears."""

    OFF = "off"
    HOLD = "hold"
    """Sent until the key is pressed again."""
    HANDS_FREE = "hands_free"
    """Sent; the server hears when the user has finished."""
    PAUSED = "paused"
    """Hands-free, but Lumi speaks: the microphone would hear the loudspeaker."""


class Model:
    """All that the screen depends on. `screen.draw` turns it into a `View`."""

    def __init__(self, language: Language = "en", *, address: str = "") -> None:
        self.language = language
        self.address = address
        self.state: ConnectionState = Initial()
        self.trouble: Exception | None = None
        """Why the last try failed, until the next success."""
        self.queue_length = 0
        self.retry_at_s: float | None = None
        self.listening = Listening.OFF
        self.conversation = Conversation()
        self.clock = TurnClock()
        self.microphone = LevelMeter()
        self.loudspeaker = LevelMeter()

    # ── the connection ───────────────────────────────────────────────────────────────────────────────────────────

    def connection(self, state: ConnectionState) -> None:
        """The client's state has changed."""
        was_ready = isinstance(self.state, Ready)
        self.state = state
        if isinstance(state, Ready):
            self.trouble, self.retry_at_s = None, None
        elif was_ready:
            self.conversation.line_lost()
            self.clock.forget()

    def attempt_failed(self, error: Exception) -> None:
        """A connection did not come about, or broke: why."""
        self.trouble = error

    def retry(self, retry_in_s: float | None, now_s: float) -> None:
        """The next try comes in so many seconds; None: none is planned, or it has begun."""
        self.retry_at_s = None if retry_in_s is None else now_s + retry_in_s

    def queued(self, count: int) -> None:
        """So many messages wait for a line to be sent on."""
        self.queue_length = count

    # ── the conversation ─────────────────────────────────────────────────────────────────────────────────────────

    def said(self, text: str, message_id: str) -> None:
        """The user typed something."""
        self.conversation.said(text, message_id)

    def sent(self, message_id: str, now_s: float) -> None:
        """A typed message is on its way."""
        self.conversation.sent(message_id)
        self.clock.asked(now_s)

    def unsent(self, message_id: str) -> None:
        """The line broke before it was answered."""
        self.conversation.unsent(message_id)

    def failed(self, message_id: str, error: Exception) -> None:
        """It will not be answered."""
        self.conversation.failed(message_id, error)
        self.clock.forget()

    def event(self, event: Event, now_s: float) -> None:
        """Something came from the server."""
        if isinstance(event, Audio):
            self.loudspeaker.heard(event.pcm, now_s)
            self.clock.answered(now_s)
            return
        if isinstance(event, Response):
            self.clock.answered(now_s)
        elif isinstance(event, Stt) and event.is_final and self.listening is not Listening.OFF:
            self.clock.asked(now_s)  # hands-free: only the server knows when the question ended
        self.conversation.feed(event)

    def problem(self, error: Exception, lead: Words = Words("", "")) -> None:  # noqa: B008 - a frozen value
        """Something the user wanted did not work."""
        self.conversation.trouble(error, lead)

    def notice(self, words: Words) -> None:
        self.conversation.notice(words)

    # ── the voice ────────────────────────────────────────────────────────────────────────────────────────────────

    def listen(self, listening: Listening) -> None:
        """The microphone was opened, closed or paused."""
        self.listening = listening
        self.conversation.heard = ""

    def released(self, now_s: float) -> None:
        """The user has finished speaking."""
        self.listen(Listening.OFF)
        self.clock.asked(now_s)

    def microphone_heard(self, pcm: bytes, now_s: float) -> None:
        """s16le mono."""
        self.microphone.heard(pcm, now_s)

    # ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────

    def switch_language(self) -> None:
        self.language = "en" if self.language == "zh" else "zh"

    def welcome(self) -> None:
        """The first words on the screen."""
        self.notice(wording.WELCOME)
