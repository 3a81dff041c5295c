from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.client.scripted_server import Peer, ScriptedServer, converse, scripted_server, speak

from lumi.audio.format import AudioFormat, Codec
from lumi.client.client import DEFAULT_FEATURES, connect
from lumi.client.events import Audio
from lumi.client.state_machine import Disconnected, Initial, Phase, Ready, StateMachine
from lumi.errors import (
    ConnectFailed,
    ConnectionLost,
    LocalProtocolError,
    NotConnected,
    ReplyTimeout,
    ServerError,
)
from lumi.protocol.messages import (
    Abort,
    AudioFrame,
    Chat,
    ClientHello,
    DeviceInfo,
    Error,
    Features,
    Listen,
    Ping,
    Played,
    Response,
    ServerInfo,
    Stt,
    Tts,
    TtsState,
)

PCM = AudioFormat(Codec.PCM)


def joined(server: ScriptedServer, **options: Any) -> Any:
    """A client for one line: how it comes back is shown elsewhere."""
    return connect("ws://x/", device_id="me", connector=server.connector, reconnect=None, **options)


async def test_who_we_talk_to():
    async with scripted_server() as server, joined(server, device_info=DeviceInfo(locale="zh_CN")) as client:
        assert client.state == Ready("session-1", "9.9")
        assert client.session_id == "session-1"
        assert client.server_info == ServerInfo(version="9.9", capabilities=("chat", "voice", "tts", "stt"))
        assert client.device_id == "known-as"
        assert client.features == DEFAULT_FEATURES
        (hello,) = server.received(ClientHello)
        assert (hello.device_id, hello.device_info) == ("me", DeviceInfo(locale="zh_CN"))
    assert client.state == Disconnected()


async def test_the_way_to_ready_can_be_watched_from_its_first_step():
    machine = StateMachine()
    states = machine.listen()
    async with scripted_server() as server, joined(server, machine=machine):
        pass
    phases = [state.phase async for state in states]
    assert phases == [Phase.CONNECTING, Phase.CONNECTED, Phase.HANDSHAKING, Phase.READY, Phase.DISCONNECTED]


async def test_a_token_goes_out_as_a_header_beside_others():
    async with scripted_server() as server, joined(server, token="secret", headers={"X-A": "1"}):
        assert server.headers == {"X-A": "1", "Authorization": "Bearer secret"}


async def test_a_chat_is_answered():
    async with scripted_server() as server, joined(server) as client:
        reply = await client.chat("hello", chat_id="c1")
        assert (reply.id, reply.content) == ("c1", "HELLO")
        (chat,) = server.received(Chat)
        assert (chat.id, chat.content, chat.session_id, chat.device_id) == (
            "c1",
            "hello",
            "session-1",
            "known-as",
        )
        assert chat.timestamp.endswith("Z")


async def test_many_chats_at_once_each_get_their_own_answer():
    async with scripted_server() as server, joined(server) as client:
        replies = await asyncio.gather(*(client.chat(f"number {n}") for n in range(20)))
        assert [reply.content for reply in replies] == [f"NUMBER {n}" for n in range(20)]


async def test_an_answer_as_it_is_made():
    async def streaming(peer: Peer, item: Any) -> None:
        await converse(peer, item) if not isinstance(item, Chat) else None
        if isinstance(item, Chat):
            for piece in ("He", "llo"):
                await peer.send(Response(id=item.id, is_final=False, delta=piece))
            await peer.send(Response(id=item.id, content="Hello"))

    heard: list[str] = []
    async with scripted_server(streaming) as server, joined(server, features=Features(stream=True)) as client:
        reply = await client.chat("hi", on_delta=heard.append)
        assert (reply.content, heard) == ("Hello", ["He", "llo"])


async def test_an_error_reply_is_raised():
    async def refusing(peer: Peer, item: Any) -> None:
        if isinstance(item, Chat):
            await peer.send(Error(error_code="too_large", error_message="at most 8000", id=item.id))
        else:
            await converse(peer, item)

    async with scripted_server(refusing) as server, joined(server) as client:
        with pytest.raises(ServerError, match="at most 8000"):
            await client.chat("x")


async def mute(peer: Peer, item: Any) -> None:
    if isinstance(item, ClientHello):
        await peer.greet(item)


async def test_no_answer_in_time():
    async with scripted_server(mute) as server, joined(server) as client:
        start = asyncio.get_running_loop().time()
        with pytest.raises(ReplyTimeout, match="60 s"):
            await client.chat("anybody?")
        assert asyncio.get_running_loop().time() - start == pytest.approx(60)
        with pytest.raises(TimeoutError):
            await client.chat("anybody?", timeout_s=1)
        assert client.state.phase is Phase.READY


async def test_a_line_that_breaks_fails_whoever_waits():
    async with scripted_server(mute) as server, joined(server) as client:
        events = client.events()
        waiting = asyncio.create_task(client.chat("hello?"))
        await asyncio.sleep(1)
        server.peer.link.cut()
        with pytest.raises(ConnectionLost):
            await waiting
        with pytest.raises(ConnectionLost):
            await anext(events)
        assert client.state.phase is Phase.ERROR
        with pytest.raises(NotConnected):
            await client.chat("too late")


async def test_an_orderly_close_ends_the_events():
    async with scripted_server(mute) as server, joined(server) as client:
        events = client.events()
        await server.peer.link.close(1001, "going away")
        assert [event async for event in events] == []
        assert client.state == Disconnected()


async def test_closing_by_hand():
    async with scripted_server() as server, joined(server) as client:
        states = client.states()
        await client.close()
        assert await anext(states) == Disconnected()
        with pytest.raises(NotConnected):
            await client.abort()


