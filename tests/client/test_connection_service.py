from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.client.scripted_server import Peer, converse, scripted_server

from lumi.client.connection_service import ConnectionService
from lumi.client.events import LinkClosed
from lumi.client.handshake import HandshakeService, Profile
from lumi.client.state_machine import Connected, Connecting, Disconnected, Errored, Failed, Initial, Phase
from lumi.errors import ConnectFailed, ConnectionLost, LocalProtocolError, NotConnected
from lumi.protocol.messages import AudioFrame, Chat, ErrorCode, Fault, Played, Stt, Tts, TtsState


async def silent(_peer: Peer, _item: Any) -> None:
    """Says nothing."""


async def greeted(service: ConnectionService, server: Any) -> None:
    await service.connect("ws://x/")
    await HandshakeService(service).perform(Profile())


async def test_the_states_of_a_connection():
    async with scripted_server(silent) as server, ConnectionService(server.connector) as service:
        states = service.states()
        assert service.machine.state == Initial()
        assert not service.is_connected
        await service.connect("ws://x/", {"X-Test": "1"})
        assert service.is_connected
        assert server.headers == {"X-Test": "1"}
        await service.disconnect()
        assert [await anext(states) for _ in range(3)] == [Connecting(), Connected(), Disconnected()]


async def test_a_failure_to_connect_is_a_state_and_an_error():
    async with (
        scripted_server(refusal=ConnectFailed("nobody there")) as server,
        ConnectionService(server.connector) as service,
    ):
        with pytest.raises(ConnectFailed):
            await service.connect("ws://x/")
        assert service.machine.state == Failed("nobody there")


async def test_cancelled_while_connecting():
    async def never(url: str, *, headers: Any) -> Any:
        await asyncio.Event().wait()

    async with ConnectionService(never) as service:
        task = asyncio.create_task(service.connect("ws://x/"))
        await asyncio.sleep(1)
        assert service.machine.phase is Phase.CONNECTING
        with pytest.raises(LocalProtocolError):
            await service.connect("ws://x/")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert service.machine.state == Disconnected()


async def test_sending_without_a_line_is_an_error():
    async with ConnectionService() as service:
        with pytest.raises(NotConnected):
            await service.send_message(Chat(id="a", content="hi"))
        with pytest.raises(NotConnected):
            await service.send_binary(b"x")
        with pytest.raises(NotConnected):
            service.protocol  # noqa: B018
        await service.disconnect()
        assert service.machine.state == Initial()


async def test_messages_and_sound_come_to_every_listener_in_order():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        first, second = service.messages(), service.messages()
        await server.peer.send(Stt(text="hi"), AudioFrame(b"opus"), Tts(state=TtsState.STOP))
        for listener in (first, second):
            items = [await anext(listener) for _ in range(3)]
            assert [type(item) for item in items] == [Stt, AudioFrame, Tts]
            assert items[1] == AudioFrame(b"opus")


async def test_sound_goes_out_framed_and_numbered():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await service.connect("ws://x/", {"Protocol-Version": "2"})
        await HandshakeService(service).perform(Profile())
        assert service.protocol.agreement is not None
        assert await service.send_binary(b"one", timestamp_ms=60)
        await asyncio.sleep(0.1)
        (frame,) = server.received(AudioFrame)
        assert (frame.payload, frame.timestamp_ms) == (b"one", 60)


async def test_what_the_server_did_not_agree_to_is_not_sent():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        assert not await service.send_message(Played(turn_id="t", ms=1))
        await asyncio.sleep(0.1)
        assert server.received(Played) == []


async def test_out_of_turn_is_an_error_of_ours():
    async with scripted_server(silent) as server, ConnectionService(server.connector) as service:
        await service.connect("ws://x/")
        with pytest.raises(LocalProtocolError):
            await service.send_message(Chat(id="a", content="too early"))


