"""Whole turns of a realtime model, and what happens when it fails in one, in virtual time."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.voice.test_turn import Rehearsal, spoken_utterance

from lumi.engines.base import EmotionHint, SpokenPiece, TextDelta, ToolNote, Transcript
from lumi.errors import EngineError
from lumi.testing.engines import ScriptedDuplex, ScriptedLlm, ScriptedStt
from lumi.testing.sounds import tone
from lumi.voice.events import (
    Emotion,
    Ending,
    Heard,
    ReplyDone,
    SentenceAudio,
    SentenceEnded,
    SentenceStarted,
    SpeakingStarted,
    ToolUsed,
)
from lumi.voice.turn import Realtime, Typed

BROKEN = EngineError("scripted", "the connection broke")
HEARD = Transcript("what time is it")


def speech(ms: float) -> SpokenPiece:
    return SpokenPiece(tone(ms, 24_000))


def stage(*script: Any, **engines: Any) -> Rehearsal:
    made = Rehearsal(**engines)
    made.turn._realtime = Realtime(ScriptedDuplex([script]))
    return made


def shown(made: Rehearsal) -> list[str]:
    return [event.text for event in made.of(SentenceStarted)]


async def test_what_the_model_hears_and_says_becomes_a_turn_in_order() -> None:
    made = stage(
        HEARD, EmotionHint("happy"), TextDelta("It is noon. "), speech(800), TextDelta("Tea?"), speech(300)
    )
    await made.run(spoken_utterance())
    names = [type(event).__name__ for event in made.events]
    kinds = [kind for kind, _ in itertools.groupby(name for name in names if not name.startswith("Reply"))]
    sentence = ["SentenceStarted", "SentenceAudio", "SentenceEnded"]
    assert kinds[:3] == ["Heard", "Emotion", "SpeakingStarted"]
    assert kinds[3:6] == sentence
    assert shown(made) == ["It is noon.", "Tea?"]
    assert made.of(Heard)[0].transcript == HEARD
    assert made.of(Emotion) == [Emotion("turn-1", "happy")]
    assert made.of(ReplyDone)[0].text == "It is noon. Tea?"
    assert [event.index for event in made.of(SentenceEnded)] == [0, 1]
    assert (made.ending, made.llm.calls, made.stt.calls) == (Ending.DONE, 0, 0)


async def test_the_answer_waits_for_the_words_of_its_question() -> None:
    made = stage(TextDelta("Noon. "), speech(200), 1.0, HEARD, speech(400))
    await made.run(spoken_utterance())
    assert made.kinds()[0] == "Heard"
    assert made.of(Heard) == [Heard("turn-1", HEARD)]
    assert shown(made) == ["Noon."]


async def test_what_tools_did_is_told_and_holds_nothing_up() -> None:
    made = stage(
        ToolNote("lamp"), 3.0, ToolNote("lamp", "done"), TextDelta("It is on."), speech(500), 1.0, HEARD
    )
    await made.run(spoken_utterance())
    assert made.of(ToolUsed) == [ToolUsed("turn-1", "lamp", "done")]
    assert made.kinds()[:2] == ["ToolUsed", "Heard"]


async def test_but_not_for_ever() -> None:
    made = stage(TextDelta("Noon. "), speech(200), 2.0, speech(400), HEARD)
    await made.run(spoken_utterance())
    kinds = made.kinds()
    assert kinds.index("SentenceAudio") < kinds.index("Heard")
    assert made.of(Heard) == [Heard("turn-1", HEARD)]


async def test_a_question_whose_words_never_come_is_answered_all_the_same() -> None:
    made = stage(TextDelta("Noon."), speech(500))
    await made.run(spoken_utterance())
    assert made.of(Heard) == [Heard("turn-1", Transcript("", 0.0))]
    assert shown(made) == ["Noon."]


async def test_speech_without_words_is_heard() -> None:
    made = stage(HEARD, speech(300), speech(300))
    await made.run(spoken_utterance())
    assert shown(made) == ["…"]
    assert made.of(SentenceAudio)


async def test_silence_is_not_answered() -> None:
    made = stage(HEARD, TextDelta("What?"))
    utterance = spoken_utterance()
    utterance.speech_ms = 32
    await made.run(utterance)
    assert made.ending is Ending.EMPTY
    assert made.turn._realtime is not None
    assert made.turn._realtime.duplex.heard == []  # type: ignore[attr-defined]


async def test_typed_words_go_the_ordinary_way() -> None:
    made = stage(HEARD)
    await made.run(Typed("hello"))
    assert made.llm.calls == 1


async def test_when_it_fails_before_a_word_the_others_hear_the_utterance_and_answer() -> None:
    made = stage(BROKEN)
    await made.run(spoken_utterance())
    assert made.of(Heard)[0].transcript.text == "what time is it"
    assert len(made.stt.heard[0]) == 2 * 960
    assert shown(made) == ["It is three.", "Time for tea!"]
    assert made.ending is Ending.DONE


async def test_when_it_fails_in_mid_answer_the_model_goes_on_from_there() -> None:
    llm = ScriptedLlm(lambda _: "is Canberra.")
    made = stage(
        HEARD, TextDelta("Sure. The capital of Australia "), speech(400), speech(1500), BROKEN, llm=llm
    )
    await made.run(spoken_utterance())
    assert made.stt.calls == 0
    assert shown(made)[0] == "Sure."
    assert shown(made)[-1] == "is Canberra."
    assert llm.prompts[0].messages[-2].content.startswith("Sure.")
    assert made.of(SpeakingStarted) == [SpeakingStarted("turn-1")]
    assert [event.index for event in made.of(SentenceStarted)] == list(range(len(shown(made))))
    assert made.ending is Ending.DONE
    assert len(made.of(Heard)) == 1


@pytest.mark.parametrize("stt", [ScriptedStt([BROKEN])])
async def test_when_all_fail_it_is_said(stt: ScriptedStt) -> None:
    made = stage(BROKEN, stt=stt)
    await made.run(spoken_utterance())
    assert made.ending is Ending.FAILED
    assert shown(made)
