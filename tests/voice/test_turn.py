"""One turn, stage by stage, with scripted engines in virtual time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from lumi.audio.format import AudioFormat
from lumi.audio.packet_cache import PacketCache
from lumi.engines.base import (
    RESTART,
    ChatMessage,
    EmotionHint,
    LlmEvent,
    Prompt,
    Speaker,
    TextDelta,
    ToolNote,
    Transcript,
    Voice,
)
from lumi.errors import EngineError, Trouble
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.voice.events import (
    Emotion,
    Ending,
    Heard,
    ReplyDelta,
    ReplyDone,
    SentenceAudio,
    SentenceEnded,
    SentenceStarted,
    SpeakingStarted,
    Stage,
    StageFailed,
    ToolUsed,
    TurnEnded,
    TurnEvent,
)
from lumi.voice.mouth import Mouth
from lumi.voice.phrases import Phrase, excuse, phrase
from lumi.voice.turn import SENTENCES_AHEAD, Announcement, Source, Turn, TurnSettings, Typed
from lumi.voice.utterance import Utterance

BROKEN = EngineError("scripted", "it broke")


class CountingEncoder:
    """One 'packet' for every 60 ms of PCM."""

    async def encode(self, pcm: bytes, rate_hz: int, *, last: bool = False) -> list[bytes]:
        frame = rate_hz * 60 // 1000 * 2
        return [b"packet"] * (len(pcm) // frame) + ([b"last"] if last else [])

    def reset(self) -> None:
        pass


class Rehearsal:
    """A turn and all that it tells."""

    def __init__(self, **engines: Any) -> None:
        self.stt = engines.get("stt", ScriptedStt())
        self.llm = engines.get("llm", ScriptedLlm(lambda _: "It is three. Time for tea!"))
        self.tts = engines.get("tts", ScriptedTts())
        self.events: list[TurnEvent] = []
        self.wait_s = engines.get("wait_s", 0.0)
        self.speaker = engines.get("speaker", Speaker())
        mouth = Mouth(
            self.tts, CountingEncoder(), PacketCache(1_000_000), AudioFormat(), Voice(), timeout_s=10
        )
        self.turn = Turn(
            "turn-1",
            stt=self.stt,
            llm=self.llm,
            mouth=None if engines.get("written") else mouth,
            emit=self.emit,
            history=self.history,
            speaker=self.speaker,
            settings=TurnSettings(),
        )

    async def emit(self, event: TurnEvent) -> None:
        self.events.append(event)
        if isinstance(event, SentenceAudio) and self.wait_s:
            await asyncio.sleep(self.wait_s)

    def history(self) -> Sequence[ChatMessage]:
        heard = [event.transcript.text for event in self.events if isinstance(event, Heard)]
        return [ChatMessage("user", text) for text in heard[-1:]]

    async def run(self, source: Source) -> list[str]:
        await self.turn.run(source)
        return self.kinds()

    def kinds(self) -> list[str]:
        """The kinds of events, runs of the same folded into one."""
        names = [type(event).__name__ for event in self.events]
        return [name for name, _ in itertools.groupby(names)]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def ending(self) -> Ending:
        last = self.events[-1]
        assert isinstance(last, TurnEnded)
        assert self.of(TurnEnded) == [last]
        return last.ending


def spoken_utterance() -> Utterance:
    utterance = Utterance(30_000)
    utterance.push(b"\x00\x40" * 960)
    utterance.speech_ms = 500
    utterance.end()
    return utterance


async def test_a_voice_turn_goes_through_all_stages_in_order() -> None:
    stage = Rehearsal()
    await stage.run(spoken_utterance())
    spoken = [name for name in stage.kinds() if name not in {"ReplyDelta", "ReplyDone"}]
    sentence = ["SentenceStarted", "SentenceAudio", "SentenceEnded"]
    assert spoken == ["Heard", "Emotion", "SpeakingStarted", *sentence, *sentence, "TurnEnded"]
    assert [event.text for event in stage.of(SentenceStarted)] == ["It is three.", "Time for tea!"]
    assert stage.of(Heard)[0].transcript.text == "what time is it"
    assert stage.of(ReplyDone)[0].text == "It is three. Time for tea!"
    assert stage.of(Emotion) == [Emotion("turn-1", "neutral")]
    assert stage.ending is Ending.DONE


async def test_the_first_sentence_is_spoken_while_the_model_still_writes() -> None:
    stage = Rehearsal(llm=ScriptedLlm(lambda _: ["One. ", 5.0, "Two."]))
    await stage.run(Typed("count"))
    audio_at = stage.events.index(stage.of(SentenceAudio)[0])
    assert audio_at < stage.events.index(ReplyDelta("turn-1", "Two."))


async def test_partials_come_before_the_final_transcript() -> None:
    stage = Rehearsal(stt=ScriptedStt(partials=True))
    await stage.run(spoken_utterance())
    assert [event.transcript.is_final for event in stage.of(Heard)] == [False, True]


async def test_tools_are_told_of_and_stall_nothing() -> None:
    """A tool at work counts as progress, but not as the model's first word."""
    work = [step for _ in range(5) for step in (20.0, ToolNote("home.on"))]
    stage = Rehearsal(llm=ScriptedLlm(lambda _: [*work, ToolNote("home.on", "done"), "Done."]))
    await stage.run(Typed("light on"))
    assert stage.of(ToolUsed) == [ToolUsed("turn-1", "home.on", "done")]
    assert stage.ending is Ending.DONE
    assert stage.of(TurnEnded)[0].stages_ms["llm"] == 100_000


