"""Engines that do what a script says: no model, no thread, time only where a delay is asked for.

Each counts what it was asked (`calls`), so that a test can look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lumi.audio.format import SPEECH_RATE_HZ
from lumi.engines.base import (
    ChatMessage,
    DuplexEvent,
    LlmEvent,
    Prompt,
    Speaker,
    TextDelta,
    Tools,
    Transcript,
    Voice,
)
from lumi.errors import EngineError
from lumi.testing.sounds import loudness, peak, tone

LOUD = 500.0
"""Root mean square above which `ScriptedVad` takes a window for speech."""


QUIET = 50
"""Peak up to which an utterance is silence to `ScriptedStt`; a codec makes so much of digital silence."""


class ScriptedVad:
    """Takes loud windows for speech, or follows a script of probabilities, one per window and stream."""

    window_samples = 512

    def __init__(self, script: Sequence[float] | None = None, *, threshold: float = LOUD) -> None:
        """With a `script`, each stream goes through it from the start; its last value stays."""
        self._script = script
        self._threshold = threshold
        self._position: dict[int, int] = {}
        self._next_slot = 0
        self.calls = 0

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._position)

    def open(self) -> int:
        slot, self._next_slot = self._next_slot, self._next_slot + 1
        self._position[slot] = 0
        return slot

    def close(self, slot: int) -> None:
        del self._position[slot]

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        if len(set(slots)) != len(slots) or len(slots) != len(windows):
            raise EngineError("scripted", "one window for each slot, and each slot once", retryable=False)
        self.calls += 1
        return [self._score(slot, window) for slot, window in zip(slots, windows, strict=True)]

    def _score(self, slot: int, window: bytes) -> float:
        if len(window) != 2 * self.window_samples:
            raise EngineError("scripted", f"a window has {2 * self.window_samples} bytes, not {len(window)}")
        if self._script is None:
            return 0.98 if loudness(window) > self._threshold else 0.02
        position = self._position[slot]
        self._position[slot] = position + 1
        return self._script[min(position, len(self._script) - 1)]


@dataclass(slots=True)
class ScriptedStt:
    """Hears what the script says, whatever the sound.

    Args:
        script: one answer per utterance (text, a whole `Transcript`, or an error to raise), the last one again and
            again; or a function of the utterance's PCM. Silence gives empty text, unless the function says otherwise.
        partials: yield the words so far while sound still comes, one word more for each piece of it.
        delay_s: between the end of the sound and the final transcript.
    """

    script: Sequence[str | Transcript | Exception] | Callable[[bytes], str | Transcript] = (
        "what time is it",
    )
    partials: bool = False
    delay_s: float = 0.0
    name: str = "scripted-stt"
    calls: int = 0
    heard: list[bytes] = field(default_factory=list)
    """The PCM of every utterance."""
    closed: bool = False

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        del speaker
        self.calls += 1
        number, pieces = self.calls - 1, bytearray()
        count = 0
        async for piece in audio:
            pieces += piece
            count += 1
            if self.partials and (words := self._words_so_far(number, count)):
                yield Transcript(words, confidence=0.5, is_final=False)
        pcm = bytes(pieces)
        self.heard.append(pcm)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        yield self._final(number, pcm)

    def _scripted(self, number: int) -> str | Transcript | Exception:
        if callable(self.script) or not self.script:
            return ""
        return self.script[min(number, len(self.script) - 1)]

    def _words_so_far(self, number: int, count: int) -> str:
        scripted = self._scripted(number)
        text = scripted.text if isinstance(scripted, Transcript) else scripted
        return " ".join(text.split()[:count]) if isinstance(text, str) else ""

    def _final(self, number: int, pcm: bytes) -> Transcript:
        if callable(self.script):
            said: str | Transcript | Exception = self.script(pcm)
        else:
            said = self._scripted(number) if peak(pcm) > QUIET else ""
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, Transcript) else Transcript(said, confidence=0.95)

    async def aclose(self) -> None:
        self.closed = True


Reply = str | Iterable[LlmEvent | str | float | Exception]
"""An answer: text (sent word by word), or a series of pieces, events, pauses in seconds and errors to raise."""


def echo(text: str) -> Reply:
    """The answer a `ScriptedLlm` gives unless told otherwise; the question comes back, so answers can be told apart."""
    return f"You said: {text}. That is all."


Step = Reply | Callable[[Sequence[str]], Reply]
"""What is answered at one step: a reply, or a function of the results of the tools that were called."""


@dataclass(slots=True)
class ScriptedLlm:
    """Answers the last user message by a function of its text, or by a table.

    Args:
        answers: text → reply; with a table, what is not in it is answered by `echo`.
        steps: text → what is answered to it, to its first tools' results, to the next and so on, the last one again
            and again; for what calls tools. Looked at first.
        delay_s: before the first piece.
        piece_s: between pieces.
    """

    answers: Callable[[str], Reply] | Mapping[str, Reply] = echo
    delay_s: float = 0.0
    piece_s: float = 0.0
    name: str = "scripted-llm"
    steps: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    prompts: list[Prompt] = field(default_factory=list)
    finished: int = 0
    """Answers that were read to their end; the others were cut off."""
    closed: bool = False

    @property
    def calls(self) -> int:
        return len(self.prompts)

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        self.prompts.append(prompt)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        for piece in self._pieces(prompt.messages):
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, float | int):
                await asyncio.sleep(piece)
                continue
            yield TextDelta(piece) if isinstance(piece, str) else piece
            if self.piece_s:
                await asyncio.sleep(self.piece_s)
        self.finished += 1

    def _pieces(self, messages: Sequence[ChatMessage]) -> Iterable[LlmEvent | str | float | Exception]:
        text = last_user_text(messages)
        if text in self.steps:
            answer = self._step(self.steps[text], messages)
        else:
            answer = self.answers(text) if callable(self.answers) else self.answers.get(text, echo(text))
        return _words(answer) if isinstance(answer, str) else answer

    @staticmethod
    def _step(steps: Sequence[Step], messages: Sequence[ChatMessage]) -> Reply:
        asked = max(index for index, message in enumerate(messages) if message.role == "user")
        since = messages[asked + 1 :]
        number = sum(1 for message in since if message.tool_calls)
        step = steps[min(number, len(steps) - 1)]
        return (
            step([message.content for message in since if message.role == "tool"]) if callable(step) else step
        )

    async def aclose(self) -> None:
        self.closed = True


def last_user_text(messages: Sequence[ChatMessage]) -> str:
    return next((message.content for message in reversed(messages) if message.role == "user"), "")


def _words(text: str) -> Iterable[str]:
    """Pieces as a model sends them: a word with the space before it."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or text[end] == " ":
            yield text[start:end]
            start = end