async def test_the_server_s_nonsense_is_a_fault_in_the_stream():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        incoming = service.messages()
        await server.peer.link.send("{")
        fault = await anext(incoming)
        assert isinstance(fault, Fault)
        assert fault.code is ErrorCode.BAD_JSON
        assert service.is_connected


async def test_nonsense_without_end_closes_the_line():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        incoming = service.messages()
        for _ in range(20):
            await server.peer.link.send("{")
        items = [await anext(incoming) for _ in range(21)]
        assert isinstance(items[-1], LinkClosed)
        assert not service.is_connected


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (1000, Disconnected()),
        (1001, Disconnected()),
        (1011, Errored("connection closed (1011: oops)")),
        (4409, Errored("connection closed (4409: oops)")),
    ],
)
async def test_how_the_server_s_close_is_seen(code, state):
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        incoming = service.messages()
        await server.peer.link.close(code, "oops")
        assert await anext(incoming) == LinkClosed(code, "oops")
        assert service.machine.state == state
        with pytest.raises(NotConnected):
            await service.send_binary(b"x")


async def test_a_broken_wire_is_an_error_state():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        incoming = service.messages()
        server.peer.link.cut()
        closed = await anext(incoming)
        assert isinstance(closed, LinkClosed)
        assert (closed.code, closed.ours) == (1006, False)
        assert service.machine.phase is Phase.ERROR


async def test_our_own_close_is_orderly_and_told():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        incoming = service.messages()
        await service.disconnect(1000, "bye")
        closed = await anext(incoming)
        assert isinstance(closed, LinkClosed)
        assert closed.ours
        assert service.machine.state == Disconnected()
        with pytest.raises(ConnectionLost, match="1000"):
            await server.peer.link.receive()


async def test_one_line_at_a_time_and_again_after_it():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        with pytest.raises(LocalProtocolError):
            await service.connect("ws://x/")
        incoming = service.messages()
        await service.disconnect()
        assert isinstance(await anext(incoming), LinkClosed)
        await greeted(service, server)
        await server.peer.send(Stt(text="again"))
        items = [await anext(incoming) for _ in range(2)]
        assert items[-1] == Stt(text="again", session_id="session-1")
        assert len(server.peers) == 2


async def test_disposing_ends_all_streams():
    async with scripted_server(converse) as server:
        async with ConnectionService(server.connector) as service:
            messages, states = service.messages(), service.states()
            await greeted(service, server)
        assert isinstance([item async for item in messages][-1], LinkClosed)
        assert [state.phase async for state in states][-1] is Phase.DISCONNECTED


async def test_a_listener_that_lags_loses_sound_first():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        slow, quick = service.messages(), service.messages()
        for _ in range(513):
            await server.peer.send(AudioFrame(b"sound"))
            await anext(quick)
        assert slow.missed == 1


async def test_closing_does_not_wait_for_a_listener_that_lags():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        lagging = service.messages(paced=True)
        for number in range(400):
            await server.peer.send(Stt(text=str(number)))
        start = asyncio.get_running_loop().time()
        await service.disconnect()
        assert asyncio.get_running_loop().time() - start <= 1
        assert not service.is_connected
        items = [await anext(lagging) for _ in range(257)]
        assert items[-1] == LinkClosed(1006, "the reader was stopped", ours=True)


async def test_a_line_that_is_given_up_has_broken():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await service.drop("there is none")
        await greeted(service, server)
        listener = service.messages()
        await service.drop("of no use")
        assert await anext(listener) == LinkClosed(1006, "of no use")
        assert service.machine.state == Errored("connection closed (1006: of no use)")


async def test_a_listener_that_keeps_up_hears_when_something_comes():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        await greeted(service, server)
        hearing = asyncio.create_task(service.hear())
        await asyncio.sleep(1)
        assert not hearing.done()
        before = service.frames_heard
        await server.peer.send(Stt(text="hi"))
        await hearing
        assert service.frames_heard == before + 1