async def test_the_model_knows_which_turn_it_is() -> None:
    stage = Rehearsal()
    await stage.run(Typed("hello"))
    assert stage.llm.prompts[0].speaker.turn_id == "turn-1"


async def test_a_written_turn_says_nothing_aloud() -> None:
    stage = Rehearsal(written=True)
    assert await stage.run(Typed("hello")) == ["Heard", "Emotion", "ReplyDelta", "ReplyDone", "TurnEnded"]
    assert stage.tts.calls == 0


async def test_the_models_own_emotion_is_passed_on_once() -> None:
    llm = ScriptedLlm(lambda _: [EmotionHint("happy"), "Hi.", EmotionHint("sad")])
    stage = Rehearsal(llm=llm)
    await stage.run(Typed("hello"))
    assert stage.of(Emotion) == [Emotion("turn-1", "happy")]


@pytest.mark.parametrize(
    ("speaker", "stt", "said"),
    [
        (Speaker(), ScriptedStt([""]), phrase(Phrase.NOT_UNDERSTOOD, "en")),
        (Speaker(language="zh"), ScriptedStt([""]), phrase(Phrase.NOT_UNDERSTOOD, "zh")),
    ],
)
async def test_sound_without_words_is_answered_with_a_short_excuse(
    speaker: Speaker, stt: ScriptedStt, said: str
) -> None:
    stage = Rehearsal(speaker=speaker, stt=stt)
    await stage.run(spoken_utterance())
    assert stage.of(Heard)[0].transcript.text == ""
    assert [event.text for event in stage.of(SentenceStarted)] == [said]
    assert stage.ending is Ending.EMPTY
    assert stage.llm.calls == 0


async def test_a_recogniser_that_does_not_know_the_language_is_named() -> None:
    class EnglishOnly(ScriptedStt):
        languages = ("en",)

    stage = Rehearsal(speaker=Speaker(language="zh"), stt=EnglishOnly([""]))
    await stage.run(spoken_utterance())
    assert "".join(event.text for event in stage.of(SentenceStarted)) == phrase(Phrase.LANGUAGE_UNHEARD, "zh")


