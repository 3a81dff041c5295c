"""The realtime engine against a stand-in on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import pytest

from lumi.engines import realtime_exchange
from lumi.engines.base import (
    ChatMessage,
    Duplex,
    DuplexEvent,
    Filler,
    Prompt,
    Speaker,
    SpokenPiece,
    TextDelta,
    ToolCall,
    ToolNote,
    ToolResult,
    ToolSpec,
    Transcript,
)
from lumi.engines.openai_realtime import OpenAiRealtime
from lumi.errors import EngineError, ToolError, Trouble
from lumi.testing.duplex_conformance import DuplexConformance
from lumi.testing.realtime_script import Call, RealtimeFault
from lumi.testing.realtime_server import RealtimeServer
from lumi.testing.sounds import tone

pytestmark = pytest.mark.real
SPEAKER = Speaker(session_id="s")


async def utterance(ms: float = 600) -> AsyncIterator[bytes]:
    pcm = tone(ms)
    for start in range(0, len(pcm), 1_920):
        yield pcm[start : start + 1_920]


def prompt(*messages: ChatMessage) -> Prompt:
    return Prompt(messages, SPEAKER)


@asynccontextmanager
async def talking(service: RealtimeServer, **options: Any) -> AsyncIterator[OpenAiRealtime]:
    async with service:
        duplex = OpenAiRealtime(base_url=service.base_url, **options)
        try:
            yield duplex
        finally:
            await duplex.aclose()


async def said(duplex: OpenAiRealtime, asked: Prompt | None = None, tools: Any = None) -> list[DuplexEvent]:
    return [event async for event in duplex.converse(utterance(), asked or prompt(), tools)]


def text(events: list[DuplexEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta)).strip()


def words(events: list[DuplexEvent]) -> list[str]:
    return [event.text for event in events if isinstance(event, Transcript)]


def spoken_ms(events: list[DuplexEvent]) -> float:
    return sum(len(event.pcm) for event in events if isinstance(event, SpokenPiece)) / 2 / 24


class TestConformance(DuplexConformance):
    @asynccontextmanager
    async def duplex(self) -> AsyncIterator[Duplex]:
        async with talking(RealtimeServer(piece_s=0.002)) as duplex:
            yield duplex


async def test_a_question_is_heard_written_down_and_answered_aloud() -> None:
    service = RealtimeServer(["It is noon."], api_key="k")
    async with talking(service, api_key="k", voice="alloy") as duplex:
        events = await said(duplex, prompt(ChatMessage("system", "Be brief.")))
    assert (words(events), text(events)) == (["what time is it"], "It is noon.")
    assert spoken_ms(events) == pytest.approx(len("It is noon.") * 50)
    (heard,) = service.sessions
    assert len(heard.utterances[0]) / 2 / 24 == pytest.approx(600, abs=1)
    assert heard.settings["instructions"] == "Be brief."
    assert heard.settings["audio"]["input"]["turn_detection"] is None
    assert heard.settings["audio"]["output"]["voice"] == "alloy"
    assert heard.kinds() == [
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "response.create",
    ]


async def test_one_connection_serves_the_turns_of_a_session_and_remembers() -> None:
    service = RealtimeServer(["Noon.", "Monday."])
    async with talking(service) as duplex:
        await said(duplex)
        history = (ChatMessage("user", "what time is it"), ChatMessage("assistant", "Noon."))
        assert text(await said(duplex, prompt(*history))) == "Monday."
        assert len(service.sessions) == 1
        assert len(service.sessions[0].utterances) == 2
        # Something was typed meanwhile: a new connection is told all of it.
        typed = (*history, *history, ChatMessage("user", "typed"), ChatMessage("assistant", "Yes."))
        await said(duplex, prompt(*typed))
        assert len(service.sessions) == 2
        told = [item for item in service.sessions[1].items if "content" in item]
        assert [item["content"][0]["text"] for item in told] == [one.content for one in typed]
        assert [item["content"][0]["type"] for item in told[:2]] == ["input_text", "output_text"]


async def test_an_idle_connection_is_closed_and_the_dialogue_told_to_the_next() -> None:
    service = RealtimeServer()
    async with talking(service, idle_s=0.05) as duplex:
        await said(duplex)
        await asyncio.sleep(0.3)
        assert not duplex._lines
        await said(duplex, prompt(ChatMessage("user", "a"), ChatMessage("assistant", "b")))
    assert len(service.sessions) == 2


async def test_an_answer_that_is_cut_off_is_forgotten_from_where_it_was_heard() -> None:
    service = RealtimeServer(["This is a rather long answer that goes on for a while.", "Yes."], piece_s=0.05)
    async with talking(service) as duplex:
        stream = cast("AsyncGenerator[DuplexEvent, None]", duplex.converse(utterance(), prompt()))
        pieces = 0
        async with aclosing(stream) as events:
            async for event in events:
                pieces += isinstance(event, SpokenPiece)
                if pieces == 5:
                    duplex.interrupted(SPEAKER, 230.0)
                    break
        answer = next(item for item in service.sessions[0].items if item.get("role") == "assistant")
        assert text(await said(duplex)) == "Yes."
        assert answer["kept_ms"] == 230
        assert "response.cancel" in service.sessions[0].kinds()
        assert len(service.sessions) == 1


async def test_an_utterance_that_is_dropped_leaves_nothing_behind() -> None:
    class Dropped(Exception):
        pass

    async def broken() -> AsyncIterator[bytes]:
        yield tone(300)
        raise Dropped

    service = RealtimeServer()
    async with talking(service) as duplex:
        with pytest.raises(Dropped):
            assert [event async for event in duplex.converse(broken(), prompt())]
        await said(duplex)
        assert len(service.sessions) == 1
        assert len(service.sessions[0].utterances[0]) / 2 / 24 == pytest.approx(600, abs=1)


class Lamp:
    """One tool, which works once."""

    name = "lamp"

    def __init__(self) -> None:
        self.calls: list[ToolCall] = []

    async def specs(self, speaker: Speaker) -> list[ToolSpec]:
        return [ToolSpec("lamp", "switches the lamp")]

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        self.calls.append(call)
        if len(self.calls) > 1:
            raise ToolError("lamp", "it is broken")
        return ToolResult("on")

    async def aclose(self) -> None:
        pass


async def test_tools_are_called_and_their_results_told() -> None:
    service = RealtimeServer([Call("lamp", '{"on": true}', "It is on."), Call("lamp")])
    lamp = Lamp()
    async with talking(service) as duplex:
        assert text(await said(duplex, tools=lamp)) == "It is on."
        assert text(await said(duplex, tools=lamp)) == "Done."
        assert text(await said(duplex)) == "Done."
    assert lamp.calls[0].arguments == '{"on": true}'
    assert service.sessions[0].settings["tools"] == []
    outputs = [item["output"] for item in service.sessions[0].items if item["type"] == "function_call_output"]
    assert outputs == ["on", "lamp: it is broken", "there are no tools"]


class Door(Lamp):
    """Asks for a yes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    async def specs(self, speaker: Speaker) -> list[ToolSpec]:
        return [ToolSpec("door", "opens the door", confirm=True)]

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        self.words.append(speaker.words)
        return ToolResult("open")


