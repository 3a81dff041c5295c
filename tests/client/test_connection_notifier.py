from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from tests.client.scripted_server import Peer, converse, scripted_server

from lumi.client.connection_notifier import ConnectionNotifier
from lumi.client.connection_service import ConnectionService
from lumi.client.handshake import Profile
from lumi.client.network import NetworkChecker, Place
from lumi.client.state_machine import Disconnected, Failed, Phase, Ready
from lumi.errors import ConnectionLost, HandshakeTimeout, NetworkUnavailable
from lumi.protocol.messages import ClientHello


async def test_the_handshake_follows_the_connection_by_itself():
    async with scripted_server() as server, ConnectionService(server.connector) as service:
        notifier = ConnectionNotifier(service)
        states = notifier.states()
        result = await notifier.connect("ws://x/", {"X-A": "1"}, Profile("me"))
        assert (result.session_id, result.server_version) == ("session-1", "9.9")
        assert notifier.state == Ready("session-1", "9.9")
        phases = [(await anext(states)).phase for _ in range(4)]
        assert phases == [Phase.CONNECTING, Phase.CONNECTED, Phase.HANDSHAKING, Phase.READY]
        assert server.headers == {"X-A": "1"}
        await notifier.disconnect()
        assert await anext(states) == Disconnected()


async def test_without_a_network_nothing_is_tried():
    async def resolve(_host: str, _port: int) -> Sequence[Place]:
        raise socket.gaierror(socket.EAI_AGAIN, "no resolver")

    async with (
        scripted_server() as server,
        ConnectionService(server.connector, network=NetworkChecker(resolve, lambda _: True)) as service,
    ):
        notifier = ConnectionNotifier(service)
        states = notifier.states()
        with pytest.raises(NetworkUnavailable):
            await notifier.connect("ws://house/")
        assert (await anext(states)).phase is Phase.CONNECTING
        assert isinstance(notifier.state, Failed)
        assert server.peers == []
        await notifier.connect("ws://localhost/")
        assert notifier.state.phase is Phase.READY


async def test_a_handshake_that_fails_can_be_tried_again():
    silent = True

    async def script(peer: Peer, item: Any) -> None:
        if not silent:
            await converse(peer, item)

    async with scripted_server(script) as server, ConnectionService(server.connector) as service:
        notifier = ConnectionNotifier(service, handshake_timeout_s=3)
        with pytest.raises(HandshakeTimeout):
            await notifier.connect("ws://x/")
        assert isinstance(notifier.state, Failed)
        silent = False
        assert (await notifier.connect("ws://x/")).session_id == "session-1"


async def test_broken_off_in_the_middle_it_leaves_no_line():
    async with (
        scripted_server(lambda *_: asyncio.sleep(0)) as server,
        ConnectionService(server.connector) as service,
    ):
        task = asyncio.create_task(ConnectionNotifier(service).connect("ws://x/"))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert service.machine.state == Disconnected()
        assert not service.is_connected


async def test_a_server_that_answers_and_hangs_up_at_once():
    async def script(peer: Peer, item: Any) -> None:
        if isinstance(item, ClientHello):
            await peer.greet(item)
            await peer.link.close(1011, "sorry")

    async with scripted_server(script) as server, ConnectionService(server.connector) as service:
        with pytest.raises(ConnectionLost):
            await ConnectionNotifier(service).connect("ws://x/")
        assert not service.is_connected