async def test_all_listeners_get_all_events():
    async with scripted_server() as server, joined(server) as client:
        with client.events() as first, client.events() as second:
            await speak(server.peer, "l1")
            for events in (first, second):
                got = [await anext(events) for _ in range(6)]
                assert [type(event) for event in got] == [Stt, Tts, Tts, Audio, Audio, Tts]
                assert [event.turn_id for event in got if isinstance(event, Audio)] == ["t1", "t1"]
                assert all(len(event.pcm) == 1920 or event.pcm for event in got if isinstance(event, Audio))


async def test_the_microphone_s_messages():
    async with scripted_server() as server, joined(server, audio=PCM) as client:
        listen_id = await client.listen_start("manual")
        await client.send_audio(bytes(1920))
        assert await client.send_pcm(bytes(2000), 16_000) == 1
        await client.listen_stop()
        await client.detect("what time is it")
        await client.abort("user_interrupt")
        await asyncio.sleep(0.1)
        start, stop, detect = server.received(Listen)
        assert (start.state, start.mode, start.id, start.session_id) == (
            "start",
            "manual",
            listen_id,
            "session-1",
        )
        assert stop.state == "stop"
        assert (detect.state, detect.text) == ("detect", "what time is it")
        assert [len(frame.payload) for frame in server.received(AudioFrame)] == [1920, 1920, 1920]
        (abort,) = server.received(Abort)
        assert abort.reason == "user_interrupt"


async def test_what_was_really_heard_is_told_where_it_is_wanted():
    async with scripted_server() as server, joined(server) as client:
        assert not await client.played("t1", 100)
    async with scripted_server() as server, joined(server, features=Features(played=True)) as client:
        assert await client.played("t1", 100, final=True)
        await asyncio.sleep(0)
        (played,) = server.received(Played)
        assert (played.turn_id, played.ms, played.final) == ("t1", 100, True)


async def test_any_message_may_be_sent():
    async with scripted_server() as server, joined(server) as client:
        assert await client.send(Ping())
        await asyncio.sleep(0)
        assert len(server.received(Ping)) == 1


async def test_a_spoken_question_gets_its_answer():
    async with scripted_server() as server, joined(server, audio=PCM) as client:
        start = asyncio.get_running_loop().time()
        reply = await client.ask(bytes(32_000), rate_hz=16_000)
        assert (reply.transcript, reply.confidence, reply.text) == ("what time is it", 0.9, "It is noon.")
        assert reply.first_audio_ms == pytest.approx(50)
        assert reply.audio_s > 0
        assert asyncio.get_running_loop().time() - start == pytest.approx(0.96 + 0.05)
        assert len(server.received(AudioFrame)) == 17


async def test_a_server_that_falls_silent_in_the_middle():
    async with scripted_server(mute) as server, joined(server) as client:
        with pytest.raises(ReplyTimeout, match="said nothing for 5 s"):
            await client.ask(bytes(3200), rate_hz=16_000, timeout_s=5)


async def test_a_line_that_closes_in_the_middle_of_the_answer():
    async def leaving(peer: Peer, item: Any) -> None:
        await mute(peer, item)
        if isinstance(item, Listen) and item.state == "stop":
            await peer.send(Stt(text="wha"), Tts(state=TtsState.START))
            await peer.link.close(1001, "restart")

    async with scripted_server(leaving) as server, joined(server) as client:
        with pytest.raises(ConnectionLost, match="middle of the answer"):
            await client.ask(bytes(3200), rate_hz=16_000)


async def test_applications_add_steps_of_their_own():
    async def shout(response: Response) -> Response:
        return Response(id=response.id, content=response.content + "!")

    async with scripted_server() as server, joined(server) as client:
        client.pipeline.add_step(Response, shout)
        with client.events() as events:
            await client.chat("hello")
            event = await anext(events)
            assert isinstance(event, Response)
            assert event.content == "HELLO!"


async def test_an_application_s_own_error_comes_out_unwrapped():
    async with scripted_server() as server:
        with pytest.raises(ZeroDivisionError):
            async with joined(server):
                _ = 1 / 0


async def test_no_connection_no_client():
    async with scripted_server(refusal=ConnectFailed("nobody")) as server:
        with pytest.raises(ConnectFailed, match="nobody"):
            async with joined(server):
                pytest.fail("there is no server")


async def test_the_same_id_twice_at_once_is_refused_here():
    async with scripted_server(mute) as server, joined(server) as client:
        first = asyncio.create_task(client.chat("a", chat_id="same"))
        await asyncio.sleep(0)
        with pytest.raises(LocalProtocolError, match="same"):
            await client.chat("b", chat_id="same")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_before_the_handshake_nothing_is_known():
    async with (
        scripted_server(refusal=ConnectFailed("nobody")) as server,
        connect("ws://x/", device_id="me", connector=server.connector, wait_ready=False) as client,
    ):
        assert (client.session_id, client.device_id) == ("", "me")
        assert client.server_info == ServerInfo(version="unknown", capabilities=())
        assert client.features == Features()
        assert client.state == Initial()


async def test_a_listener_that_lags_loses_sound_and_no_message():
    async with scripted_server() as server, joined(server, audio=PCM) as client:
        with client.events() as slow, client.events() as quick:
            for number in range(600):
                await server.peer.send(AudioFrame(number.to_bytes(2, "little")))
                await anext(quick)
            await server.peer.send(Stt(text="still there"))
            await anext(quick)
            first = await anext(slow)
            assert isinstance(first, Audio)
            assert first.pcm == (89).to_bytes(2, "little")
            rest = [await anext(slow) for _ in range(511)]
            assert isinstance(rest[-1], Stt)
            assert slow.missed == 89