@pytest.mark.parametrize(("fault", "words"), [(RealtimeFault.NONE, "yes"), (RealtimeFault.NO_TRANSCRIPT, "")])
async def test_a_tool_that_asks_for_a_yes_is_handed_the_words_of_the_user(
    fault: RealtimeFault, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime_exchange, "TRANSCRIPT_S", 0.2)
    service, door = RealtimeServer([Call("door")], ["yes"]), Door()
    service.fault = fault
    async with talking(service) as duplex:
        events = await said(duplex, tools=door)
    assert door.words == [words]
    assert [one for one in events if isinstance(one, ToolNote)] == [
        ToolNote("door"),
        ToolNote("door", "done"),
    ]


class SlowLamp(Lamp):
    """Takes its time."""

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        await asyncio.sleep(0.3)
        return ToolResult("on")


def waiting(after_s: float) -> Prompt:
    return Prompt((), SPEAKER, filler=Filler(after_s, lambda words: "One moment." if words else "?"))


async def test_a_tool_that_takes_long_is_bridged_in_the_models_own_voice_once() -> None:
    service = RealtimeServer([Call("lamp", then=Call("lamp", then="It is on."))])
    async with talking(service) as duplex:
        events = await said(duplex, waiting(0.05), SlowLamp())
        assert text(events) == "One moment.  It is on."
        assert spoken_ms(events) == pytest.approx(len("One moment.It is on.") * 50, abs=1)
    (heard,) = service.sessions
    assert [item["text"] for item in heard.items if item.get("role") == "assistant"] == ["It is on."]
    asides = [one["response"] for one in heard.received if one.get("response")]
    assert [one["conversation"] for one in asides] == ["none"], "once in a turn"


async def test_a_quick_tool_is_not_bridged_and_a_service_without_asides_answers_all_the_same() -> None:
    service = RealtimeServer([Call("lamp", then="It is on.")])
    async with talking(service) as duplex:
        assert text(await said(duplex, waiting(5), SlowLamp())) == "It is on."
        assert service.sessions[0].kinds().count("response.create") == 2
        service.fault = RealtimeFault.NO_ASIDES
        assert text(await said(duplex, waiting(0.05), SlowLamp())) == "It is on."


