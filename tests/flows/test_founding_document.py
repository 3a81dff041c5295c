"""A client that says exactly what the founding document says, over a plain WebSocket, to the real server and engines.

It uses nothing of the project's client: aiohttp, JSON and Opus packets. It must get the document's four kinds of
messages and binary frames, and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusDecoder
from lumi.audio.resample import Resampler
from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings
from lumi.engines.base import Voice
from lumi.engines.espeak import EspeakTts
from lumi.server.server import Server
from lumi.testing.clock import WallClock
from lumi.testing.rehearsal import packets_of

pytestmark = pytest.mark.real

HELLO: dict[str, Any] = {
    "id": "2b2c9f0e-0000-4000-8000-000000000001",
    "type": "hello",
    "version": 1,
    "transport": "websocket",
    "device_id": "flutter_client_001",
    "device_info": {"platform": "android", "model": "YT3002", "os_version": "7.0"},
    "audio_params": {"format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60},
}
ABOUT = {"device_id": "flutter_client_001", "timestamp": "2025-07-22T10:30:00Z"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ISO_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Phone:
    """The document's client: keeps what comes, with its time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.session_id = ""
        self.messages: list[dict[str, Any]] = []
        self.frames: list[tuple[float, bytes]] = []

    async def say(self, **message: Any) -> None:
        await self._socket.send_str(json.dumps(message))

    async def speak(self, packets: list[bytes]) -> None:
        """One packet every 60 ms."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number, packet in enumerate(packets):
            await asyncio.sleep(max(0.0, start + number * 0.06 - loop.time()))
            await self._socket.send_bytes(packet)

    async def hear(self, type_: str, **fields: Any) -> dict[str, Any]:
        """Read until a message of this type with these fields has come."""
        while True:
            frame = await self._socket.receive(timeout=20)
            if frame.type is aiohttp.WSMsgType.BINARY:
                self.frames.append((asyncio.get_running_loop().time(), frame.data))
                continue
            assert frame.type is aiohttp.WSMsgType.TEXT, frame
            message: dict[str, Any] = json.loads(frame.data)
            self.messages.append(message)
            if {"type": type_, **fields}.items() <= message.items():
                return message


@pytest_asyncio.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Phone]:
    config = Config(
        server=ServerSettings(port=0, data_dir=tmp_path, drain_s=0.5),
        log=LogSettings(file=False, level="error"),
    )
    async with Server(config, wall_clock=WallClock()) as server, aiohttp.ClientSession() as http:
        await server.wait_ready()
        async with http.ws_connect(server.url) as socket:
            phone = Phone(socket)
            await phone.say(**HELLO)
            answer = await phone.hear("hello")
            phone.session_id = answer["session_id"]
            yield phone


async def question(text: str) -> list[bytes]:
    """Spoken by the built-in voice, as 60 ms Opus packets at 16 kHz."""
    tts = EspeakTts()
    try:
        pcm = b"".join([piece async for piece in tts.synthesize(text, Voice())])
    finally:
        await tts.aclose()
    return packets_of(Resampler(tts.sample_rate_hz, 16_000).push(pcm, last=True) + bytes(16_000))


async def test_hello_is_answered_field_for_field(phone: Phone) -> None:
    (hello,) = phone.messages
    assert {name: hello[name] for name in ("id", "type", "version", "transport", "audio_params")} == {
        "id": HELLO["id"],
        "type": "hello",
        "version": 1,
        "transport": "websocket",
        "audio_params": HELLO["audio_params"],
    }
    assert UUID.fullmatch(hello["session_id"])
    assert hello["server_info"]["capabilities"] == ["chat", "voice", "tts", "stt"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", hello["server_info"]["version"])


async def test_chat_is_answered_by_a_response(phone: Phone) -> None:
    await phone.say(id="c1", type="chat", content="17乘以23等于多少", session_id=phone.session_id, **ABOUT)
    response = await phone.hear("response")
    assert (response["id"], response["session_id"]) == ("c1", phone.session_id)
    assert "391" in response["content"]
    assert ISO_UTC.fullmatch(response["timestamp"])
    assert [message["type"] for message in phone.messages] == ["hello", "response"]
    assert phone.frames == []


@pytest.mark.parametrize("mode", ["auto", "manual"])
async def test_listen_and_speech_are_answered_by_stt_and_paced_speech(phone: Phone, mode: str) -> None:
    listen = {"type": "listen", "mode": mode, "session_id": phone.session_id, **ABOUT}
    await phone.say(id="l1", state="start", **listen)
    await phone.speak(await question("what time is it"))
    await phone.say(id="l2", state="stop", **listen)
    stt = await phone.hear("stt")
    assert (stt["text"], stt["is_final"]) == ("what time is it", True)
    assert 0.5 < stt["confidence"] <= 1.0
    await phone.hear("tts", state="stop")
    tts = [
        (message["state"], message.get("text", "")) for message in phone.messages if message["type"] == "tts"
    ]
    assert [state for state, _ in tts] == ["start", "sentence_start", "stop"]
    assert "9:30" in tts[1][1]
    assert {message["type"] for message in phone.messages} == {"hello", "stt", "tts"}
    assert {message["session_id"] for message in phone.messages} == {phone.session_id}

    decoder = OpusDecoder(AudioFormat())
    assert {len(decoder.decode(packet)) for _, packet in phone.frames} == {960 * 2}
    assert len(phone.frames) > 15
    first = phone.frames[0][0]
    early = [number * 0.06 - (at - first) for number, (at, _) in enumerate(phone.frames)]
    assert max(early) <= 0.12 + 0.03  # never more than the lead ahead of real time, give or take a tick
