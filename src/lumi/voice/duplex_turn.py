"""A turn in one engine: a realtime speech model hears the utterance and answers it; its events become the turn's.

utterance ─▶ realtime model ─┬─▶ transcript                  held back until the transcript has come, or for a moment:
                             └─▶ text and speech ─▶ packets  the listener is told what was heard before the answer
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from lumi.audio.format import duration_ms
from lumi.engines.base import (
    Duplex,
    DuplexEvent,
    EmotionHint,
    Filler,
    Prompt,
    SpokenPiece,
    TextDelta,
    ToolNote,
    Tools,
    Transcript,
)
from lumi.engines.streams import Patience
from lumi.voice.captions import Captions
from lumi.voice.events import (
    Emotion,
    Heard,
    ReplyDelta,
    ReplyDone,
    SentenceAudio,
    SentenceEnded,
    SentenceStarted,
    SpeakingStarted,
    Stage,
    ToolUsed,
    TurnEvent,
)
from lumi.voice.mouth import Mouth
from lumi.voice.replay import Replay
from lumi.voice.stage_clock import StageClock

TRANSCRIPT_WAIT_S = 1.5
"""So long an answer waits for the words of its question."""

TEXT_WAIT_MS = 400.0
"""So much speech waits for the first whole sentence; then what there is of it is shown."""

NO_WORDS = "…"
"""Shown for speech whose words have not come."""

Emit = Callable[[TurnEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Realtime:
    """A model that does whole spoken turns, the tools that it may call, and what it says when one takes long."""

    duplex: Duplex
    tools: Tools | None = None
    filler: Filler | None = None


class Silence(Exception):
    """The utterance turned out to be no speech: nobody is to answer it."""


class DuplexTurn:
    """Runs once. When `run` raises, `transcript` and `captions` say how far it came.

    Args:
        min_speech_ms: with less speech, an utterance is none.
        audible: whether anybody still listens.
    """

    def __init__(
        self,
        turn_id: str,
        duplex: Duplex,
        mouth: Mouth,
        emit: Emit,
        clock: StageClock,
        *,
        min_speech_ms: float,
        audible: Callable[[], bool],
    ) -> None:
        self._id = turn_id
        self._duplex = duplex
        self._mouth = mouth
        self._emit = emit
        self._clock = clock
        self._min_speech_ms = min_speech_ms
        self._audible = audible
        self._held: list[DuplexEvent] = []  # bounded by TRANSCRIPT_WAIT_S
        self._unshown: list[bytes] = []  # bounded by TEXT_WAIT_MS
        self._answered_at: float | None = None
        self._felt = False
        self._released = False
        self.told = False
        """The listener knows what was heard of him."""
        self.transcript: Transcript | None = None
        self.captions = Captions()

    async def run(self, utterance: Replay, prompt: Prompt, tools: Tools | None) -> None:
        """Have it heard and answered.

        Raises:
            Silence: there was nothing to answer.
            EngineError: the model failed; what it said so far has been told.
        """
        sound = self._speech(utterance)
        stream = Patience(self._duplex.name, None).read(self._duplex.converse(sound, prompt, tools))
        try:
            async with aclosing(stream) as events:
                async for event in events:
                    await self._take(event)
        finally:
            await sound.aclose()
        await self._tell(Transcript("", 0.0))
        await self._release()
        await self._emit(ReplyDone(self._id, self.captions.text.strip()))
        await self._finish()

    async def _speech(self, utterance: Replay) -> AsyncGenerator[bytes, None]:
        async for pcm in utterance:
            yield pcm
        self._clock.start(utterance.ended_at)
        if utterance.speech_ms < self._min_speech_ms:
            raise Silence

    async def _take(self, event: DuplexEvent) -> None:
        now = asyncio.get_running_loop().time()
        if isinstance(event, Transcript):
            if event.is_final:
                self._clock.reached(Stage.STT)
                await self._tell(event)
                await self._release()
            elif not self.told:
                await self._emit(Heard(self._id, event))
            return
        if isinstance(event, ToolNote):
            if event.outcome:
                await self._emit(ToolUsed(self._id, event.name, event.outcome))
            return
        if self._answered_at is None:
            self._answered_at = now
            self._clock.reached(Stage.LLM)
        if not (self.told or self._released) and now - self._answered_at < TRANSCRIPT_WAIT_S:
            self._held.append(event)
        else:
            await self._release()
            await self._give(event)

    async def _tell(self, transcript: Transcript) -> None:
        if not self.told:
            self.told = True
            self.transcript = transcript
            await self._emit(Heard(self._id, transcript))

    async def _release(self) -> None:
        """What was held back."""
        self._released = True
        held, self._held = self._held, []
        for event in held:
            await self._give(event)

    async def _give(self, event: DuplexEvent) -> None:
        match event:
            case EmotionHint(emotion=emotion):
                await self._feel(emotion)
            case TextDelta(text=text):
                await self._feel("neutral")
                self.captions.write(text)
                await self._emit(ReplyDelta(self._id, text))
            case SpokenPiece(pcm=pcm):
                await self._feel("neutral")
                await self._sound(pcm)
            case _:
                pass

    async def _feel(self, emotion: str) -> None:
        if not self._felt:
            self._felt = True
            await self._emit(Emotion(self._id, emotion))

    async def _sound(self, pcm: bytes) -> None:
        """Speech goes to the sentence that it probably belongs to."""
        captions = self.captions
        self._unshown.append(pcm)
        if captions.current is None and not captions.waiting:
            rate_hz = self._duplex.sample_rate_hz
            if sum(duration_ms(piece, rate_hz) for piece in self._unshown) < TEXT_WAIT_MS:
                return
            captions.flush(NO_WORDS)
        if captions.due:
            await self._next_sentence()
        unshown, self._unshown = self._unshown, []
        for piece in unshown:
            await self._speak(piece)

    async def _next_sentence(self) -> None:
        over = self.captions.turn_page()
        if over is not None:
            await self._emit(SentenceEnded(self._id, over.index, over.text))
        caption = self.captions.begin()
        if caption.index == 0:
            self._mouth.begin()
            await self._emit(SpeakingStarted(self._id))
        await self._emit(SentenceStarted(self._id, caption.index, caption.text))

    async def _speak(self, pcm: bytes, *, last: bool = False) -> None:
        current = self.captions.current
        if current is None or not self._audible():
            return
        self.captions.speak(duration_ms(pcm, self._duplex.sample_rate_hz))
        packets = await self._mouth.encode(pcm, self._duplex.sample_rate_hz, last=last)
        if packets:
            self._clock.reached(Stage.TTS)
            await self._emit(SentenceAudio(self._id, current.index, packets))

    async def _finish(self) -> None:
        """The rest of the words, and the last packet."""
        captions = self.captions
        captions.flush(NO_WORDS if self._unshown and captions.current is None else "")
        if self._unshown:
            await self._sound(b"")
        while captions.waiting:
            await self._next_sentence()
        await self.end()

    async def end(self) -> None:
        """No more sound comes: the sentence that was being spoken ends here."""
        await self._speak(b"", last=True)
        over = self.captions.turn_page()
        if over is not None:
            await self._emit(SentenceEnded(self._id, over.index, over.text))
