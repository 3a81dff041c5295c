from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from lumi.engines.base import (
    ChatMessage,
    Duplex,
    EmotionHint,
    Llm,
    LlmEvent,
    Prompt,
    Speaker,
    SpokenPiece,
    Stt,
    TextDelta,
    ToolCall,
    Transcript,
    Tts,
    Vad,
    Voice,
)
from lumi.errors import EngineError
from lumi.testing.duplex_conformance import DuplexConformance
from lumi.testing.engines import ScriptedDuplex, ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad, echo
from lumi.testing.sounds import silence, tone

WINDOW_MS = 32


class TestScriptedDuplex(DuplexConformance):
    """The double does what a realtime model must do."""

    def make(self) -> Duplex:
        return ScriptedDuplex(
            [[Transcript("hi"), TextDelta("Hello."), SpokenPiece(tone(300, 24_000)), 0.1, TextDelta(" Bye.")]]
        )


def test_doubles_keep_the_seams() -> None:
    vad: Vad = ScriptedVad()
    stt: Stt = ScriptedStt()
    llm: Llm = ScriptedLlm()
    tts: Tts = ScriptedTts()
    assert (vad.window_samples, stt.name, llm.name, tts.sample_rate_hz) == (
        512,
        "scripted-stt",
        "scripted-llm",
        16_000,
    )


# ── VAD ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_vad_tells_loud_from_quiet_for_each_stream() -> None:
    vad = ScriptedVad()
    first, second = vad.open(), vad.open()
    assert vad.score([first, second], [tone(WINDOW_MS), silence(WINDOW_MS)]) == [0.98, 0.02]
    vad.close(first)
    assert (vad.streams, vad.calls) == (1, 1)
    assert vad.open() not in (first, second)


def test_vad_follows_its_script_and_keeps_its_last_value() -> None:
    vad = ScriptedVad([0.1, 0.9])
    slot = vad.open()
    assert [vad.score([slot], [silence(WINDOW_MS)])[0] for _ in range(3)] == [0.1, 0.9, 0.9]


@pytest.mark.parametrize(
    ("slots", "windows"),
    [([0, 0], [silence(32)] * 2), ([0], []), ([0], [b"short"])],
    ids=["twice", "none", "short"],
)
def test_vad_refuses_what_the_seam_forbids(slots: list[int], windows: list[bytes]) -> None:
    vad = ScriptedVad()
    vad.open()
    with pytest.raises(EngineError):
        vad.score(slots, windows)


# ── STT ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _hear(stt: ScriptedStt, *pieces: bytes) -> list[Transcript]:
    return [transcript async for transcript in stt.transcribe(_pieces(*pieces), Speaker())]


async def test_stt_says_its_lines_in_turn_and_repeats_the_last() -> None:
    stt = ScriptedStt(["one", Transcript("two", confidence=0.5)])
    said = [(await _hear(stt, tone(100)))[-1] for _ in range(3)]
    assert said == [Transcript("one", confidence=0.95)] + [Transcript("two", confidence=0.5)] * 2
    assert stt.heard[0] == tone(100)


async def test_stt_hears_nothing_in_silence_or_in_nothing() -> None:
    stt = ScriptedStt(["one"])
    assert (await _hear(stt, silence(100)))[-1].text == ""
    assert (await _hear(stt))[-1].text == ""
    assert (await _hear(ScriptedStt([]), tone(100)))[-1].text == ""


async def test_stt_partials_grow_and_the_final_comes_last_and_late() -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    stt = ScriptedStt([Transcript("what time is it")], partials=True, delay_s=0.25)
    said = await _hear(stt, tone(60), tone(60))
    assert [(t.text, t.is_final) for t in said] == [
        ("what", False),
        ("what time", False),
        ("what time is it", True),
    ]
    assert loop.time() - start == pytest.approx(0.25)


async def test_stt_by_function_and_with_failures() -> None:
    stt = ScriptedStt(lambda pcm: f"{len(pcm)} bytes", partials=True)
    assert [t.text for t in await _hear(stt, bytes(10))] == ["10 bytes"]
    failing = ScriptedStt([EngineError("scripted", "no")], partials=True)
    with pytest.raises(EngineError):
        await _hear(failing, tone(60))
    await failing.aclose()
    assert failing.closed


