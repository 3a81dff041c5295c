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
        self.queue_length = 0
        self.retry_at_s: float | None = None
        self.listening = Listening.OFF
        self.conversation = Conversation()
        self.clock = TurnClock()
        self.microphone = LevelMeter()
        self.loudspeaker = LevelMeter()
        self._unanswered: dict[str, None] = {}

    # ── the connection ───────────────────────────────────────────────────────────────────────────────────────────

    def connection(self, state: ConnectionState, now_s: float) -> None:
        """The client's state has changed."""
        was_ready = isinstance(self.state, Ready)
        self.state = state
        if isinstance(state, Ready):
            self.trouble, self.retry_at_s = None, None
            for message_id in self._unanswered:
                self.conversation.sent(message_id)
                self.clock.asked(now_s)
        elif was_ready:
            self.conversation.line_lost()
            self.clock.forget()
            for message_id in self._unanswered:
                self.conversation.unsent(message_id)

    def trouble_is(self, error: Exception | None) -> None:
        """Why the last try to connect failed; None where it did not."""
        self.trouble = error

    def retry(self, retry_in_s: float | None, now_s: float) -> None:
        """The next try comes in so many seconds; None: none is planned, or it is being made."""
        self.retry_at_s = None if retry_in_s is None else now_s + retry_in_s

    def queued(self, count: int) -> None:
        """So many messages are unanswered."""
        self.queue_length = count

    # ── the conversation ─────────────────────────────────────────────────────────────────────────────────────────

    def said(self, text: str, message_id: str, now_s: float) -> None:
        """The user typed something; it is on its way where there is a line, else it waits for one."""
        self._unanswered[message_id] = None
        self.conversation.said(text, message_id)
        if isinstance(self.state, Ready):
            self.conversation.sent(message_id)
            self.clock.asked(now_s)

    def answered(self, message_id: str) -> None:
        """Its answer is there (as an event it is shown)."""
        self._unanswered.pop(message_id, None)

    def failed(self, message_id: str, error: Exception) -> None:
        """It will not be answered."""
        self._unanswered.pop(message_id, None)
        self.conversation.failed(message_id, error)
        self.clock.forget()

    def event(self, event: Event, now_s: float) -> None:
        """Something came from the server."""
        if isinstance(event, Audio):
            self.clock.answered(now_s)
            return
        if isinstance(event, Response):
            self.clock.answered(now_s)
        elif isinstance(event, Stt) and event.is_final and self.listening is not Listening.OFF:
            self.clock.asked(now_s)  # hands-free: only the server knows when the question ended
        self.conversation.feed(event)

    def problem(self, error: Exception) -> None:
        """Something the user wanted did not work."""
        self.conversation.trouble(error)

    def lacking(self, what: Words, error: Exception) -> None:
        """There is no such device here."""
        self.conversation.lacking(what, error)

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

    def loudspeaker_plays(self, pcm: bytes, now_s: float) -> None:
        """s16le mono."""
        self.loudspeaker.heard(pcm, now_s)

    # ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────

    def switch_language(self) -> None:
        self.language = "en" if self.language == "zh" else "zh"

    def welcome(self) -> None:
        """The first words on the screen."""
        self.notice(wording.WELCOME)
