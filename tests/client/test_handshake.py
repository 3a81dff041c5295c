from __future__ import annotations

import asyncio
import json
import uuid
from datetime import datetime
from typing import Any

import pytest
from tests.client.scripted_server import Peer, Script, converse, scripted_server

from lumi.audio.format import AudioFormat, Codec
from lumi.client.connection_service import ConnectionService
from lumi.client.events import LinkClosed
from lumi.client.handshake import HandshakeService, Profile, closed_error, make_hello, utc_text
from lumi.client.state_machine import Failed, Phase, Ready
from lumi.errors import (
    ConnectionLost,
    ConnectionRefused,
    HandshakeError,
    HandshakeTimeout,
    MissingSessionId,
)
from lumi.protocol.codec import encode
from lumi.protocol.messages import ClientHello, DeviceInfo, Error, Features

PROFILE = Profile("flutter_client_001", DeviceInfo(platform="android", model="YT3002", os_version="7.0"))


def test_the_hello_is_the_founding_document_s():
    assert json.loads(encode(make_hello(PROFILE, "uuid"))) == {
        "id": "uuid",
        "type": "hello",
        "device_id": "flutter_client_001",
        "device_info": {"platform": "android", "model": "YT3002", "os_version": "7.0"},
        "audio_params": {"format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60},
    } | {
        key: value
        for key, value in json.loads(encode(ClientHello())).items()
        if key in {"version", "transport"}
    }


def test_the_hello_asks_for_what_the_profile_wants():
    profile = Profile(audio=AudioFormat(Codec.PCM, 24_000, 1, 20), features=Features(stream=True), token="t")
    hello = make_hello(profile, "x")
    assert hello.features == Features(stream=True)
    assert hello.audio_params is not None
    assert (hello.audio_params.format, hello.audio_params.sample_rate) == ("pcm", 24_000)
    assert hello.token == "t"


async def handshake(script: Script, **options: Any) -> tuple[Any, ConnectionService]:
    """Run one handshake against `script`; its result or its error, and the service afterwards."""
    async with scripted_server(script) as server, ConnectionService(server.connector) as service:
        await service.connect("ws://x/")
        try:
            result: Any = await HandshakeService(service, **options).perform(PROFILE)
        except (HandshakeError, ConnectionLost, ConnectionRefused) as error:
            result = error
        return result, service


def answering(text: str) -> Script:
    async def script(peer: Peer, item: Any) -> None:
        if isinstance(item, ClientHello):
            await peer.link.send(text.replace("$ID", item.id or ""))

    return script


async def test_a_good_answer_makes_the_client_ready():
    async with scripted_server(converse) as server, ConnectionService(server.connector) as service:
        await service.connect("ws://x/")
        result = await HandshakeService(service).perform(PROFILE)
        assert service.machine.state == Ready("session-1", "9.9")
        assert result.capabilities == ("chat", "voice", "tts", "stt")
        assert result.device_id == "known-as"
        (hello,) = server.received(ClientHello)
        assert str(uuid.UUID(hello.id)) == hello.id


async def test_what_the_answer_leaves_out_has_defaults():
    result, _ = await handshake(
        answering('{"type":"hello","id":"$ID","session_id":"12345678","transport":"websocket"}')
    )
    assert (result.session_id, result.server_version, result.capabilities) == ("12345678", "unknown", ())


@pytest.mark.parametrize("session", ["", ',"session_id":""', ',"session_id":null'])
async def test_a_missing_session_id_is_an_error(session):
    error, service = await handshake(answering('{"type":"hello","id":"$ID"' + session + "}"))
    assert isinstance(error, MissingSessionId)
    assert "服务器响应中缺少session_id" in str(error)
    assert isinstance(service.machine.state, Failed)


async def test_the_deadline_is_ten_seconds():
    start = asyncio.get_running_loop().time()
    error, service = await handshake(answering("{}"))
    assert isinstance(error, HandshakeTimeout)
    assert asyncio.get_running_loop().time() - start == pytest.approx(10)
    assert service.machine.state == Failed("the server did not answer hello within 10 s")


async def test_another_deadline():
    start = asyncio.get_running_loop().time()
    error, _ = await handshake(answering("{}"), timeout_s=2.5)
    assert isinstance(error, HandshakeTimeout)
    assert asyncio.get_running_loop().time() - start == pytest.approx(2.5)


async def test_the_answer_to_another_hello_is_not_ours():
    error, _ = await handshake(answering('{"type":"hello","id":"other","session_id":"12345678"}'))
    assert isinstance(error, HandshakeTimeout)


async def test_other_messages_pass_by_while_waiting():
    async def script(peer: Peer, item: Any) -> None:
        if isinstance(item, ClientHello):
            await peer.link.send('{"type":"pong"}')
            await asyncio.sleep(3)
            await peer.greet(item)

    result, _ = await handshake(script)
    assert result.session_id == "session-1"


def refusing(code: str, message_id: str | None) -> Script:
    async def script(peer: Peer, item: Any) -> None:
        if isinstance(item, ClientHello):
            identifier = item.id if message_id == "$ID" else message_id
            await peer.link.send(encode(Error(error_code=code, error_message="because", id=identifier)))

    return script


async def test_a_refused_hello_says_why():
    error, service = await handshake(refusing("unsupported_audio", "$ID"))
    assert type(error) is HandshakeError
    assert str(error) == "the server refused hello (unsupported_audio): because"
    assert service.machine.phase is Phase.FAILED


async def test_unauthorized_is_a_refusal():
    error, _ = await handshake(refusing("unauthorized", None))
    assert isinstance(error, ConnectionRefused)
    assert error.status == 4401


async def test_an_error_about_something_else_is_no_refusal():
    error, _ = await handshake(refusing("internal", "other"))
    assert isinstance(error, HandshakeTimeout)


@pytest.mark.parametrize(
    ("code", "kind"), [(1011, ConnectionLost), (4401, ConnectionRefused), (4409, ConnectionRefused)]
)
async def test_a_line_that_closes_meanwhile(code, kind):
    async def script(peer: Peer, item: Any) -> None:
        await peer.link.close(code, "")

    error, service = await handshake(script)
    assert isinstance(error, kind)
    assert not service.is_connected


async def test_disposed_of_while_waiting():
    async with scripted_server(answering("{}")) as server, ConnectionService(server.connector) as service:
        await service.connect("ws://x/")
        task = asyncio.create_task(HandshakeService(service).perform(PROFILE))
        await asyncio.sleep(1)
        service._messages.close()
        with pytest.raises(HandshakeError, match="disposed of"):
            await task


async def test_without_a_line_there_is_no_handshake():
    async with ConnectionService() as service:
        with pytest.raises(Exception, match="cannot go from initial to handshaking"):
            await HandshakeService(service).perform(PROFILE)


def test_why_a_link_ended():
    lost = closed_error(LinkClosed(1011, "oops"))
    assert isinstance(lost, ConnectionLost)
    assert (lost.code, lost.reason) == (1011, "oops")
    assert "replaced by a newer connection" in str(closed_error(LinkClosed(4409)))


def test_the_time_is_written_as_the_founding_document_does():
    assert utc_text(1753180200.0) == "2025-07-22T10:30:00.000Z"
    assert datetime.fromisoformat(utc_text(0.5)).timestamp() == 0.5