async def test_who_speaks_into_a_filler_is_answered_next_and_hears_no_more_of_it() -> None:
    service = RealtimeServer([Call("lamp"), "Yes."], piece_s=0.1)
    async with talking(service) as duplex:
        stream = cast(
            "AsyncGenerator[DuplexEvent, None]", duplex.converse(utterance(), waiting(0.05), Lasting())
        )
        async with aclosing(stream) as events:
            async for event in events:
                if isinstance(event, SpokenPiece):
                    duplex.interrupted(SPEAKER, 40.0)
                    break
        answer = await said(duplex)
        assert text(answer) == "Yes."
        assert spoken_ms(answer) == pytest.approx(len("Yes.") * 50)
        (heard,) = service.sessions
        (cancelled,) = [event for event in heard.received if event["type"] == "response.cancel"]
        assert cancelled["response_id"]
        assert "conversation.item.truncate" not in heard.kinds()


async def test_a_filler_that_has_no_id_yet_ends_with_its_connection() -> None:
    service = RealtimeServer([Call("lamp"), "Yes."])
    async with talking(service) as duplex:

        async def ask() -> None:
            async for event in duplex.converse(utterance(), waiting(0.05), Lasting()):
                if isinstance(event, ToolNote):
                    service.fault = RealtimeFault.SILENT

        asking = asyncio.ensure_future(ask())
        for _ in range(250):
            if service.sessions and any(one.get("response") for one in service.sessions[0].received):
                break
            await asyncio.sleep(0.02)
        asking.cancel()
        await asyncio.wait({asking})
        service.fault = RealtimeFault.NONE
        assert text(await said(duplex)) == "Yes."
        assert len(service.sessions) == 2


async def test_an_error_while_a_filler_is_spoken_ends_the_turn() -> None:
    service = RealtimeServer([Call("lamp")])
    async with talking(service) as duplex:

        async def ask() -> None:
            async for event in duplex.converse(utterance(), waiting(0.05), Lasting()):
                if isinstance(event, ToolNote):
                    service.fault = RealtimeFault.FAILED

        with pytest.raises(EngineError, match="server_error"):
            await ask()


class Lasting(Lamp):
    """Never comes to an end."""

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (RealtimeFault.CUT_IN_ANSWER, Trouble.UNREACHABLE),
        (RealtimeFault.CUT_BEFORE_ANSWER, Trouble.UNREACHABLE),
        (RealtimeFault.SILENT, Trouble.SLOW),
        (RealtimeFault.GARBLED, Trouble.GARBLED),
        (RealtimeFault.FAILED, Trouble.NO_CREDIT),
    ],
)
async def test_what_goes_wrong_is_named_and_the_next_turn_has_a_new_connection(
    fault: RealtimeFault, trouble: Trouble
) -> None:
    service = RealtimeServer()
    async with talking(service, timeout_s=0.5) as duplex:
        service.fault = fault
        with pytest.raises(EngineError) as caught:
            await said(duplex)
        assert caught.value.trouble is trouble
        assert ("duplex.api_key" in str(caught.value)) == (trouble is Trouble.NO_CREDIT)
        service.fault = RealtimeFault.NONE
        assert text(await said(duplex)) == "It is noon."
        assert len(service.sessions) == 2


async def test_too_little_sound_is_refused_by_the_service_and_said() -> None:
    async with talking(RealtimeServer()) as duplex:
        with pytest.raises(EngineError, match="commit_empty"):
            assert [event async for event in duplex.converse(utterance(30), prompt())]


@pytest.mark.parametrize(
    ("fault", "heard"),
    [(RealtimeFault.LATE_TRANSCRIPT, ["what time is it"]), (RealtimeFault.NO_TRANSCRIPT, [])],
)
async def test_the_words_of_the_question_may_come_late_or_never(
    fault: RealtimeFault, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime_exchange, "TRANSCRIPT_S", 0.5)
    service = RealtimeServer()
    service.fault = fault
    async with talking(service) as duplex:
        events = await said(duplex)
        assert (words(events), text(events)) == (heard, "It is noon.")


async def test_a_probe_is_a_connection_and_nothing_more() -> None:
    service = RealtimeServer(api_key="right")
    async with talking(service, api_key="right") as duplex:
        await duplex.probe()
    assert [session.received for session in service.sessions] == [[]]


async def test_who_may_not_come_in_or_finds_nobody_is_told_why() -> None:
    async with talking(RealtimeServer(api_key="right"), api_key="wrong") as duplex:
        with pytest.raises(EngineError, match=r"set duplex\.api_key"):
            await duplex.probe()
        with pytest.raises(EngineError, match=r"set duplex.api_key \(HTTP 401") as refused:
            await said(duplex)
        assert refused.value.trouble is Trouble.KEY_REFUSED
        assert not refused.value.retryable
    with pytest.raises(EngineError, match=r"cannot be reached .*Check duplex.base_url") as away:
        await said(duplex)
    assert away.value.trouble is Trouble.UNREACHABLE