@pytest.mark.parametrize(("confidence", "ending"), [(0.3, Ending.EMPTY), (0.9, Ending.DONE)])
async def test_what_is_guessed_of_a_language_it_does_not_know_is_not_believed(
    confidence: float, ending: Ending
) -> None:
    class EnglishOnly(ScriptedStt):
        languages = ("en",)

    stt = EnglishOnly([Transcript("see and psyche", confidence)])
    stage = Rehearsal(speaker=Speaker(language="zh"), stt=stt)
    await stage.run(spoken_utterance())
    assert stage.ending is ending


async def test_silence_is_no_speech_whatever_the_recogniser_makes_of_it() -> None:
    stage = Rehearsal()
    utterance = spoken_utterance()
    utterance.speech_ms = 32
    await stage.run(utterance)
    assert stage.of(Heard)[0].transcript == Transcript("", 0.0)
    assert stage.ending is Ending.EMPTY


@pytest.mark.parametrize(
    ("stt", "said"),
    [
        (ScriptedStt([BROKEN]), "Sorry, I can't hear properly right now."),
        (ScriptedStt(delay_s=60), "Sorry, the speech recogniser takes too long."),
    ],
)
async def test_a_recogniser_that_fails_or_stalls_is_said_aloud(stt: ScriptedStt, said: str) -> None:
    stage = Rehearsal(stt=stt)
    await stage.run(spoken_utterance())
    (failed,) = stage.of(StageFailed)
    assert failed.stage is Stage.STT
    assert [event.text for event in stage.of(SentenceStarted)] == [
        said,
        "Please try again.",
    ]
    assert stage.ending is Ending.FAILED


async def test_the_recognisers_time_is_counted_from_the_end_of_speech() -> None:
    stage = Rehearsal()
    utterance = Utterance(30_000)
    utterance.speech_ms = 500
    utterance.push(b"\x00\x40" * 960)
    running = asyncio.create_task(stage.run(utterance))
    await asyncio.sleep(25)  # longer than the recogniser may take after the end
    utterance.end()
    await running
    assert stage.ending is Ending.DONE
    assert stage.of(TurnEnded)[0].stages_ms["stt"] == 0


@pytest.mark.parametrize(
    ("llm", "said"),
    [
        (ScriptedLlm(lambda _: [BROKEN]), phrase(Phrase.LLM_FAILED, "en")),
        (ScriptedLlm(delay_s=100), "Sorry, the language model takes too long. Please try again."),
        (ScriptedLlm(lambda _: ["Well, ", 100.0, "no."]), "Well, Sorry, the language model takes too long."),
    ],
)
async def test_a_model_that_fails_or_stalls_is_said_aloud(llm: ScriptedLlm, said: str) -> None:
    stage = Rehearsal(llm=llm)
    await stage.run(Typed("hello"))
    assert stage.of(StageFailed)[0].stage is Stage.LLM
    assert said in " ".join(event.text for event in stage.of(SentenceStarted))
    assert stage.ending is Ending.FAILED


def trouble(kind: Trouble) -> EngineError:
    return EngineError("far", "llm.api_key is to be set", trouble=kind, retry_after_s=4.2)


@pytest.mark.parametrize("kind", Trouble)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("point", ["stt", "llm before", "llm in the middle", "tts"])
async def test_never_silent_whatever_fails_wherever(point: str, language: str, kind: Trouble) -> None:
    """The user hears, or where the voice itself fails reads, of what kind it was; the log is told the rest."""
    error = trouble(kind)
    parts: dict[str, dict[str, Any]] = {
        "stt": {"stt": ScriptedStt([error])},
        "llm before": {"llm": ScriptedLlm(lambda _: [error])},
        "llm in the middle": {"llm": ScriptedLlm(lambda _: ["One whole sentence. And a ", error])},
        "tts": {"tts": ScriptedTts(failures={None: error})},
    }
    stage = Rehearsal(speaker=Speaker(language=language), **parts[point])
    await stage.run(spoken_utterance())
    (failed,) = stage.of(StageFailed)
    assert failed.stage == point.split(maxsplit=1)[0]
    assert (failed.message, failed.trouble, failed.retry_after_s) == (str(error), kind, 4.2)
    assert failed.excuse == excuse(failed.stage, error, language)
    shown = " ".join(event.text for event in stage.of(SentenceStarted)).replace(" ", "")
    assert shown
    if point != "tts":
        assert failed.excuse.replace(" ", "") in shown
        assert stage.of(SentenceAudio)
    assert len(stage.of(TurnEnded)) == 1


