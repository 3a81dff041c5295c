"""A spoken question to a real server whose ears, mind and voice are services behind HTTP; and each way they can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from lumi.config import Config
from lumi.config.engines import LlmSettings, SttSettings, TtsSettings, TurnSettings
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.config.tools import ToolSettings
from lumi.server.app import Server
from lumi.testing import FakeDevice, ScriptedVad
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_server import OpenAiServer
from lumi.testing.rehearsal import spoken
from lumi.testing.wire import SpokenTurn
from lumi.transport.websocket import connect

KEY = "sk-of-this-test"
FAULTS = [
    (Fault.UNAUTHORIZED, "does not accept my key"),
    (Fault.NO_MODEL, "does not exist"),
    (Fault.BUSY, "again in 7 seconds"),
    (Fault.NO_CREDIT, "has no credit left"),
    (Fault.OVERLOADED, "again in 3 seconds"),
    (Fault.DROP, "cannot be reached"),
    (Fault.SILENT, "takes too long"),
    (Fault.PAGE, "gave no whole answer"),
    (Fault.DROP_MIDDLE, "gave no whole answer"),
    (Fault.GARBAGE_MIDDLE, "gave no whole answer"),
    (Fault.HALF, "gave no whole answer"),
    (Fault.BROKEN, "Please try again"),
]


def settings(service: OpenAiServer) -> Config:
    """What somebody writes who has such a service: an engine, an address, a key."""
    where = {"engine": "openai", "base_url": service.base_url, "api_key": KEY}
    return Config.model_validate(
        {
            "server": ServerSettings(port=0, drain_s=0.2),
            "store": StoreSettings(engine="memory"),
            "log": LogSettings(file=False, level="error"),
            "stt": SttSettings.model_validate(where | {"timeout_s": 2}),
            "llm": LlmSettings.model_validate(where | {"timeout_s": 2, "skills_first": False}),
            "tts": TtsSettings.model_validate(where | {"timeout_s": 2, "fallback": []}),
            "tools": ToolSettings(skills=False),  # loading them takes longer than a service may here
            "turn": TurnSettings(silence_ms=300, margin_ms=20),
        }
    )


@asynccontextmanager
async def house() -> AsyncIterator[tuple[OpenAiServer, FakeDevice]]:
    async with (
        OpenAiServer(key=KEY, answers={"what time is it": "It is **noon**."}, ms_per_character=5) as service,
        Server(settings(service), vad=ScriptedVad()) as server,
    ):
        await server.wait_ready()
        async with FakeDevice(await connect(server.url)) as device:
            await device.hello()
            yield service, device


async def ask(device: FakeDevice) -> SpokenTurn:
    """Speak, and hear the answer."""
    await device.listen("start", mode="manual")
    await device.play(spoken(300), frame_ms=5)
    await device.listen("stop")
    return await device.spoken_turn(timeout_s=15)


@pytest.mark.real
async def test_a_spoken_question_gets_a_spoken_answer() -> None:
    async with house() as (service, device):
        turn = await ask(device)
        assert turn.sentences == ["It is **noon**."]
        assert turn.packets
        (heard,) = service.of("transcriptions")
        assert len(heard.pcm) >= 300 * 32
        assert [asked.body["input"] for asked in service.of("speech")] == ["It is noon."]
        assert service.of("chat")[0].body["messages"][-1] == {"role": "user", "content": "what time is it"}


@pytest.mark.real
@pytest.mark.parametrize("what", ["transcriptions", "chat"])
async def test_each_fault_is_heard_by_its_kind_and_the_session_goes_on(what: str) -> None:
    async with house() as (service, device):
        for fault, words in FAULTS:
            service.break_(what, fault)  # type: ignore[arg-type]
            turn = await ask(device)
            said = " ".join(turn.sentences)
            assert words in said, (fault, said)
            assert turn.packets, fault
            service.mend()
        assert (await ask(device)).sentences == ["It is **noon**."]


@pytest.mark.real
async def test_a_voice_that_fails_is_shown_in_words_and_the_session_goes_on() -> None:
    async with house() as (service, device):
        for fault, words in [one for one in FAULTS if one[0] not in {Fault.GARBAGE_MIDDLE, Fault.HALF}]:
            service.break_("speech", fault)
            turn = await ask(device)
            assert turn.sentences == ["It is **noon**."]
            (error,) = [message for message in turn.messages if message["type"] == "error"]
            assert error["error_code"] == "tts_failed"
            assert words in error["error_message"], (fault, error)
            service.mend()
        assert (await ask(device)).packets


@pytest.mark.real
async def test_a_written_question_gets_an_error_in_words_and_then_an_answer() -> None:
    async with house() as (service, device):
        service.break_("chat", Fault.BUSY)
        await device.send_chat("what time is it")
        error = await device.expect("error")
        assert (error["error_code"], error["retry_after"]) == ("llm_failed", 7.0)
        assert error["error_message"] == "Sorry, the language model is busy. Please try again in 7 seconds."
        service.mend()
        assert (await device.chat("what time is it"))["content"] == "It is **noon**."


@pytest.mark.real
@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("are you there", "Sorry, the account for the language model has no credit left. Please top it up."),
        ("你在吗", "抱歉，语言模型的账户余额不足，请充值。"),
    ],
)
async def test_a_used_up_account_is_named_in_the_words_of_whoever_asked(question: str, said: str) -> None:
    async with house() as (service, device):
        service.break_("chat", Fault.NO_BALANCE)
        await device.send_chat(question)
        error = await device.expect("error")
        assert (error["error_code"], error["error_message"]) == ("llm_failed", said)
        assert "retry_after" not in error
        assert len(service.of("chat")) == 1, "it is not asked twice"


@pytest.mark.real
async def test_who_interrupts_is_not_answered_by_the_service_any_longer() -> None:
    async with house() as (service, device):
        service.script.answers = lambda _: "A very long answer that goes on. " * 50
        service.script.piece_s = 0.02
        await device.detect("tell me all")
        await device.expect("tts", state="sentence_start")
        await device.abort()
        await device.expect("tts", state="stop")
        await service.until(lambda: service.of("chat")[0].outcome == "closed")
