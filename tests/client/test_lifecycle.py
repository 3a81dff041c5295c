from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.client.scripted_server import Peer, ScriptedServer, converse, scripted_server

from lumi.client.connection_notifier import ConnectionNotifier
from lumi.client.connection_service import ConnectionService
from lumi.client.lifecycle import LifecycleManager
from lumi.client.state_machine import Errored, Phase
from lumi.protocol.messages import Ping, Pong


class Heart:
    """A server that answers pings as long as it is told to; keeps when they came."""

    def __init__(self) -> None:
        self.at_s: list[float] = []
        self.beats = True
        self._began_s = asyncio.get_running_loop().time()

    async def __call__(self, peer: Peer, item: Any) -> None:
        await converse(peer, item)
        if isinstance(item, Ping):
            self.at_s.append(round(asyncio.get_running_loop().time() - self._began_s, 3))
            if self.beats:
                await peer.send(Pong())


@asynccontextmanager
async def living(
    heart: Heart,
) -> AsyncIterator[tuple[LifecycleManager, ConnectionService, list[str], ScriptedServer]]:
    asked: list[str] = []
    async with scripted_server(heart) as server, ConnectionService(server.connector) as service:
        await ConnectionNotifier(service).connect("ws://x/")
        manager = LifecycleManager(service, lambda: asked.append("reconnect"))
        service.scope.start(manager.run(), name="heartbeat")
        yield manager, service, asked, server


async def test_the_heartbeat_comes_every_30_seconds_and_every_120_while_paused():
    heart = Heart()
    async with living(heart) as (manager, service, _, _):
        await asyncio.sleep(100)
        assert heart.at_s == [30, 60, 90]
        manager.paused()
        assert (manager.is_paused, manager.heartbeat_s) == (True, 120)
        await asyncio.sleep(400)
        assert heart.at_s == [30, 60, 90, 210, 330, 450]
        assert service.machine.phase is Phase.READY  # the line is kept


async def test_coming_back_asks_at_once_and_beats_faster_again():
    heart = Heart()
    async with living(heart) as (manager, _, asked, _):
        manager.paused()
        await asyncio.sleep(100)
        await manager.resumed()
        assert (manager.is_paused, manager.heartbeat_s) == (False, 30)
        assert heart.at_s == [100]
        assert asked == []
        await asyncio.sleep(61)
        assert heart.at_s == [100, 130, 160]


async def test_coming_back_without_a_line_reconnects():
    async with living(Heart()) as (manager, _, asked, server):
        server.peer.link.cut()
        await asyncio.sleep(1)
        manager.paused()
        await manager.resumed()
        assert asked == ["reconnect"]
        assert not await manager.check()


async def test_a_line_that_gives_no_sign_of_life_is_dropped():
    heart = Heart()
    async with living(heart) as (_, service, _, _):
        await asyncio.sleep(31)
        heart.beats = False
        await asyncio.sleep(38)
        assert service.machine.phase is Phase.READY
        await asyncio.sleep(2)
        assert service.machine.state == Errored(
            "connection closed (1006: the server gave no sign of life within 10 s)"
        )


async def test_any_message_is_a_sign_of_life():
    heart = Heart()
    async with living(heart) as (manager, service, _, server):
        await manager.check()
        heart.beats = False
        asking = asyncio.create_task(manager.check())
        await asyncio.sleep(9)
        await server.peer.send(Pong())
        assert await asking
        assert service.is_connected


async def test_a_server_that_never_answered_a_ping_is_left_alone():
    heart = Heart()
    heart.beats = False
    async with living(heart) as (_, service, _, _):
        await asyncio.sleep(1000)
        assert len(heart.at_s) > 10
        assert service.machine.phase is Phase.READY


async def test_a_line_that_breaks_during_the_question():
    heart = Heart()
    heart.beats = False
    async with living(heart) as (manager, _, _, server):
        asking = asyncio.create_task(manager.check())
        await asyncio.sleep(1)
        server.peer.link.cut()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asking), 5)
        assert not await asking