async def test_a_written_answer_that_fails_is_no_answer() -> None:
    stage = Rehearsal(llm=ScriptedLlm(lambda _: ["Half", BROKEN]), written=True)
    await stage.run(Typed("hello"))
    assert not stage.of(ReplyDone)
    assert stage.ending is Ending.FAILED


async def test_an_empty_answer_is_owned_up_to() -> None:
    stage = Rehearsal(llm=ScriptedLlm(lambda _: []))
    await stage.run(Typed("hello"))
    assert stage.of(ReplyDone)[0].text == phrase(Phrase.NO_ANSWER, "en")


async def test_when_the_voice_fails_the_rest_is_still_shown() -> None:
    stage = Rehearsal(tts=ScriptedTts(failures={None: BROKEN}))
    await stage.run(Typed("hello"))
    assert [event.text for event in stage.of(SentenceStarted)] == ["It is three.", "Time for tea!"]
    assert len(stage.of(StageFailed)) == 1
    assert not stage.of(SentenceAudio)
    assert stage.ending is Ending.DONE


async def test_an_announcement_is_spoken_as_it_is() -> None:
    stage = Rehearsal()
    await stage.run(Announcement("Your tea is ready. Enjoy!"))
    assert [event.text for event in stage.of(SentenceStarted)] == ["Your tea is ready.", "Enjoy!"]
    assert stage.llm.calls == 0


async def test_a_slow_listener_holds_up_the_model() -> None:
    llm = ScriptedLlm(lambda _: [f"Sentence number {number}. " for number in range(100)])
    stage = Rehearsal(llm=llm, wait_s=10)
    running = asyncio.create_task(stage.run(Typed("talk")))
    await asyncio.sleep(15)
    assert len(stage.of(ReplyDelta)) <= SENTENCES_AHEAD + 5
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert llm.finished == 0


async def test_a_cancelled_turn_stops_its_engines_and_ends_without_a_word() -> None:
    closed = []

    class Watched(ScriptedLlm):
        async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
            try:
                yield TextDelta("One moment. ")
                await asyncio.sleep(1000)
            finally:
                closed.append(True)

    stage = Rehearsal(llm=Watched())
    running = asyncio.create_task(stage.run(Typed("hello")))
    await asyncio.sleep(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert closed == [True]
    assert not stage.of(TurnEnded)


async def test_the_time_of_every_stage_is_told() -> None:
    stage = Rehearsal(
        stt=ScriptedStt(delay_s=0.5), llm=ScriptedLlm(lambda _: [1.0, "Yes."]), tts=ScriptedTts(delay_s=0.25)
    )
    await stage.run(spoken_utterance())
    assert stage.of(TurnEnded)[0].stages_ms == {"stt": 500, "llm": 1500, "tts": 1750}


async def test_sentence_ends_follow_their_audio() -> None:
    stage = Rehearsal()
    await stage.run(Typed("hello"))
    indexes = [event.index for event in stage.events if isinstance(event, SentenceStarted | SentenceEnded)]
    assert indexes == [0, 0, 1, 1]
    assert stage.of(SpeakingStarted) == [SpeakingStarted("turn-1")]


async def test_a_sentence_begun_anew_is_told() -> None:
    class Broken(ScriptedTts):
        async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
            yield bytes(4_000)
            yield RESTART
            yield bytes(4_000)

    stage = Rehearsal(tts=Broken(), llm=ScriptedLlm(lambda _: "Yes."))
    kinds = await stage.run(Typed("hello"))
    sentence = ["SentenceStarted", "SentenceAudio", "SentenceRestarted", "SentenceAudio", "SentenceEnded"]
    assert [kind for kind in kinds if kind.startswith("Sentence")] == sentence
