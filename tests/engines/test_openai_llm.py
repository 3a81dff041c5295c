from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lumi.engines.base import ChatMessage, Image, Llm, Prompt, Speaker, TextDelta, ToolCall, ToolSpec
from lumi.engines.openai_llm import OpenAiLlm
from lumi.errors import ConfigError, EngineError, Trouble
from lumi.testing.llm_conformance import LlmConformance, asked, text_of
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_script import Call, Thought
from lumi.testing.openai_server import OpenAiServer
from lumi.testing.service_conformance import ServiceConformance


@asynccontextmanager
async def parts(
    options: dict[str, Any] | None = None, **script: Any
) -> AsyncIterator[tuple[OpenAiServer, OpenAiLlm]]:
    async with OpenAiServer(**script) as service:
        llm = OpenAiLlm(base_url=service.base_url, **(options or {}))
        yield service, llm
        await llm.aclose()


async def said(llm: Llm, prompt: Prompt) -> list[Any]:
    return [event async for event in llm.reply(prompt)]


@pytest.mark.real
class TestConformance(LlmConformance):
    @asynccontextmanager
    async def llm(self) -> AsyncIterator[Llm]:
        async with parts() as (_, llm):
            yield llm

    async def test_closes_twice(self) -> None:
        async with parts() as (_, llm):
            await said(llm, asked("hi"))
            await llm.aclose()


@pytest.mark.real
class TestFailures(ServiceConformance):
    what = "chat"

    def make(self, **settings: Any) -> OpenAiLlm:
        return OpenAiLlm(**settings)

    async def use(self, engine: OpenAiLlm) -> str:
        return text_of(await said(engine, asked("what time is it")))


@pytest.mark.real
async def test_what_was_said_before_a_failure_was_said() -> None:
    async with parts(answers=lambda _: "A long answer. " * 20) as (service, llm):
        service.break_("chat", Fault.ERROR_MIDDLE)
        heard = []
        answer = llm.reply(asked("hi"))

        async def listen() -> None:
            async for event in answer:
                heard.append(event)

        with pytest.raises(EngineError, match="The model crashed"):
            await listen()
        assert "A long answer." in text_of(heard)


@pytest.mark.real
async def test_thoughts_are_never_said() -> None:
    reply = [Thought("Let me see"), "<think>They want <b>noon</b>, 中午</thi", "nk>\n\nIt is 中午 < 13."]
    async with parts(answers=lambda _: reply, torn_bytes=7) as (_, llm):
        assert text_of(await said(llm, asked("when"))) == "It is 中午 < 13."


@pytest.mark.real
async def test_a_model_that_begins_in_its_thoughts() -> None:
    async with parts({"thinking": True}, answers=lambda _: "They greet.</think>Hello!") as (_, llm):
        assert text_of(await said(llm, asked("hi"))) == "Hello!"


@pytest.mark.real
async def test_tools_are_offered_called_and_answered() -> None:
    lamp = ToolSpec("self.lamp.turn_on", "Turns the lamp on", {"type": "object", "properties": {"level": {}}})
    bell = ToolSpec("self_lamp_turn_on", "Another one, of nearly the same name")
    reply = ["Let me do that.", Call("self_lamp_turn_on", {"level": 3}, "a"), Call("made_up", "", "b")]
    async with parts(answers={"light": reply}) as (service, llm):
        prompt = Prompt((ChatMessage("user", "light"),), tools=(lamp, bell))
        events = await said(llm, prompt)
        assert text_of(events) == "Let me do that."
        calls = [event for event in events if isinstance(event, ToolCall)]
        assert calls == [ToolCall("a", "self.lamp.turn_on", '{"level": 3}'), ToolCall("b", "made_up", "{}")]
        history = (
            *prompt.messages,
            ChatMessage("assistant", "Let me do that.", tool_calls=tuple(calls)),
            ChatMessage("tool", "it is on", tool_call_id="a"),
        )
        assert text_of(await said(llm, Prompt(history, tools=(lamp, bell)))) == "It says: it is on."
        first, second = (asked.body for asked in service.of("chat"))
        names = [tool["function"]["name"] for tool in first["tools"]]
        assert names == ["self_lamp_turn_on", "self_lamp_turn_on_2"]
        assert first["tools"][1]["function"]["parameters"] == {"type": "object", "properties": {}}
        assert second["messages"][-2]["tool_calls"][0]["function"] == {
            "name": "self_lamp_turn_on",
            "arguments": '{"level": 3}',
        }
        assert second["messages"][-1] == {"role": "tool", "content": "it is on", "tool_call_id": "a"}


