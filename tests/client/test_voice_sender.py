from __future__ import annotations

import asyncio

import pytest
from tests.client.scripted_server import ScriptedServer, scripted_server

from lumi.audio.format import AudioFormat, Codec
from lumi.client.connection_service import ConnectionService
from lumi.client.handshake import HandshakeService, Profile
from lumi.client.voice_sender import VoiceSender
from lumi.errors import AudioError
from lumi.protocol.messages import AudioFrame

PCM = AudioFormat(Codec.PCM, 16_000, 1, 20)


async def sender(server: ScriptedServer, service: ConnectionService) -> VoiceSender:
    await service.connect("ws://x/")
    await HandshakeService(service).perform(Profile(audio=PCM))
    return VoiceSender(service, PCM)


def sent(server: ScriptedServer) -> list[bytes]:
    return [frame.payload for frame in server.received(AudioFrame)]


async def test_pieces_of_any_length_become_packets_and_the_rest_goes_out_at_the_end():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        voice = await sender(server, service)
        assert await voice.pcm(b"\1\1" * 300, 16_000) == 0
        assert await voice.pcm(b"\1\1" * 100, 16_000) == 1
        assert await voice.finish() == 1
        assert await voice.finish() == 0
        await asyncio.sleep(0)
        assert sent(server) == [b"\1\1" * 320, b"\1\1" * 80 + bytes(480)]


async def test_speech_takes_as_long_as_it_lasts():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        voice = await sender(server, service)
        start = asyncio.get_running_loop().time()
        await voice.pcm(bytes(32_000), 16_000)
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.98)
        assert len(sent(server)) >= 49


async def test_another_rate_begins_another_recording():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        voice = await sender(server, service)
        await voice.pcm(b"\1\1" * 10, 16_000)
        assert await voice.pcm(bytes(640), 8_000) >= 2
        await asyncio.sleep(0)
        assert sent(server)[0] == b"\1\1" * 10 + bytes(620)


async def test_a_rate_that_is_none():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        voice = await sender(server, service)
        for rate_hz in (0, -1, 1_000_000):
            with pytest.raises(AudioError, match="not that of speech"):
                await voice.pcm(b"", rate_hz)


async def test_two_at_once_do_not_mix_their_frames():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        voice = await sender(server, service)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(voice.pcm(b"\1\1" * 960, 16_000))
            tasks.create_task(voice.pcm(b"\2\2" * 960, 16_000))
        await asyncio.sleep(0)
        assert sent(server) == [b"\1\1" * 320] * 3 + [b"\2\2" * 320] * 3