# ── LLM ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _prompt(text: str) -> Prompt:
    return Prompt([ChatMessage("system", "be kind"), ChatMessage("user", text), ChatMessage("tool", "7")])


async def _reply(llm: ScriptedLlm, text: str) -> list[LlmEvent]:
    return [event async for event in llm.reply(_prompt(text))]


async def test_llm_echoes_word_by_word() -> None:
    llm = ScriptedLlm(delay_s=1.0, piece_s=0.5)
    loop = asyncio.get_running_loop()
    start = loop.time()
    events = await _reply(llm, "hi")
    assert events[:2] == [TextDelta("You"), TextDelta(" said:")]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == echo("hi")
    assert loop.time() - start == pytest.approx(1.0 + 0.5 * len(events))
    assert (llm.calls, llm.finished) == (1, 1)


async def test_llm_answers_by_table_with_events_pauses_and_failures() -> None:
    llm = ScriptedLlm({"a": [EmotionHint("happy"), 2, "Well", EngineError("scripted", "no")], "b": ""})
    seen: list[LlmEvent] = []

    async def collect() -> None:
        async for event in llm.reply(_prompt("a")):
            seen.append(event)

    with pytest.raises(EngineError):
        await collect()
    assert seen == [EmotionHint("happy"), TextDelta("Well")]
    assert await _reply(llm, "b") == []
    assert (await _reply(llm, "else"))[0] == TextDelta("You")
    assert (await _reply(ScriptedLlm(lambda text: [text]), "f")) == [TextDelta("f")]
    await llm.aclose()
    assert (llm.finished, llm.closed) == (2, True)


async def test_llm_without_a_user_message_answers_to_nothing() -> None:
    events = [event async for event in ScriptedLlm(lambda text: f"<{text}>").reply(Prompt([]))]
    assert events == [TextDelta("<>")]


# ── TTS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _speak(tts: ScriptedTts, text: str, speed: float = 1.0) -> list[bytes]:
    return [piece async for piece in tts.synthesize(text, Voice(speed=speed))]


async def test_tts_speaks_so_long_for_each_character() -> None:
    tts = ScriptedTts(ms_per_character=50, sample_rate_hz=22_050, piece_ms=200, delay_s=0.1, piece_s=0.01)
    start = asyncio.get_running_loop().time()
    pieces = await _speak(tts, "0123456789")
    assert b"".join(pieces) == tone(500, 22_050)
    assert [len(piece) for piece in pieces] == [8820, 8820, 4410]
    assert asyncio.get_running_loop().time() - start == pytest.approx(0.13)
    assert len(b"".join(await _speak(tts, "0123456789", speed=2.0))) == len(tone(250, 22_050))
    assert (tts.calls, tts.finished, tts.voices[1].speed) == (2, 2, 2.0)


async def test_tts_says_nothing_where_nothing_is_to_be_said() -> None:
    assert await _speak(ScriptedTts(), "… !") == []


async def test_tts_fails_where_told() -> None:
    tts = ScriptedTts(failures={"bad": EngineError("scripted", "no")})
    assert await _speak(tts, "good")
    with pytest.raises(EngineError):
        await _speak(tts, "a bad one")
    with pytest.raises(EngineError):
        await _speak(ScriptedTts(failures={None: EngineError("scripted", "never")}), "anything")
    await tts.aclose()
    assert tts.closed


async def test_a_stream_that_is_closed_early_is_not_finished() -> None:
    llm, tts = ScriptedLlm(), ScriptedTts()
    for stream in (llm.reply(_prompt("x")), tts.synthesize("a long sentence", Voice())):
        await anext(stream)
        await stream.aclose()  # type: ignore[union-attr]
    assert (llm.finished, tts.finished) == (0, 0)


async def test_an_llm_that_calls_tools_goes_step_by_step() -> None:
    call = ToolCall("1", "light", "{}")
    llm = ScriptedLlm(steps={"on": [[call], lambda results: f"It is {results[0]}."]})
    assert await _reply(llm, "on") == [call]
    asked = ChatMessage("user", "on")
    since = (ChatMessage("assistant", "", tool_calls=(call,)), ChatMessage("tool", "lit", tool_call_id="1"))
    prompt = Prompt((asked, *since))
    said = [event.text async for event in llm.reply(prompt) if isinstance(event, TextDelta)]
    assert "".join(said) == "It is lit."
    assert await _reply(llm, "hello"), "what is not in the script is answered as always"