@pytest.mark.real
async def test_pictures_go_along() -> None:
    async with parts() as (service, llm):
        message = ChatMessage("user", "what is this", images=(Image(b"\xff\xd8\xff", "image/jpeg"),))
        await said(llm, Prompt((message,)))
        (asked_,) = service.of("chat")
        assert asked_.body["messages"][-1]["content"] == [
            {"type": "text", "text": "what is this"},
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/"}},
        ]


@pytest.mark.real
@pytest.mark.parametrize(("language", "words"), [("en", "read aloud"), ("zh", "朗读")])
async def test_a_model_is_told_that_it_will_be_heard_unless_the_settings_say_more(
    language: str, words: str
) -> None:
    async with parts() as (service, llm):
        await said(llm, asked("hi", language=language))
        await said(llm, asked("hi", ChatMessage("system", "You are a pirate."), language=language))
        first, second = (asked.body["messages"] for asked in service.of("chat"))
        assert words in first[0]["content"]
        assert second[0] == {"role": "system", "content": "You are a pirate."}
        assert len(second) == 2


@pytest.mark.real
async def test_options_go_along() -> None:
    options = {"temperature": 0.2, "max_tokens": "300", "extra": {"top_k": 5}, "headers": {"X-Title": "Lumi"}}
    async with parts(options) as (service, llm):
        await said(llm, asked("hi"))
        (asked_,) = service.of("chat")
        assert asked_.body["temperature"] == 0.2
        assert asked_.body["max_tokens"] == 300
        assert asked_.body["top_k"] == 5
        assert asked_.headers["x-title"] == "Lumi"


@pytest.mark.real
async def test_a_service_that_does_not_list_its_models_is_asked_all_the_same() -> None:
    async with parts(lists_models=False) as (service, llm):
        await llm.start()
        assert await said(llm, asked("hi"))
        assert service.of("chat")[0].body["model"] == "default"


@pytest.mark.real
async def test_the_model_is_chosen_from_what_there_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="lumi.engine")
    async with parts(models=("nomic-embed-text", "whisper-1", "llama3.2", "qwen3")) as (service, llm):
        await llm.start()
        await said(llm, asked("hi"))
        assert service.of("chat")[0].body["model"] == "llama3.2"
        assert "llm.model sets another" in caplog.text


@pytest.mark.real
async def test_a_service_without_a_fitting_model_says_what_it_has() -> None:
    async with parts(models=()) as (_, llm):
        with pytest.raises(EngineError) as caught:
            await said(llm, asked("hi"))
        assert caught.value.trouble is Trouble.UNKNOWN_MODEL


def test_settings_that_make_no_sense_are_refused_by_name() -> None:
    for url in ("localhost", "ftp://x", "http://", "http://a b/v1", "http://x:99999"):
        with pytest.raises(ConfigError, match=r"llm\.base_url"):
            OpenAiLlm(base_url=url)
    with pytest.raises(ConfigError, match=r"llm\.api_key: is missing"):
        OpenAiLlm()
    with pytest.raises(
        ConfigError, match=r"llm\.options: .*temprature.*options of openai are: .*temperature"
    ):
        OpenAiLlm(base_url="http://x", temprature=1)
    with pytest.raises(ConfigError, match=r"llm\.options: .*temperature"):
        OpenAiLlm(base_url="http://x", temperature="hot")


def test_the_key_is_in_no_representation() -> None:
    assert "sk-1" not in repr(vars(OpenAiLlm(api_key="sk-1")._service)["endpoint"])


@pytest.mark.real
async def test_an_answer_that_is_not_streamed_is_taken() -> None:
    async with parts() as (service, llm):
        service.script.streams = False
        assert text_of(await said(llm, asked("hi"))) == "You said: hi. That is all."
        assert isinstance((await said(llm, Prompt((ChatMessage("user", "x"),), Speaker())))[0], TextDelta)
