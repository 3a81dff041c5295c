"""One turn: what the user said becomes an answer, written or spoken.

    utterance ─▶ STT ─▶ text ─▶ LLM ─▶ sentences ─▶ TTS ─▶ packets
                 hear           think  (bounded)    speak

`think` and `speak` run side by side in one task group; whoever takes the events slowly (a listener in real time) holds
up `speak`, which holds up `think`. Cancelling `run` stops all of it. Whatever fails is said: a turn never ends silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from lumi.engines.base import (
    ChatMessage,
    EmotionHint,
    Llm,
    Prompt,
    Speaker,
    Stt,
    TextDelta,
    ToolNote,
    Transcript,
)
from lumi.errors import EngineError
from lumi.voice.deadline import close, within
from lumi.voice.events import (
    Emotion,
    Ending,
    Heard,
    ReplyDelta,
    ReplyDone,
    SentenceAudio,
    SentenceEnded,
    SentenceRestarted,
    SentenceStarted,
    SpeakingStarted,
    Stage,
    StageFailed,
    ToolUsed,
    TurnEnded,
    TurnEvent,
)
from lumi.voice.mouth import Mouth
from lumi.voice.phrases import Phrase, phrase
from lumi.voice.sentences import SentenceCutter
from lumi.voice.utterance import Utterance

SENTENCES_AHEAD = 4
"""How many sentences may wait for the voice before the model has to wait."""

Emit = Callable[[TurnEvent], Awaitable[None]]
History = Callable[[], Sequence[ChatMessage]]


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """How long each stage may stall, in seconds, and how little speech is none."""

    stt_timeout_s: float = 15.0
    llm_timeout_s: float = 30.0
    tts_timeout_s: float = 10.0
    min_speech_ms: float = 90.0
    trusted_confidence: float = 0.6
    """From here a transcript counts although the recogniser does not know the speaker's language."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Words that need no recognising."""

    text: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """Words of our own, to be spoken as they are."""

    text: str


Source = Utterance | Typed | Announcement


