"""Engines that say again what they said in a recording, so that what is compared is Lumi and not a model's mood.

The recogniser gives the recorded words, one utterance after the other; the model the recorded answer to a question; the
voice the recorded sound of a sentence. Each takes as long as it took then, as far as the recording tells.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumi.engines.base import EmotionHint, LlmEvent, Prompt, Speaker, TextDelta, Transcript, Voice
from lumi.store.recordings import FromClient, FromServer, Line, Recording, ServerPacket, Turn
from lumi.testing.engines import ScriptedTts, last_user_text
from lumi.testing.recorded_sound import RATE_HZ, Ears
from lumi.testing.sounds import silence

FULL_STOPS = "。！？；…"
REST_MS = 3000.0
"""What is made up of a sentence that was cut off goes on for so long: more than is sent ahead, and than a cut takes."""


@dataclass(slots=True)
class Said:
    """One turn, as the recording has it."""

    question: str = ""
    typed: bool = False
    confidence: float = 1.0
    emotion: str = ""
    sentences: list[tuple[str, bytearray]] = field(default_factory=list)
    cut: bool = False
    """The last of them was cut off: nobody knows how it would have gone on."""
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    written: str = ""

    @property
    def answer(self) -> str:
        """The whole answer, as a model would have written it."""
        text = self.written
        for sentence, _ in self.sentences if not text else ():
            text += sentence if not text or text[-1] in FULL_STOPS else f" {sentence}"
        return text

    def delay_s(self, stage: str, before: str = "") -> float:
        """How long a stage took after the one before it."""
        took_ms = self.stages_ms.get(stage, 0.0) - self.stages_ms.get(before, 0.0)
        return max(0.0, took_ms) / 1000


def turns(recording: Recording) -> list[Said]:
    """Spoken and written turns, in order."""
    return list(_Reader().read(recording.entries))


class _Reader:
    """Puts a recording's entries together to turns."""

    def __init__(self) -> None:
        self._ears = Ears()
        self._chats: dict[str, str] = {}
        self._typed = ""
        self._felt = ""
        self._ends = False
        """The client is told of sentences' ends."""
        self._now: Said | None = None

    def read(self, entries: Sequence[Line]) -> Iterator[Said]:
        for entry in entries:
            piece = self._ears.hear(entry)
            match entry:
                case FromClient(message=message):
                    self._asked(message)
                case FromServer(message=message):
                    if (begun := self._begun(message)) is not None:
                        yield begun
                    else:
                        self._told(self._now, message)
                case ServerPacket() if self._now is not None and self._now.sentences and piece:
                    self._now.sentences[-1][1].extend(piece.pcm)
                case Turn(stages_ms=stages) if self._now is not None:
                    self._now.stages_ms = stages
                case _:
                    pass

    def _begun(self, message: Mapping[str, Any]) -> Said | None:
        """The turn that a message begins, or is the whole of."""
        kind, final = message.get("type"), message.get("is_final", True)
        if kind == "response" and final:
            question = self._chats.get(str(message.get("request_id") or message.get("id")), "")
            felt, self._felt = self._felt, ""
            return Said(question, typed=True, emotion=felt, written=str(message.get("content", "")))
        if kind == "stt" and final:
            self._now = self._heard(message)
        elif kind == "tts" and message.get("state") == "start" and self._now is None:
            self._now = Said(typed=True)  # a notice: words of the server's own
        else:
            return None
        return self._now

    def _asked(self, message: Mapping[str, Any]) -> None:
        if message.get("type") == "chat":
            self._chats[str(message.get("id"))] = str(message.get("content", ""))
        elif message.get("type") == "listen" and message.get("state") == "detect":
            self._typed = str(message.get("text") or "")

    def _heard(self, message: Mapping[str, Any]) -> Said:
        text = str(message.get("text", ""))
        typed, self._typed = bool(text) and text == self._typed, ""
        return Said(text, typed, float(message.get("confidence", 1.0)))

    def _told(self, now: Said | None, message: Mapping[str, Any]) -> None:
        if message.get("type") == "hello":
            self._ends = bool((message.get("features") or {}).get("sentence_end"))
        elif now is None:
            if message.get("type") == "llm":  # of a written answer, whose words come after it
                self._felt = str(message.get("emotion", ""))
        elif message.get("type") == "llm":
            now.emotion = str(message.get("emotion", ""))
        elif message.get("type") == "tts" and message.get("state") == "sentence_start":
            now.sentences.append((str(message.get("text", "")), bytearray()))
            now.cut = self._ends
        elif message.get("type") == "tts" and message.get("state") == "sentence_end":
            now.cut = False
        elif message.get("type") == "tts" and message.get("state") == "stop":
            self._now = None


class RecordedStt:
    """Hears what was heard then; a further utterance is not understood."""

    name = "recorded-stt"

    def __init__(self, said: Sequence[Said]) -> None:
        self._waiting = deque(one for one in said if not one.typed)

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        del speaker
        async for _ in audio:
            pass
        if not self._waiting:
            yield Transcript("", 0.0)
            return
        one = self._waiting.popleft()
        await asyncio.sleep(one.delay_s("stt"))
        yield Transcript(one.question, one.confidence)

    async def aclose(self) -> None:
        return


class RecordedLlm:
    """Answers what was answered then; to a question that was not asked, with nothing."""

    name = "recorded-llm"

    def __init__(self, said: Sequence[Said]) -> None:
        self._waiting: defaultdict[str, deque[Said]] = defaultdict(deque)
        for one in said:
            if one.question and one.answer:
                self._waiting[one.question].append(one)

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        waiting = self._waiting[last_user_text(prompt.messages)]
        if not waiting:
            return
        one = waiting.popleft() if len(waiting) > 1 else waiting[0]
        await asyncio.sleep(one.delay_s("llm", "stt"))
        if one.emotion:
            yield EmotionHint(one.emotion)
        yield TextDelta(one.answer)

    async def aclose(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class _Sound:
    """Of a sentence. A whole one is better than one that was cut off, and a longer one than a shorter."""

    pcm: bytes
    delay_s: float
    cut: bool


class RecordedTts:
    """Speaks a sentence as it sounded then, and on where it was cut off; another one as a tone of its length."""

    name = "recorded-tts"
    sample_rate_hz = RATE_HZ

    def __init__(self, said: Sequence[Said]) -> None:
        self._sounds: dict[str, _Sound] = {}
        for one in said:
            for number, (text, pcm) in enumerate(one.sentences, 1):
                cut = one.cut and number == len(one.sentences)
                delay_s = one.delay_s("tts", "llm") if number == 1 else 0.0
                known = self._sounds.get(text)
                if pcm and (known is None or (known.cut, len(pcm)) > (cut, len(known.pcm))):
                    self._sounds[text] = _Sound(bytes(pcm), delay_s, cut)
        self._others = ScriptedTts(sample_rate_hz=RATE_HZ)

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        sound = self._sounds.get(text)
        if sound is not None:
            await asyncio.sleep(sound.delay_s)
            yield sound.pcm + (silence(REST_MS, RATE_HZ) if sound.cut else b"")
            return
        async for piece in self._others.synthesize(text, voice):
            yield piece

    async def aclose(self) -> None:
        return
