"""One turn: what the user said becomes an answer, written or spoken.

    utterance ─▶ STT ─▶ text ─▶ LLM ─▶ sentences ─▶ TTS ─▶ packets
                 hear           think  (bounded)    speak

`think` and `speak` run side by side in one task group; whoever takes the events slowly (a listener in real time) holds
up `speak`, which holds up `think`. Cancelling `run` stops all of it. Whatever fails is said: a turn never ends silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
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
from lumi.engines.continuation import Joint, continuing
from lumi.errors import EngineError
from lumi.voice.deadline import within
from lumi.voice.duplex_turn import DuplexTurn, Realtime, Silence
from lumi.voice.ear import Ear, Emit, TurnSettings
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
)
from lumi.voice.mouth import Mouth
from lumi.voice.phrases import Phrase, excuse, phrase, worth_saying
from lumi.voice.replay import Replay
from lumi.voice.sentences import SentenceCutter
from lumi.voice.stage_clock import StageClock
from lumi.voice.utterance import Utterance

__all__ = ["Announcement", "Emit", "Realtime", "Source", "Turn", "TurnSettings", "Typed"]

SENTENCES_AHEAD = 4
"""How many sentences may wait for the voice before the model has to wait."""

History = Callable[[], Sequence[ChatMessage]]


@dataclass(frozen=True, slots=True)
class Typed:
    """Words that need no recognising."""

    text: str


@dataclass(frozen=True, slots=True)
class Announcement:
    """Words of our own, to be spoken as they are."""

    text: str


Source = Utterance | Typed | Announcement


@dataclass(slots=True)
class Begun:
    """What of an answer was given by whoever has failed since."""

    text: str = ""
    sentences: int = 0


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
        realtime: Realtime | None = None,
    ) -> None:
        self.id = turn_id
        self._llm = llm
        self._mouth = mouth
        self._emit = emit
        self._history = history
        self._speaker = replace(speaker, turn_id=turn_id)
        self._settings = settings
        self._ear = Ear(turn_id, stt, self._speaker, settings, emit)
        self._realtime = realtime
        self._begun = Begun()
        self._clock = StageClock()
        self._audible = True

    def interrupted(self, heard_ms: float) -> None:
        """The turn is about to be cancelled; so much of its speech was heard."""
        if self._realtime is not None:
            self._realtime.duplex.interrupted(self._speaker, heard_ms)

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
                ending = await self._reply(Transcript(source.text))
            case _ if self._realtime is None or self._mouth is None:
                ending = await self._converse(source)
            case _:
                ending = await self._whole(source, self._realtime, self._mouth)
        await self._emit(TurnEnded(self.id, ending, self._clock.stages_ms))

    async def _whole(self, utterance: Utterance, realtime: Realtime, mouth: Mouth) -> Ending:
        """Have one engine do all of it; where it fails, the others take over with what there is."""
        replay = Replay(utterance)
        turn = DuplexTurn(
            self.id,
            realtime.duplex,
            mouth,
            self._emit,
            self._clock,
            min_speech_ms=self._settings.min_speech_ms,
            audible=lambda: self._audible,
        )
        try:
            prompt = Prompt(tuple(self._history()), self._speaker, filler=realtime.filler)
            await turn.run(replay, prompt, realtime.tools)
        except Silence:
            self._clock.start(replay.ended_at)
            await self._emit(Heard(self.id, Transcript("", 0.0)))
            return await self._announce(phrase(Phrase.NOT_UNDERSTOOD, self._speaker.language), Ending.EMPTY)
        except EngineError:
            await turn.end()
            self._begun = Begun(turn.captions.spoken, turn.captions.count)
            if turn.transcript is not None and turn.transcript.text:
                return await self._reply(None)
            replay.rewind()
            return await self._converse(replay)
        return Ending.DONE

    async def _converse(self, utterance: Utterance | Replay) -> Ending:
        try:
            transcript = await self._ear.hear(utterance)
        except EngineError as error:
            self._clock.start(utterance.ended_at)
            said = await self._failed(Stage.STT, error)
            await self._emit(Heard(self.id, Transcript("", 0.0)))
            return await self._announce(said, Ending.FAILED)
        self._clock.start(utterance.ended_at)
        self._clock.reached(Stage.STT)
        if not transcript.text:
            await self._emit(Heard(self.id, transcript))
            return await self._announce(phrase(self._misheard(), self._speaker.language), Ending.EMPTY)
        return await self._reply(transcript)

    def _misheard(self) -> Phrase:
        return Phrase.LANGUAGE_UNHEARD if self._ear.unheard_language else Phrase.NOT_UNDERSTOOD

    async def _reply(self, heard: Transcript | None) -> Ending:
        """Say what was heard, unless that has been done, and answer it."""
        if heard is not None:
            await self._emit(Heard(self.id, heard))
        sentences: asyncio.Queue[str | None] = asyncio.Queue(SENTENCES_AHEAD)
        if self._mouth is None:
            return await self._think(sentences)
        async with asyncio.TaskGroup() as stages:
            thinking = stages.create_task(self._think(sentences))
            stages.create_task(self._speak(sentences, self._mouth))
        return thinking.result()

    async def _think(self, sentences: asyncio.Queue[str | None]) -> Ending:
        """Ask the model; hand its sentences on as they are completed, `None` last."""
        ending, said = Ending.DONE, phrase(Phrase.NO_ANSWER, self._speaker.language)
        cutter = SentenceCutter()
        text = self._begun.text
        try:
            async with aclosing(self._words()) as deltas:
                async for delta in deltas:
                    text += delta
                    await self._emit(ReplyDelta(self.id, delta))
                    await self._pass_on(cutter.feed(delta), sentences)
        except EngineError as error:
            ending, said = Ending.FAILED, await self._failed(Stage.LLM, error)
        rest = cutter.flush()
        if ending is Ending.FAILED or not text.strip():
            rest += [said] if said else []
            text = f"{text} {said}".strip()
        await self._pass_on(rest, sentences)
        if ending is Ending.DONE or self._mouth is not None:
            await self._emit(ReplyDone(self.id, text))
        if self._mouth is not None:
            await sentences.put(None)
        return ending

    async def _words(self) -> AsyncGenerator[str, None]:
        """The answer's text, or the rest of one that was begun by somebody else."""
        joint = Joint(self._begun.text)
        async with aclosing(self._deltas()) as deltas:
            async for delta in deltas:
                if text := joint.feed(delta) if self._begun.text else delta:
                    yield text
        if rest := joint.flush():
            yield rest

    async def _deltas(self) -> AsyncGenerator[str, None]:
        """The answer's text; says first how it is meant."""
        prompt = Prompt(tuple(self._history()), self._speaker)
        felt = bool(self._begun.text)
        if felt and getattr(self._llm, "continues", True):
            prompt = continuing(prompt, self._begun.text)
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
        index = self._begun.sentences
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
            await self._failed(Stage.TTS, error)

    async def _failed(self, stage: Stage, error: EngineError) -> str:
        """Tell of a failure; what to say of it aloud, which may be nothing."""
        said = excuse(stage, error, self._speaker.language)
        await self._emit(
            StageFailed(self.id, stage, error.engine, str(error), said, error.trouble, error.retry_after_s)
        )
        return said if self._mouth is None or worth_saying(error) else ""
