"""A turn's first stage: the recogniser, and what is made of its word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from lumi.engines.base import Speaker, Stt, Transcript
from lumi.errors import EngineError, Trouble
from lumi.voice.deadline import close
from lumi.voice.events import Heard, TurnEvent
from lumi.voice.replay import Replay
from lumi.voice.utterance import Utterance

Emit = Callable[[TurnEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """How long each stage may stall, in seconds, and how little speech is none."""

    stt_timeout_s: float = 15.0
    llm_timeout_s: float = 30.0
    tts_timeout_s: float = 10.0
    min_speech_ms: float = 90.0
    trusted_confidence: float = 0.6
    """From here a transcript counts although the recogniser does not know the speaker's language."""


class Ear:
    """Hears for one turn; partial transcripts are emitted."""

    def __init__(self, turn_id: str, stt: Stt, speaker: Speaker, settings: TurnSettings, emit: Emit) -> None:
        self._turn_id = turn_id
        self._stt = stt
        self._speaker = speaker
        self._settings = settings
        self._emit = emit

    async def hear(self, utterance: Utterance | Replay) -> Transcript:
        """Recognise while the user speaks. The engine's time is counted from the end of the speech."""
        final = Transcript("", 0.0)
        try:
            async with asyncio.timeout(None) as deadline:
                audio = _until(utterance, deadline, self._settings.stt_timeout_s)
                stream = self._stt.transcribe(audio, self._speaker)
                try:
                    async for transcript in stream:
                        if transcript.is_final:
                            final = transcript
                            break
                        await self._emit(Heard(self._turn_id, transcript))
                finally:
                    await close(stream)
                    await audio.aclose()
        except TimeoutError:
            raise EngineError(
                self._stt.name,
                f"no transcript within {self._settings.stt_timeout_s:g} s of the end of speech",
                trouble=Trouble.SLOW,
            ) from None
        silent = utterance.speech_ms < self._settings.min_speech_ms
        guessed = self.unheard_language and final.confidence < self._settings.trusted_confidence
        return Transcript("", 0.0) if silent or guessed else final

    @property
    def unheard_language(self) -> bool:
        """The recogniser does not know the speaker's language: unless it is sure, it has made English of it."""
        languages: Sequence[str] = getattr(self._stt, "languages", ())
        return bool(languages) and self._speaker.language not in languages


async def _until(
    utterance: Utterance | Replay, deadline: asyncio.Timeout, timeout_s: float
) -> AsyncGenerator[bytes, None]:
    """Pass the utterance on; when it ends, the deadline begins to run."""
    async for pcm in utterance:
        yield pcm
    deadline.reschedule(asyncio.get_running_loop().time() + timeout_s)
