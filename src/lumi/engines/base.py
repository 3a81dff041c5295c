"""The seams between a turn and what hears, thinks and speaks for it.

PCM is signed 16-bit little-endian mono `bytes`. Streams are asynchronous iterators: closing one (`aclose()`,
or cancelling the task that reads it) stops the work behind it at once. An engine that fails raises
`lumi.errors.EngineError`, whose `trouble` says of which kind it is; one that cannot start raises `EngineUnavailable`,
whose text says what to install.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

Language = Literal["zh", "en"]

RESTART: Final = b""
"""In speech: what came of this sentence so far is to be dropped, it is spoken anew (by another voice)."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who is talking to us, as far as an engine may care."""

    device_id: str = ""
    session_id: str = ""
    turn_id: str = ""
    language: str = "en"
    """Preferred language until the words say otherwise: `zh` or `en`."""
    locale: str = "en_US"
    timezone: str = "UTC"
    """IANA name."""
    words: str = ""
    """What they have said in this turn, where it is known by now."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard. Empty `text`: sound, but no words (or none that could be trusted)."""

    text: str
    confidence: float = 1.0
    """0.0 … 1.0."""
    is_final: bool = True
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture to look at."""

    data: bytes
    media_type: str
    """E.g. `image/jpeg`."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One entry of a dialogue. `role` `tool` answers the call `tool_call_id`."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_call_id: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolSpec:
    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schema of the arguments."""
    confirm: bool = False
    """It opens doors or spends money: the user is asked before it is called."""
    read_only: bool = False
    """It changes nothing: it may be called as often as one likes."""
    title: str = ""
    """What it does, as one would say it: `unlock the door`."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str
    name: str
    arguments: str
    """JSON text, as the model wrote it."""
    nth: int = 0
    """So many calls of the very same came before it in the same answer: each is an act of its own."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back, in words for the model."""

    text: str
    failed: bool = False
    """The tool was reached and could not do it; the text says why."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class EmotionHint:
    """How the answer is meant: one of the protocol's 21 emotions. At most once, before any text."""

    emotion: str


@dataclass(frozen=True, slots=True)
class ToolNote:
    """A tool is at work for the answer: said when it begins, now and then while it takes, and when it is done."""

    name: str
    outcome: str = ""
    """Empty while it is at work; then how it went, in one word."""


LlmEvent = TextDelta | EmotionHint | ToolCall | ToolNote


@dataclass(frozen=True, slots=True)
class Filler:
    """What a model that speaks for itself is to say when a tool takes long."""

    after_s: float
    text: Callable[[str], str]
    """By the words of the user, as far as they are known."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a reply is asked for. The last message is the user's."""

    messages: Sequence[ChatMessage]
    speaker: Speaker = Speaker()
    tools: Sequence[ToolSpec] = ()
    filler: Filler | None = None
    """For a `Duplex` only: an `Llm` is bridged by whoever calls its tools."""


@dataclass(frozen=True, slots=True)
class SpokenPiece:
    """Speech from a model that speaks for itself: PCM at the engine's `sample_rate_hz`."""

    pcm: bytes


DuplexEvent = Transcript | EmotionHint | TextDelta | SpokenPiece | ToolNote


@dataclass(frozen=True, slots=True)
class Voice:
    """How to speak. An engine picks its nearest voice."""

    name: str = ""
    language: str = ""
    """Empty: by the text's script."""
    speed: float = 1.0


class Vad(Protocol):
    """Scores windows of sound for speech, many streams in one call.

    A stream is a slot that keeps the model's memory. `score` is plain CPU work: it runs in a pool thread, releases
    the interpreter lock where it can, and is never called by two threads at once.
    """

    window_samples: int
    """Samples per window at 16 kHz."""

    def open(self) -> int:
        """Take a slot for a new stream."""
        ...

    def close(self, slot: int) -> None: ...

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        """Speech probability (0.0 … 1.0) of one window for each slot; a slot may appear once per call."""
        ...


class Stt(Protocol):
    """Recognises speech."""

    name: str

    def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        """Read 16 kHz PCM pieces as they come; yield partials, if the engine has any, and one final transcript last."""
        ...

    async def aclose(self) -> None: ...


class Llm(Protocol):
    """Answers."""

    name: str

    def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """Stream the answer to the last user message."""
        ...

    async def aclose(self) -> None: ...


class Tts(Protocol):
    """Speaks."""

    name: str

    @property
    def sample_rate_hz(self) -> int: ...

    def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """Stream PCM at `sample_rate_hz`. Text without anything to pronounce yields nothing.

        Only a list of voices may yield `RESTART`.
        """
        ...

    async def aclose(self) -> None: ...


class Tools(Protocol):
    """Tools that a model may call: functions of ours, a device's, another program's."""

    name: str

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        """What there is for this speaker now; what cannot be reached is left out."""
        ...

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        """Do it.

        Raises:
            ToolError: there is no such tool, its arguments make no sense, or it cannot be reached.
        """
        ...

    async def aclose(self) -> None: ...


class Duplex(Protocol):
    """A whole turn in one engine: hears, thinks and speaks (a realtime speech model)."""

    name: str

    @property
    def sample_rate_hz(self) -> int:
        """Of the speech it yields."""
        ...

    def converse(
        self, audio: AsyncIterator[bytes], prompt: Prompt, tools: Tools | None = None
    ) -> AsyncIterator[DuplexEvent]:
        """Read 16 kHz PCM of one utterance; yield its transcripts (one final), the answer's text and its speech.

        The final transcript may come at any time, or never. A tool is called with a speaker that has its words, where
        they came; for one that asks for a yes (`ToolSpec.confirm`) they are waited for. What reading `audio` raises is passed on. The last message
        of `prompt` is what was said before the utterance.
        """
        ...

    def interrupted(self, speaker: Speaker, heard_ms: float) -> None:
        """Said before `converse` is closed in mid-answer: so much of the answer's speech was heard."""
        ...

    async def aclose(self) -> None: ...


class Wake(Protocol):
    """Listens for wake words."""

    name: str

    def detect(self, audio: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Read 16 kHz PCM as it comes; yield the name of each wake word that is heard, at once."""
        ...

    async def aclose(self) -> None: ...
