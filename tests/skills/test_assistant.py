"""Whole conversations with exact answers, and sentences that must not be answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.skills.conftest import Talk, Talks

from lumi.engines.base import ChatMessage, EmotionHint, Llm, Prompt, Speaker, TextDelta
from lumi.protocol.messages import EMOTIONS
from lumi.testing.llm_conformance import LlmConformance

HERE = Path(__file__).parent


def conversations() -> Iterator[object]:
    """Blocks of `utterance -> emotion: answer`; each begins with an empty store."""
    for language in ("en", "zh"):
        blocks = (HERE / f"said_{language}.txt").read_text("utf-8").strip().split("\n\n")
        for block in blocks:
            lines = [line.split(" -> ", 1) for line in block.splitlines()]
            yield pytest.param(language, lines, id=f"{language}-{lines[0][0]}")


def unrelated(language: str) -> list[str]:
    return (HERE / f"unrelated_{language}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(("language", "lines"), list(conversations()))
async def test_is_answered_exactly(language: str, lines: list[list[str]], talks: Talks) -> None:
    talk = talks(language)
    for utterance, expected in lines:
        reply = await talk.ask(utterance)
        assert f"{reply.emotion}: {reply.text}" == expected, utterance
        assert reply.emotion in EMOTIONS


def test_the_tables_are_large_enough() -> None:
    for language in ("en", "zh"):
        assert (HERE / f"said_{language}.txt").read_text("utf-8").count(" -> ") >= 200


@pytest.mark.parametrize(("language", "words"), [("en", "I did not understand that."), ("zh", "我没听懂。")])
async def test_unrelated_sentences_are_refused_and_not_guessed(
    language: str, words: str, talks: Talks
) -> None:
    sentences = unrelated(language)
    talk = talks(language)
    answered = [text for text in sentences if not (await talk.say(text)).startswith(words)]
    assert len(sentences) >= 100
    assert len(answered) <= len(sentences) * 0.05, answered


@pytest.mark.parametrize(
    ("text", "preferred", "answer"),
    [
        ("17*23", "en", "17 × 23 = 391."),
        ("17*23", "zh", "17 × 23 = 391。"),
        ("10/4", "zh-CN", "10 ÷ 4 = 2.5。"),
        ("what time is it", "zh", "It's 3:25 PM."),
        ("现在几点了", "en", "现在是下午3点25分。"),
    ],
)
async def test_answers_in_the_language_asked(text: str, preferred: str, answer: str, talk: Talk) -> None:
    speaker = Speaker("d", language=preferred, timezone="Asia/Shanghai")
    reply = await talk.llm.answer(Prompt((ChatMessage("user", text),), speaker))
    assert reply.text == answer


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_streams_the_emotion_first_and_then_sentence_by_sentence(language: str, talks: Talks) -> None:
    talk = talks(language)
    question = ChatMessage("user", "tell me a story" if language == "en" else "讲个故事")
    events = [event async for event in talk.llm.reply(Prompt((question,), talk.speaker))]
    assert events[0] == EmotionHint("relaxed")
    sentences = [event.text for event in events[1:] if isinstance(event, TextDelta)]
    assert len(sentences) == len(events) - 1 >= 4
    assert all(sentence.strip()[-1] in ".!?。！？" for sentence in sentences)
    assert (
        "".join(sentences)
        in talk.llm.catalogues["zh" if language == "zh" else "en"].responses["stories.story"]
    )


async def test_a_decimal_point_ends_no_sentence(talk: Talk) -> None:
    prompt = Prompt((ChatMessage("user", "what is 3.5 times 3"),), talk.speaker)
    events = [event async for event in talk.llm.reply(prompt)]
    assert events == [EmotionHint("confident"), TextDelta("3.5 × 3 = 10.5.")]


@pytest.mark.parametrize(
    "text", ["", "   ", "?!", "…", "x" * 8000, "你" * 8000, "((((((((((", "[a|b] {c} <d>", "1+" * 200]
)
async def test_nothing_makes_it_stumble(text: str, talk: Talk) -> None:
    reply = await talk.ask(text)
    assert reply.emotion == "confused"


async def test_an_empty_prompt_is_not_understood(talk: Talk) -> None:
    assert (await talk.llm.answer(Prompt(()))).emotion == "confused"


async def test_devices_share_nothing(talks: Talks) -> None:
    kitchen = talks()
    bedroom = talks(device="bedroom", store=kitchen.store)
    await kitchen.say("add milk to my shopping list")
    await kitchen.say("set a timer for five minutes")
    await kitchen.say("my name is ada")
    assert await bedroom.say("what is on my shopping list") == "Your shopping list is empty."
    assert await bedroom.say("what timers do i have") == "There is no timer running."
    assert (await bedroom.say("what is my name")).startswith("I don't know")


async def test_has_a_handler_for_every_intent(talk: Talk) -> None:
    for catalogue in talk.llm.catalogues.values():
        assert set(catalogue.intents.intents) <= talk.llm.intents


async def test_warm_up_and_close_leave_it_usable(talk: Talk) -> None:
    talk.llm.warm_up()
    await talk.llm.aclose()
    assert await talk.say("two plus two") == "2 + 2 = 4."


async def test_understands_the_same_with_and_without_punctuation_and_case(talk: Talk) -> None:
    for text in ("WHAT TIME IS IT", "What time is it?", "what time is it", " what  time is it ."):
        assert await talk.say(text) == "It's 3:25 PM."


class TestConformance(LlmConformance):
    """What every engine that answers must do, the built-in one too."""

    @pytest.fixture(autouse=True, params=["en", "zh"])
    def _speaking(self, request: pytest.FixtureRequest, talks: Talks) -> None:
        self.talk = talks(request.param)
        self.question = {"en": "what time is it", "zh": "现在几点"}[request.param]

    def make(self) -> Llm:
        return self.talk.llm
