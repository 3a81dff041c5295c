"""The official client against a real server."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest
from tests.server.wyoming_house import config, free_port, offered, scripted
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import Synthesize, SynthesizeVoice

from lumi.config.wyoming import WyomingSettings
from lumi.engines.base import Transcript as Heard
from lumi.errors import ConfigError, EngineError
from lumi.server import wyoming_service
from lumi.server.server import Server
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.sounds import tone
from lumi.transport.discovery import WYOMING, Service, browse, keep_announced

pytestmark = pytest.mark.real


async def event_of(client: AsyncClient) -> Event:
    async with asyncio.timeout(10):
        event = await client.read_event()
    assert event is not None, "it hung up"
    return event


async def ask(client: AsyncClient, text: str, **context: str) -> Event:
    await client.write_event(Transcript(text, context=context or None).event())
    return await event_of(client)


async def say(client: AsyncClient, pcm: bytes, language: str | None = None, rate: int = 16_000) -> None:
    await client.write_event(Transcribe(language=language).event())
    await client.write_event(AudioStart(rate, 2, 1).event())
    for start in range(0, len(pcm), 2_048):
        await client.write_event(AudioChunk(rate, 2, 1, pcm[start : start + 2_048]).event())
    await client.write_event(AudioStop().event())


async def hear(client: AsyncClient) -> tuple[int, bytes]:
    """Rate and sound of what is spoken."""
    start = AudioStart.from_event(await event_of(client))
    pcm = b""
    while (event := await event_of(client)).type != "audio-stop":
        pcm += event.payload or b""
    return start.rate, pcm


async def test_it_says_what_it_can_do():
    async with offered(**scripted()) as url, AsyncClient.from_uri(url) as client:
        await client.write_event(Describe().event())
        info = Info.from_event(await event_of(client))
    assert info.asr[0].models[0].name == "scripted-stt"
    assert info.asr[0].models[0].languages == ["en", "zh"]
    assert info.tts[0].voices[0].name == "scripted-tts"
    assert info.handle[0].name == "lumi"
    assert not info.asr[0].supports_transcript_streaming


async def test_one_connection_may_hear_speak_and_converse_in_turn():
    stt, tts = ScriptedStt([Heard("turn on the light", 0.9, language="en")]), ScriptedTts()
    async with offered(**scripted(stt=stt, tts=tts)) as url, AsyncClient.from_uri(url) as client:
        await client.write_event(Ping("x").event())
        assert Pong.from_event(await event_of(client)).text == "x"
        for rate in (16_000, 48_000):
            await say(client, tone(600, rate), "en", rate)
            said = await event_of(client)
            assert said.data == {
                "text": "turn on the light",
                "language": "en",
                "context": {"confidence": 0.9},
            }
        await client.write_event(Synthesize("hello", SynthesizeVoice(name="bob")).event())
        rate, pcm = await hear(client)
        assert (rate, len(pcm)) == (tts.sample_rate_hz, tts.sample_rate_hz * 2 * 300 // 1000)
        await client.write_event(Synthesize("hi", SynthesizeVoice(name="scripted-tts")).event())
        await hear(client)
        assert [voice.name for voice in tts.voices] == ["bob", ""]
        handled = Handled.from_event(await ask(client, "what time is it", conversation_id="c"))
        assert handled == Handled("You said: what time is it. That is all.", {"conversation_id": "c"})


async def test_a_conversation_has_a_memory_of_its_own_over_connections():
    llm = ScriptedLlm()
    async with offered(**scripted(llm=llm)) as url:
        for text, talk in (("one", "a"), ("two", "b"), ("three", "a")):
            async with AsyncClient.from_uri(url) as client:
                await ask(client, text, conversation_id=talk, satellite_id="kitchen")
    last = llm.prompts[-1]
    assert [message.content for message in last.messages if message.role == "user"] == ["one", "three"]
    assert (last.speaker.device_id, last.speaker.session_id) == ("wyoming:kitchen", "a")


async def test_what_fails_is_told_in_the_language_of_whoever_asked():
    llm = ScriptedLlm({"fail": [EngineError("llm", "broken")]})
    stt = ScriptedStt([EngineError("stt", "deaf")])
    async with offered(**scripted(llm=llm, stt=stt)) as url, AsyncClient.from_uri(url) as client:
        await client.write_event(Transcript("fail", language="zh-CN").event())
        assert any(
            "\u4e00" <= sign <= "\u9fff" for sign in NotHandled.from_event(await event_of(client)).text or ""
        )
        await say(client, tone(400))
        assert Error.from_event(await event_of(client)).text == "stt: deaf"
        assert (await ask(client, "still there")).type == "handled"
    assert "fail" not in [m.content for m in llm.prompts[-1].messages if m.role == "assistant"]


async def test_ten_at_once_each_get_their_own():
    async def one(url: str, number: int) -> None:
        async with AsyncClient.from_uri(url) as client:
            await say(client, tone(500))
            assert Transcript.from_event(await event_of(client)).text == "words"
            await client.write_event(Synthesize("a" * (number + 1)).event())
            rate, pcm = await hear(client)
            assert len(pcm) / 2 / rate == pytest.approx(0.06 * (number + 1), abs=0.001)
            assert str(number) in (Handled.from_event(await ask(client, f"number {number}")).text or "")

    async with offered(**scripted(stt=ScriptedStt(["words"]))) as url, asyncio.TaskGroup() as tasks:
        for number in range(10):
            tasks.create_task(one(url, number))


async def raw(url: str, data: bytes, *, hang_up: bool = False) -> list[dict[str, object]]:
    """What comes back on bytes that no client sends: the lines of it."""
    host, port = url.removeprefix("tcp://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        if hang_up:
            return []
        async with asyncio.timeout(10):
            answer = await reader.read()
        return [json.loads(line) for line in answer.splitlines()[:1]]
    except ConnectionError:
        return []
    finally:
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: lumi\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"x" * 200_000,
        b'{"type":"' + b"x" * 200_000,
        b'{"type":"audio-chunk","payload_length":99999999999}\n',
        b'{"type":"synthesize","data_length":300000}\n',
        b"[" * 50_000 + b"\n",
        b'{"type":"describe","data_length":2}\n[]',
    ],
)
async def test_garbage_costs_its_sender_the_connection_and_nobody_else_anything(data):
    async with offered(**scripted()) as url, AsyncClient.from_uri(url) as other:
        answers = await raw(url, data if data.endswith((b"\n", b"]")) else data + b"\n")
        assert [answer["type"] for answer in answers] in ([], ["error"])
        assert (await ask(other, "hello")).type == "handled"


async def test_half_an_event_and_then_silence_or_nothing():
    async with offered(**scripted()) as url:
        for half in (b"{", b'{"type":"synthesize","data_length":50}\n{"te', b'{"type":"audio-start"}\n'):
            await raw(url, half, hang_up=True)
        async with AsyncClient.from_uri(url) as client:
            assert (await ask(client, "hello")).type == "handled"


async def test_requests_that_make_no_sense_are_refused_and_the_next_is_served():
    async with offered(**scripted()) as url, AsyncClient.from_uri(url) as client:
        for event, problem in (
            (Event("synthesize", {}), "synthesize has no text"),
            (Event("transcript", {"text": 7}), "transcript has no text"),
            (Event("synthesize", {"text": "a" * 32_001}), "at most 32000 characters"),
        ):
            await client.write_event(event)
            assert problem in Error.from_event(await event_of(client)).text
        await client.write_event(AudioStart(16_000, 2, 1).event())
        await client.write_event(AudioChunk(16_000, 4, 1, bytes(64)).event())
        assert "accepted: 4000 to 192000 Hz" in Error.from_event(await event_of(client)).text
        await client.write_event(Event("no-such-thing", {}))
        await client.write_event(Event("transcript", {"text": "hello", "context": [1]}))
        assert (await event_of(client)).type == "handled"


async def test_hanging_up_ends_the_work():
    tts = ScriptedTts(piece_s=0.05, ms_per_character=1_000)
    llm = ScriptedLlm(piece_s=1.0)
    async with offered(**scripted(tts=tts, llm=llm)) as url:
        async with AsyncClient.from_uri(url) as client:
            await client.write_event(Synthesize("a" * 100).event())
            await event_of(client)
        async with AsyncClient.from_uri(url) as client:
            await client.write_event(Transcript("a long story", context={"conversation_id": "c"}).event())
            await asyncio.sleep(0.3)
        assert llm.calls == 1
        llm.piece_s = 0.0
        async with AsyncClient.from_uri(url) as client:
            await ask(client, "and now", conversation_id="c")
    assert (tts.finished, llm.finished) == (0, 1)
    assert [m.content for m in llm.prompts[-1].messages if m.role == "user"] == ["and now"]


async def test_more_connections_than_are_allowed():
    async with offered(config(connections=1), **scripted()) as url, AsyncClient.from_uri(url) as first:
        assert (await ask(first, "hello")).type == "handled"
        async with AsyncClient.from_uri(url) as second:
            assert "too many connections" in Error.from_event(await event_of(second)).text
        assert (await ask(first, "hello again")).type == "handled"


async def test_a_port_that_is_taken_is_named():
    async with offered(settings := config(), **scripted()):
        again = config(port=settings.wyoming.port)
        with pytest.raises(ConfigError, match=r"wyoming\.port: \d+ on 127\.0\.0\.1 cannot be had"):
            await Server(again, **scripted()).__aenter__()


async def test_it_is_announced_where_others_can_reach_it(monkeypatch: pytest.MonkeyPatch):
    told: list[tuple[str, str, int]] = []
    kind = f"_t{uuid.uuid4().hex[:10]}._tcp.local."

    async def on_loopback(wanted: str, name: str, port: int, **options: object) -> None:
        told.append((wanted, name, port))
        await keep_announced(kind, name, port, addresses=lambda: ("127.0.0.1",), interfaces=("127.0.0.1",))

    monkeypatch.setattr("lumi.transport.discovery.keep_announced", on_loopback)
    monkeypatch.setattr(wyoming_service, "is_loopback", lambda _host: False)
    port = free_port()
    async with offered(config(port=port, name="Kitchen"), **scripted()):
        found = await browse(kind, seconds=2.5, interfaces=("127.0.0.1",))
    assert told == [(WYOMING, "Kitchen", port)]
    assert found == [Service("Kitchen", port, ("127.0.0.1",), {})]


def test_it_is_off_unless_wanted():
    assert WyomingSettings().port == 0
