"""What happened in a turn, in the words of the wire. The only module that speaks both languages.

Whether this client may have a message is not decided here: `protocol.Connection.send` leaves out what its dialect and
features do not announce.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import UNSET, UnsetType

from lumi.errors import ProtocolError, Trouble
from lumi.protocol.codec import error_message
from lumi.protocol.messages import (
    EMOTIONS,
    Chat,
    Error,
    ErrorCode,
    LlmEmotion,
    Message,
    Metrics,
    Notify,
    Response,
    Stt,
    Timestamp,
    Tts,
    TtsState,
)
from lumi.voice.events import (
    Emotion,
    Heard,
    SentenceEnded,
    SentenceStarted,
    Stage,
    StageFailed,
    TurnEnded,
    TurnEvent,
)

STAGE_ERRORS = {
    Stage.VAD: ErrorCode.INTERNAL,
    Stage.STT: ErrorCode.STT_FAILED,
    Stage.LLM: ErrorCode.LLM_FAILED,
    Stage.TTS: ErrorCode.TTS_FAILED,
    Stage.TURN: ErrorCode.INTERNAL,
}


@dataclass(frozen=True, slots=True)
class ResponseGenerator:
    """Makes one session's messages. `wall_clock` gives UNIX seconds."""

    session_id: str
    wall_clock: Callable[[], float]

    def beside(self, event: TurnEvent, listen_id: str | None) -> tuple[Message, ...]:
        """What goes along with speech. The text of a spoken answer travels with its sentences, so it has none."""
        match event:
            case Heard():
                return (self._stt(event, listen_id),)
            case Emotion():
                return (self.emotion(event),)
            case StageFailed():
                return (self.failure(event, listen_id),)
            case TurnEnded():
                stages = dict(event.stages_ms)
                return (Metrics(turn_id=event.turn_id, stages=stages, session_id=self.session_id),)
            case _:
                return ()

    def sentence_start(self, event: SentenceStarted) -> Tts:
        return self._tts(event.turn_id, TtsState.SENTENCE_START, event.text)

    def sentence_end(self, event: SentenceEnded) -> Tts:
        return self._tts(event.turn_id, TtsState.SENTENCE_END, event.text)

    def emotion(self, event: Emotion) -> LlmEmotion:
        """How an answer is meant."""
        name = event.emotion if event.emotion in EMOTIONS else "neutral"
        return LlmEmotion(
            emotion=name, text=EMOTIONS[name], session_id=self.session_id, turn_id=event.turn_id
        )

    def _stt(self, event: Heard, listen_id: str | None) -> Stt:
        return Stt(
            text=event.transcript.text,
            confidence=float(event.transcript.confidence),
            is_final=event.transcript.is_final,
            session_id=self.session_id,
            id=UNSET if listen_id is None else listen_id,
            turn_id=event.turn_id,
        )

    def tts_start(self, turn_id: str) -> Tts:
        return self._tts(turn_id, TtsState.START)

    def tts_stop(self, turn_id: str) -> Tts:
        return self._tts(turn_id, TtsState.STOP)

    def _tts(self, turn_id: str, state: TtsState, text: str | UnsetType = UNSET) -> Tts:
        return Tts(state=state, text=text, session_id=self.session_id, turn_id=turn_id)

    def delta(self, chat: Chat, text: str) -> Response:
        """A piece of a written answer."""
        return self._response(chat, "", is_final=False, delta=text)

    def response(self, chat: Chat, text: str) -> Response:
        """A whole written answer."""
        return self._response(chat, text, is_final=True, delta=None)

    def instead_of_speech(self, listen_id: str | None, text: str) -> Response:
        """The whole text of a spoken answer that nobody was there to hear."""
        return Response(
            id=listen_id,
            request_id=listen_id,
            content=text,
            session_id=self.session_id,
            timestamp=self._timestamp(None, self.wall_clock()),
        )

    def note_heard(self, listen_id: str, text: str, confidence: float) -> Stt:
        """What was understood of a voice note."""
        return Stt(text=text, confidence=float(confidence), session_id=self.session_id, id=listen_id)

    def notify(self, notice_id: str, kind: str, text: str, due_at: float, code: str = "") -> Notify:
        return Notify(
            id=notice_id,
            kind=kind if kind in {"timer", "reminder"} else "push",  # type: ignore[arg-type]
            text=text,
            due_at=self._timestamp(None, due_at),
            code=code or UNSET,
            session_id=self.session_id,
        )

    def failure(self, event: StageFailed, message_id: str | None) -> Error:
        """In the words of whoever asked; the log has the engine's."""
        said = event.excuse or event.message
        spent = event.trouble is Trouble.SPENT
        code = ErrorCode.RATE_LIMITED if spent else STAGE_ERRORS[event.stage]
        problem = ProtocolError(code, said, message_id=message_id)
        return self.error(problem, retry_after_s=event.retry_after_s)

    def error(self, error: ProtocolError, *, retry_after_s: float | None = None) -> Error:
        """What was wrong, for the one who sent it."""
        return error_message(
            error,
            session_id=self.session_id,
            timestamp=int(self.wall_clock() * 1000),
            retry_after_s=retry_after_s,
        )

    def _response(self, chat: Chat, text: str, *, is_final: bool, delta: str | None) -> Response:
        return Response(
            id=chat.id,
            request_id=chat.id,
            content=text,
            session_id=self.session_id,
            timestamp=self._timestamp(chat.timestamp, self.wall_clock()),
            is_final=is_final,
            delta=UNSET if delta is None else delta,
            turn_id=chat.id,
        )

    @staticmethod
    def _timestamp(like: Timestamp | UnsetType | None, at: float) -> Timestamp:
        """ISO-8601 in UTC; milliseconds for whoever counts in them."""
        if isinstance(like, int | float):
            return int(at * 1000)
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
