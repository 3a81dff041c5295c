"""What `test_session` does not show of typed turns."""

from __future__ import annotations

import pytest

from lumi.engines.base import EmotionHint
from lumi.errors import EngineError, Trouble
from lumi.server.kit import SessionSettings
from lumi.testing.engines import ScriptedLlm
from lumi.testing.rehearsal import Rehearsal


async def test_the_dialogue_grows_with_each_chat() -> None:
    llm = ScriptedLlm()
    async with (
        Rehearsal(llm=llm, settings=SessionSettings(persona="be kind")) as house,
        house.device() as device,
    ):
        await device.hello()
        await device.chat("one")
        await device.chat("two")
    assert [(message.role, message.content) for message in llm.prompts[-1].messages] == [
        ("system", "be kind"),
        ("user", "one"),
        ("assistant", "You said: one. That is all."),
        ("user", "two"),
    ]


async def test_a_chat_that_failed_is_not_in_the_dialogue() -> None:
    llm = ScriptedLlm({"bad": [EngineError("scripted", "it broke")]})
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello()
        await device.send_chat("bad")
        await device.expect("error")
        await device.chat("good")
    assert [message.content for message in llm.prompts[-1].messages] == ["good"]


async def test_what_failed_is_told_in_the_askers_words_and_when_to_come_back() -> None:
    busy = EngineError("far", "http://10.0.0.1: 429", trouble=Trouble.BUSY, retry_after_s=7)
    async with Rehearsal(llm=ScriptedLlm({"bad": [busy], "坏": [busy]})) as house, house.device() as device:
        await device.hello()
        for words, said in (
            ("bad", "Sorry, the language model is busy. Please try again in 7 seconds."),
            ("坏", "抱歉，语言模型正忙，请7秒后再试。"),
        ):
            await device.send_chat(words)
            error = await device.expect("error")
            assert (error["error_code"], error["error_message"]) == ("llm_failed", said)
            assert error["retry_after"] == 7
        await device.chat("good")


async def test_a_mistake_of_ours_is_an_error_for_the_asker_alone() -> None:
    llm = ScriptedLlm({"bad": [RuntimeError("a bug")]})
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello()
        chat_id = await device.send_chat("bad")
        error = await device.expect("error")
        assert (error["error_code"], error["id"], error["retryable"]) == ("internal", chat_id, True)
        assert "a bug" not in error["message"]
        await device.chat("good")


async def test_chinese_is_understood_from_its_script() -> None:
    llm = ScriptedLlm()
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello()
        await device.chat("你好")
        await device.chat("17 + 4")
        await device.chat("hello")
    assert [prompt.speaker.language for prompt in llm.prompts] == ["zh", "zh", "en"]


async def test_a_chat_sent_again_before_it_is_answered_is_answered_once() -> None:
    async with Rehearsal(llm=ScriptedLlm(delay_s=5)) as house, house.device() as device:
        await device.hello()
        for _ in range(40):
            await device.send_chat("one", id="a")
            await device.send_chat("two", id="b")
        assert [(await device.expect("response"))["id"] for _ in "ab"] == ["a", "b"]
        await device.quiet(30)
        assert "error" not in device.types
        assert (await device.chat("one", id="a"))["content"]


async def test_the_same_id_with_other_words_is_refused_while_the_first_waits() -> None:
    async with Rehearsal(llm=ScriptedLlm(delay_s=5)) as house, house.device() as device:
        await device.hello()
        await device.send_chat("one", id="a")
        await device.send_chat("two", id="a")
        assert "one" in (await device.expect("response"))["content"]
        assert (await device.expect("error"))["error_code"] == "bad_message"


@pytest.mark.parametrize("wanted", [True, False])
async def test_who_wants_emotions_is_told_how_a_written_answer_is_meant(wanted):
    llm = ScriptedLlm(lambda _: [EmotionHint("happy"), "It is noon."])
    async with Rehearsal(llm=llm) as house, house.device() as device:
        await device.hello(features={"emotion": wanted})
        await device.chat("What time is it?")
        assert [message["emotion"] for message in device.messages if message["type"] == "llm"] == [
            "happy"
        ] * wanted
