"""What a turn tells whoever started it, in order. The voice rooms know no wire: the server turns these into messages.

Every turn ends with exactly one `TurnEnded`. A spoken turn's events between `SpeakingStarted` and `TurnEnded` are
`SentenceStarted`, its `SentenceAudio` pieces (a `SentenceRestarted` takes those so far back), `SentenceEnded`, again
and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lumi.engines.base import Transcript
from lumi.errors import Trouble


class Stage(StrEnum):
    """Where in a turn something happened."""

    VAD = "vad"
    STT = "stt"
    LLM = "llm"
    TTS = "tts"
    TURN = "turn"


class Ending(StrEnum):
    """Why a turn ended."""

    DONE = "done"
    EMPTY = "empty"
    """Nothing was recognised."""
    ABORTED = "aborted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript: partial, or the final one."""

    turn_id: str
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Emotion:
    turn_id: str
    emotion: str


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """A piece of the answer's text, as it is made."""

    turn_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ReplyDone:
    """The whole answer's text; comes before the last sentence has been spoken."""

    turn_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool was called for the answer; `outcome` is how it went, in one word."""

    turn_id: str
    name: str
    outcome: str


@dataclass(frozen=True, slots=True)
class SpeakingStarted:
    turn_id: str


@dataclass(frozen=True, slots=True)
class SentenceStarted:
    """`text` as it should be shown."""

    turn_id: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class SentenceAudio:
    """Packets of the sentence in the session's downlink format, ready to send."""

    turn_id: str
    index: int
    packets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SentenceRestarted:
    """Its audio so far is to be dropped: it is spoken anew."""

    turn_id: str
    index: int


@dataclass(frozen=True, slots=True)
class SentenceEnded:
    turn_id: str
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class StageFailed:
    """An engine failed; the turn goes on to say so."""

    turn_id: str
    stage: Stage
    engine: str
    message: str
    """For the log: names the engine and the setting."""
    excuse: str = ""
    """The same for whoever asked, in a sentence of their language."""
    trouble: Trouble = Trouble.FAILED
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class TurnEnded:
    turn_id: str
    ending: Ending
    stages_ms: dict[str, float]
    """Milliseconds from the end of the user's speech (or the text's arrival) to each stage's first result."""


SpeechEvent = SpeakingStarted | SentenceStarted | SentenceAudio | SentenceRestarted | SentenceEnded
"""What goes out in its order and at its pace."""

TurnEvent = (
    Heard
    | Emotion
    | ReplyDelta
    | ReplyDone
    | ToolUsed
    | SpeakingStarted
    | SentenceStarted
    | SentenceAudio
    | SentenceRestarted
    | SentenceEnded
    | StageFailed
    | TurnEnded
)