class Turn:
    """Runs once. `emit` gets every event in order and is waited for; `history` gives the dialogue, the user's words last.

    Without a mouth the answer is only written: no `SpeakingStarted`, no sentences.
    """

    def __init__(
        self,
        turn_id: str,
        *,
        stt: Stt,
        llm: Llm,
        mouth: Mouth | None,
        emit: Emit,
        history: History,
        speaker: Speaker,
        settings: TurnSettings,
    ) -> None:
        self.id = turn_id
        self._stt = stt
        self._llm = llm
        self._mouth = mouth
        self._emit = emit
        self._history = history
        self._speaker = replace(speaker, turn_id=turn_id)
        self._settings = settings
        self._clock = StageClock()
        self._audible = True

    def mute(self) -> None:
        """Nobody listens any more: the answer is still made and told, but not spoken."""
        self._audible = False

    async def run(self, source: Source) -> None:
        """Go through the stages; the last event is `TurnEnded` (unless cancelled: then whoever cancelled says so)."""
        match source:
            case Announcement():
                ending = await self._announce(source.text, Ending.DONE)
            case Typed():
                self._clock.start()
                ending = await self._answer(Transcript(source.text))
            case _:
                ending = await self._converse(source)
        await self._emit(TurnEnded(self.id, ending, self._clock.stages_ms))

    async def _converse(self, utterance: Utterance) -> Ending:
        try:
            transcript = await self._hear(utterance)
        except EngineError as error:
            self._clock.start(utterance.ended_at)
            await self._emit(StageFailed(self.id, Stage.STT, error.engine, str(error)))
            await self._emit(Heard(self.id, Transcript("", 0.0)))
            return await self._announce(phrase(Phrase.STT_FAILED, self._speaker.language), Ending.FAILED)
        self._clock.start(utterance.ended_at)
        self._clock.reached(Stage.STT)
        if not transcript.text:
            await self._emit(Heard(self.id, transcript))
            return await self._announce(phrase(self._misheard(), self._speaker.language), Ending.EMPTY)
        return await self._answer(transcript)

    async def _hear(self, utterance: Utterance) -> Transcript:
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
                        await self._emit(Heard(self.id, transcript))
                finally:
                    await close(stream)
                    await audio.aclose()
        except TimeoutError:
            raise EngineError(
                self._stt.name,
                f"no transcript within {self._settings.stt_timeout_s:g} s of the end of speech",
            ) from None
        silent = utterance.speech_ms < self._settings.min_speech_ms
        guessed = self._unheard_language and final.confidence < self._settings.trusted_confidence
        return Transcript("", 0.0) if silent or guessed else final

    @property
    def _unheard_language(self) -> bool:
        """The recogniser does not know the speaker's language: unless it is sure, it has made English of it."""
        languages: Sequence[str] = getattr(self._stt, "languages", ())
        return bool(languages) and self._speaker.language not in languages

    def _misheard(self) -> Phrase:
        return Phrase.LANGUAGE_UNHEARD if self._unheard_language else Phrase.NOT_UNDERSTOOD

    async def _answer(self, transcript: Transcript) -> Ending:
        await self._emit(Heard(self.id, transcript))
        sentences: asyncio.Queue[str | None] = asyncio.Queue(SENTENCES_AHEAD)
        if self._mouth is None:
            return await self._think(sentences)
        async with asyncio.TaskGroup() as stages:
            thinking = stages.create_task(self._think(sentences))
            stages.create_task(self._speak(sentences, self._mouth))
        return thinking.result()

    async def _think(self, sentences: asyncio.Queue[str | None]) -> Ending:
        """Ask the model; hand its sentences on as they are completed, `None` last."""
        ending = Ending.DONE
        cutter = SentenceCutter()
        text = ""
        try:
            async with aclosing(self._deltas()) as deltas:
                async for delta in deltas:
                    text += delta
                    await self._emit(ReplyDelta(self.id, delta))
                    await self._pass_on(cutter.feed(delta), sentences)
        except EngineError as error:
            ending = Ending.FAILED
            await self._emit(StageFailed(self.id, Stage.LLM, error.engine, str(error)))
        rest = cutter.flush()
        if ending is Ending.FAILED or not text.strip():
            excuse = Phrase.LLM_FAILED if ending is Ending.FAILED else Phrase.NO_ANSWER
            rest.append(phrase(excuse, self._speaker.language))
            text = f"{text} {rest[-1]}".strip()
        await self._pass_on(rest, sentences)
        if ending is Ending.DONE or self._mouth is not None:
            await self._emit(ReplyDone(self.id, text))
        if self._mouth is not None:
            await sentences.put(None)
        return ending

    async def _deltas(self) -> AsyncGenerator[str, None]:
        """The answer's text; says first how it is meant."""
        prompt = Prompt(tuple(self._history()), self._speaker)
        felt = False
        stream = within(
            self._llm.reply(prompt), engine=self._llm.name, timeout_s=self._settings.llm_timeout_s
        )
        async with aclosing(stream) as events:
            async for event in events:
                if isinstance(event, ToolNote):
                    if event.outcome:
                        await self._emit(ToolUsed(self.id, event.name, event.outcome))
                    continue
                self._clock.reached(Stage.LLM)
                if isinstance(event, EmotionHint) and not felt:
                    felt = True
                    await self._emit(Emotion(self.id, event.emotion))
                elif isinstance(event, TextDelta):
                    if not felt:
                        felt = True
                        await self._emit(Emotion(self.id, "neutral"))
                    yield event.text

    async def _pass_on(self, cut: Sequence[str], sentences: asyncio.Queue[str | None]) -> None:
        if self._mouth is not None:
            for sentence in cut:
                await sentences.put(sentence)

    async def _announce(self, text: str, ending: Ending) -> Ending:
        await self._emit(ReplyDone(self.id, text))
        if self._mouth is not None:
            sentences: asyncio.Queue[str | None] = asyncio.Queue()
            for sentence in (*SentenceCutter().feed(text + "\n"), None):
                sentences.put_nowait(sentence)
            await self._speak(sentences, self._mouth)
        return ending

    async def _speak(self, sentences: asyncio.Queue[str | None], mouth: Mouth) -> None:
        """Speak what `think` hands over. When the voice fails, the rest is still shown, in order."""
        index = 0
        while (text := await sentences.get()) is not None:
            if index == 0:
                await self._emit(SpeakingStarted(self.id))
            await self._emit(SentenceStarted(self.id, index, text))
            if self._audible:
                await self._voice(mouth, index, text)
            await self._emit(SentenceEnded(self.id, index, text))
            index += 1

    async def _voice(self, mouth: Mouth, index: int, text: str) -> None:
        """Speak a sentence; a voice that fails is silent from then on."""
        try:
            async with aclosing(mouth.speak(text)) as groups:
                async for packets in groups:
                    self._clock.reached(Stage.TTS)
                    sound = SentenceAudio(self.id, index, packets)
                    await self._emit(sound if packets else SentenceRestarted(self.id, index))
                    if not self._audible:
                        return
        except EngineError as error:
            self._audible = False
            await self._emit(StageFailed(self.id, Stage.TTS, error.engine, str(error)))


class StageClock:
    """When each stage gave its first result, counted from the end of the user's words."""

    def __init__(self) -> None:
        self._started_at: float | None = None
        self.stages_ms: dict[str, float] = {}

    def start(self, at: float | None = None) -> None:
        self._started_at = asyncio.get_running_loop().time() if at is None else at

    def reached(self, stage: Stage) -> None:
        if self._started_at is not None and stage not in self.stages_ms:
            elapsed_s = asyncio.get_running_loop().time() - self._started_at
            self.stages_ms[stage] = round(elapsed_s * 1000, 1)


async def _until(
    utterance: Utterance, deadline: asyncio.Timeout, timeout_s: float
) -> AsyncGenerator[bytes, None]:
    """Pass the utterance on; when it ends, the deadline begins to run."""
    async for pcm in utterance:
        yield pcm
    deadline.reschedule(asyncio.get_running_loop().time() + timeout_s)