@dataclass(slots=True)
class ScriptedTts:
    """Speaks a tone of so many milliseconds for each character.

    Args:
        ms_per_character: 60 makes a sentence of 30 characters 1.8 s long.
        piece_ms: length of the pieces it comes in.
        delay_s: before the first piece of every sentence.
        piece_s: between pieces.
        failures: a text that contains one of these raises its error instead; a `None` key fails them all.
    """

    ms_per_character: float = 60.0
    sample_rate_hz: int = SPEECH_RATE_HZ
    piece_ms: float = 200.0
    delay_s: float = 0.0
    piece_s: float = 0.0
    failures: Mapping[str | None, Exception] = field(default_factory=dict)
    name: str = "scripted-tts"
    spoken: list[str] = field(default_factory=list)
    voices: list[Voice] = field(default_factory=list)
    finished: int = 0
    """Sentences that were read to their end; the others were cut off."""
    closed: bool = False

    @property
    def calls(self) -> int:
        return len(self.spoken)

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        self.spoken.append(text)
        self.voices.append(voice)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        for words, failure in self.failures.items():
            if words is None or words in text:
                raise failure
        if any(character.isalnum() for character in text):
            for piece in self._pieces(len(text) * self.ms_per_character / voice.speed):
                yield piece
                if self.piece_s:
                    await asyncio.sleep(self.piece_s)
        self.finished += 1

    def _pieces(self, ms: float) -> Iterable[bytes]:
        pcm = tone(ms, self.sample_rate_hz)
        size = 2 * round(self.piece_ms * self.sample_rate_hz / 1000)
        return (pcm[start : start + size] for start in range(0, len(pcm), size))

    async def aclose(self) -> None:
        self.closed = True


@dataclass(slots=True)
class ScriptedDuplex:
    """A realtime model that does what its script says, once the utterance is over.

    Args:
        script: what comes of each utterance: events, pauses in seconds, errors to raise; the last again and again.
    """

    script: Sequence[Sequence[DuplexEvent | float | Exception]]
    sample_rate_hz: int = 24_000
    name: str = "scripted-duplex"
    heard: list[bytes] = field(default_factory=list)
    prompts: list[Prompt] = field(default_factory=list)
    cut_at_ms: list[float] = field(default_factory=list)
    """How much was heard of answers that were cut off."""
    finished: int = 0
    closed: bool = False

    async def converse(
        self, audio: AsyncIterator[bytes], prompt: Prompt, tools: Tools | None = None
    ) -> AsyncIterator[DuplexEvent]:
        del tools
        self.prompts.append(prompt)
        number = len(self.prompts) - 1
        pcm = bytearray()
        async for piece in audio:
            pcm += piece
        self.heard.append(bytes(pcm))
        for step in self.script[min(number, len(self.script) - 1)]:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, float | int):
                await asyncio.sleep(step)
            else:
                yield step
        self.finished += 1

    def interrupted(self, speaker: Speaker, heard_ms: float) -> None:
        del speaker
        self.cut_at_ms.append(heard_ms)

    async def aclose(self) -> None:
        self.closed = True
