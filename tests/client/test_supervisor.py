"""One client over many lines, each of which goes wrong in another way; the server is a script."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest
from tests.client.scripted_server import ALL, Peer, Script, ScriptedServer, converse, scripted_server

from lumi.client.client import connect
from lumi.client.network import NetworkChecker, Place
from lumi.client.reconnection import ReconnectPolicy
from lumi.client.state_machine import Disconnected, Phase
from lumi.client.supervisor import Destination
from lumi.errors import (
    ConnectFailed,
    ConnectionLost,
    ConnectionRefused,
    HandshakeError,
    NetworkError,
    NotConnected,
    ServerError,
)
from lumi.protocol.codec import encode
from lumi.protocol.messages import (
    Ack,
    Chat,
    ClientHello,
    Error,
    Features,
    Goodbye,
    Notify,
    Ping,
    Response,
    Stt,
)

STEPS = ReconnectPolicy(tries=None)
RESUME = Features(resume=True, notify=True)


def joined(server: ScriptedServer, **options: Any) -> Any:
    defaults: dict[str, Any] = {"device_id": "me", "reconnect": STEPS, "features": RESUME}
    return connect("ws://home/", connector=server.connector, **(defaults | options))


def by_turns(*scripts: Script) -> Script:
    """The first line follows the first script, the second the second, and all further ones the last."""
    known: list[Peer] = []

    async def script(peer: Peer, item: Any) -> None:
        if peer not in known:
            known.append(peer)
        await scripts[min(known.index(peer), len(scripts) - 1)](peer, item)

    return script


async def hears_nothing(_peer: Peer, _item: Any) -> None:
    """Never answers hello."""


async def closes_at_once(peer: Peer, _item: Any) -> None:
    await peer.link.close(1011, "bad day")


async def talks_garbage(peer: Peer, _item: Any) -> None:
    for number in range(100):
        await peer.link.send(f"<html>{number}</html>")


async def forgets_the_session(peer: Peer, item: Any) -> None:
    if isinstance(item, ClientHello):
        await peer.link.send('{"type":"hello","id":"' + (item.id or "") + '"}')


async def answers_and_dies(peer: Peer, item: Any) -> None:
    if isinstance(item, ClientHello):
        await peer.greet(item)
        peer.link.cut()


def refuses(code: str, **fields: Any) -> Script:
    async def script(peer: Peer, item: Any) -> None:
        if isinstance(item, ClientHello):
            await peer.link.send(
                encode(Error(error_code=code, error_message="because", id=item.id, **fields))
            )

    return script


def elapsed() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("fault", "takes_s"),
    [
        (hears_nothing, 10),
        (closes_at_once, 0),
        (talks_garbage, 0),
        (forgets_the_session, 0),
        (answers_and_dies, 0),
        (refuses("overloaded", retryable=True), 0),
        (refuses("internal"), 0),
    ],
)
async def test_a_line_that_dies_before_it_is_ready_counts_as_a_failure(fault, takes_s):
    start = elapsed()
    async with scripted_server(by_turns(fault, fault, fault, converse)) as server, joined(server) as client:
        assert elapsed() - start == pytest.approx(3 * takes_s + 1 + 2 + 4)
        assert len(server.peers) == 4
        assert client.last_error is None
        assert (await client.chat("hello")).content == "HELLO"


async def test_the_tries_are_used_up_also_by_lines_that_die_early():
    start = elapsed()
    async with scripted_server(closes_at_once) as server:
        with pytest.raises(ConnectionLost, match="bad day"):
            async with joined(server, reconnect=ReconnectPolicy()):
                pytest.fail("never ready")
        assert len(server.peers) == 6
        assert elapsed() - start == pytest.approx(31)


async def test_the_first_connection_is_waited_for():
    start = elapsed()
    async with scripted_server(refusal=ConnectFailed("nobody")) as server:

        async def comes_up() -> None:
            await asyncio.sleep(6)
            server._refusal = None

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(comes_up())
            async with joined(server):
                assert elapsed() - start == pytest.approx(7)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refuses("unauthorized"), ConnectionRefused),
        (refuses("unsupported_version"), HandshakeError),
        (refuses("unsupported_audio"), HandshakeError),
    ],
)
@pytest.mark.parametrize("first", [True, False])
async def test_a_refusal_ends_it_whether_first_or_later(fault, kind, first):
    async def converse_until_it_ends(server: ScriptedServer) -> None:
        async with joined(server) as client:
            assert not first
            events = client.events()
            server.peer.link.cut()
            await anext(events)

    async with scripted_server(fault if first else by_turns(converse, fault)) as server:
        with pytest.raises(kind, match="because"):
            await converse_until_it_ends(server)
        await asyncio.sleep(3600)
        assert len(server.peers) == (1 if first else 2)


@pytest.mark.parametrize("code", [4401, 4409])
async def test_a_fatal_close_ends_it(code):
    async with scripted_server() as server, joined(server) as client:
        events = client.events()
        asking = asyncio.create_task(client.chat("too late?"))
        await server.peer.link.close(code, "")
        with pytest.raises(ConnectionRefused):
            await anext(events)
        with pytest.raises(ConnectionRefused):
            await asking
        with pytest.raises(NotConnected, match="the conversation is over"):
            await client.chat("anybody?")
        assert len(server.peers) == 1


async def test_the_count_starts_anew_once_ready():
    script = by_turns(converse, closes_at_once, closes_at_once, converse)
    async with scripted_server(script) as server, joined(server) as client:
        states = client.states()
        for takes_s in (1 + 2 + 4, 1):
            start = elapsed()
            server.peer.link.cut()
            while (await anext(states)).phase is not Phase.READY:
                pass
            assert elapsed() - start == pytest.approx(takes_s)


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1009, 1011, 1013])
async def test_all_other_closes_are_come_back_from(code):
    async with scripted_server() as server, joined(server) as client:
        first = server.peer
        await first.link.close(code, "")
        assert (await client.chat("hello")).content == "HELLO"
        assert server.peer is not first


async def test_goodbye_says_when_and_where_to_come_back():
    async def leaving(peer: Peer, item: Any) -> None:
        await converse(peer, item)
        if isinstance(item, Chat):
            await peer.send(Goodbye(reason="drain", retry_after=30, url="ws://elsewhere/"))
            await peer.link.close(1001, "drain")

    urls: list[str] = []
    async with scripted_server(by_turns(leaving, converse)) as server:

        async def connector(url: str, *, headers: Any) -> Any:
            urls.append(url)
            return await server.connector(url, headers=headers)

        async with connect("ws://home/", device_id="me", reconnect=STEPS, connector=connector) as client:
            await client.chat("one")
            await asyncio.sleep(1)
            assert client.retry_in_s == pytest.approx(29, abs=0.1)
            start = elapsed()
            await client.chat("two")
            assert elapsed() - start == pytest.approx(29, abs=0.1)
            assert urls == ["ws://home/", "ws://elsewhere/"]


def test_where_a_server_may_send_us():
    safe = Destination("wss://home/", {})
    for url in ("ws://elsewhere/", "http://elsewhere/", "nonsense", ""):
        safe.take_leave(Goodbye(url=url, retry_after=3))
        assert safe.url == "wss://home/"
    assert (safe.take_wait(), safe.take_wait()) == (3, None)
    safe.take_leave(Goodbye(url="wss://elsewhere/"))
    assert safe.url == "wss://elsewhere/"


async def test_where_the_new_place_fails_we_come_home():
    urls: list[str] = []
    async with scripted_server() as server:

        async def connector(url: str, *, headers: Any) -> Any:
            urls.append(url)
            if url != "ws://home/":
                raise ConnectFailed("nobody")
            return await server.connector(url, headers=headers)

        async with connect("ws://home/", device_id="me", reconnect=STEPS, connector=connector) as client:
            await server.peer.send(Goodbye(url="ws://elsewhere/"))
            await server.peer.link.close(1001, "")
            await client.chat("hello")
            assert urls == ["ws://home/", "ws://elsewhere/", "ws://home/"]


async def test_the_session_and_the_last_event_are_asked_for():
    async with (
        scripted_server(offered=Features(resume=True, notify=True)) as server,
        joined(server) as client,
    ):
        events = client.events()
        await server.peer.send(Stt(text="a", seq=1), Notify(id="n", kind="timer", text="t", seq=2))
        await anext(events)
        await anext(events)
        await asyncio.sleep(1)
        assert [ack.seq for ack in server.received(Ack)] == [2]
        server.peer.link.cut()
        await asyncio.sleep(2)
        first, second = server.received(ClientHello)
        assert first.resume is None
        assert first.features.resume
        assert (second.resume.session_id, second.resume.received) == ("session-1", 2)
        await server.peer.send(Notify(id="n", kind="timer", text="t", seq=2), Stt(text="b", seq=3))
        assert (await anext(events)) == Stt(text="b", seq=3, session_id="session-1")


async def test_after_a_gap_it_comes_back_to_hear_what_is_missing():
    async with scripted_server(offered=Features(resume=True)) as server, joined(server) as client:
        events = client.events()
        await server.peer.send(Stt(text="a", seq=1), Stt(text="c", seq=3))
        await asyncio.sleep(2)
        assert server.received(ClientHello)[1].resume.received == 1
        await server.peer.send(Stt(text="b", seq=2), Stt(text="c", seq=3))
        assert [(await anext(events)).text for _ in range(3)] == ["a", "b", "c"]


async def test_a_server_that_lost_count_gets_a_new_session():
    async def forgetful(peer: Peer, item: Any) -> None:
        if isinstance(item, ClientHello) and item.resume is not None:
            await refuses("bad_message")(peer, item)
        else:
            await converse(peer, item)

    async with scripted_server(forgetful, offered=Features(resume=True)) as server, joined(server) as client:
        server.peer.link.cut()
        await asyncio.sleep(10)
        assert [hello.resume is None for hello in server.received(ClientHello)] == [True, False, True]
        assert client.state.phase is Phase.READY


async def test_a_flood_slows_the_server_down_and_loses_nothing():
    total = 3000

    async def flooding(peer: Peer, item: Any) -> None:
        await converse(peer, item)
        if isinstance(item, Chat):
            for number in range(total):
                await peer.send(Stt(text=str(number)))

    seen: list[str] = []

    async def slow(stt: Stt) -> None:
        await asyncio.sleep(0.001)
        seen.append(stt.text)

    async with scripted_server(flooding) as server, joined(server) as client:
        client.pipeline.add_step(Stt, slow)
        await client.chat("hello")
        await asyncio.sleep(10)
        assert seen == [str(number) for number in range(total)]
        assert client.state.phase is Phase.READY
        assert len(server.peers) == 1


async def test_garbage_in_the_middle_of_a_conversation_ends_the_line_and_not_the_client():
    async def mad(peer: Peer, item: Any) -> None:
        await converse(peer, item)
        if isinstance(item, Chat):
            await talks_garbage(peer, item)

    async with scripted_server(by_turns(mad, converse)) as server, joined(server) as client:
        assert (await client.chat("one")).content == "ONE"
        await asyncio.sleep(5)
        assert (await client.chat("two")).content == "TWO"
        assert len(server.peers) == 2


async def test_nobody_need_wait_for_the_countdown():
    async with (
        scripted_server(by_turns(converse, *[closes_at_once] * 5, converse)) as server,
        joined(server) as client,
    ):
        server.peer.link.cut()
        await asyncio.sleep(32)
        assert client.retry_in_s == pytest.approx(31)
        client.lifecycle.paused()
        await client.lifecycle.resumed()
        await client.chat("hello", timeout_s=1)


async def test_a_dead_line_is_found_by_the_heartbeat():
    async def mortal(peer: Peer, item: Any) -> None:
        await converse(peer, item)
        if isinstance(item, Ping) and len(peer.received) < 3:
            await peer.link.send('{"type":"pong"}')

    async with scripted_server(mortal) as server, joined(server):
        await asyncio.sleep(69)
        assert len(server.peers) == 1
        await asyncio.sleep(3)
        assert len(server.peers) == 2


async def test_the_application_closes_while_it_waits():
    async with (
        scripted_server(refusal=ConnectFailed("nobody")) as server,
        joined(server, wait_ready=False) as client,
    ):
        events = client.events()
        asking = asyncio.create_task(client.chat("hello"))
        await asyncio.sleep(10)
        with pytest.raises(NotConnected):
            await client.abort()
        await client.close()
        assert [event async for event in events] == []
        with pytest.raises(NotConnected, match="the client was closed"):
            await asking
        assert client.state == Disconnected()
        with pytest.raises(NotConnected):
            await client.ready()


async def test_leaving_says_goodbye_even_to_a_server_that_does_not_read():
    async with scripted_server(offered=Features(resume=True)) as server:
        async with joined(server):
            pass
        await asyncio.sleep(0)
        assert [one.reason for one in server.received(Goodbye)] == ["client closed"]

        async def deaf(message: Any) -> bool:
            await asyncio.sleep(3600)
            return True

        start = elapsed()
        async with joined(server) as client:
            client._service.send_message = deaf
        assert elapsed() - start == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("url", ["nonsense", "ftp://house/"])
async def test_a_mistyped_address_is_not_tried_for_ever(url):
    with pytest.raises(ConnectFailed, match="no WebSocket address"):
        async with connect(url, device_id="me"):
            pytest.fail("no address")


async def test_errors_that_are_raised_at_once_without_a_queue():
    async def busy(peer: Peer, item: Any) -> None:
        await converse(peer, item) if not isinstance(item, Chat) else None
        if isinstance(item, Chat):
            await peer.send(
                Error(error_code="llm_failed", error_message="no model", id=item.id, retryable=True)
            )

    async with scripted_server(busy) as server, joined(server) as client:
        with pytest.raises(ServerError, match="no model"):
            await client.chat("hello")
        assert client.unanswered == 0


async def test_the_same_answer_is_an_event_once():
    async def stuttering(peer: Peer, item: Any) -> None:
        await converse(peer, item)
        if isinstance(item, Chat):
            await peer.send(Response(id=item.id, content="AGAIN"))

    async with scripted_server(stuttering, offered=ALL) as server, joined(server) as client:
        events = client.events()
        await client.chat("one")
        await client.chat("two")
        await asyncio.sleep(1)
        await client.close()
        assert [event.content async for event in events if isinstance(event, Response)] == ["ONE", "TWO"]


async def test_no_attempt_is_made_after_the_last_word():
    async with scripted_server() as server:
        async with joined(server) as client:
            server.peer.link.cut()
        await asyncio.sleep(100)
        assert len(server.peers) == 1
        with pytest.raises(NetworkError):
            await client.abort()


async def test_a_name_that_is_not_found_at_first():
    answers: list[list[Place]] = [[], [Place(socket.AF_INET, ("10.0.0.9", 80))]]

    async def resolve(_host: str, _port: int) -> list[Place]:
        if len(answers) == 2 and not answers.pop(0):
            raise socket.gaierror(socket.EAI_AGAIN, "no resolver")
        return answers[0]

    start = elapsed()
    async with (
        scripted_server() as server,
        joined(server, network=NetworkChecker(resolve, lambda _: True)) as client,
    ):
        assert elapsed() - start == pytest.approx(1)
        assert (await client.chat("hello")).content == "HELLO"
        assert len(server.peers) == 1


async def test_at_once_by_hand():
    async with scripted_server() as server, joined(server) as client:
        server.peer.link.cut()
        await asyncio.sleep(0.1)
        assert client.retry_in_s == pytest.approx(0.9)
        client.reconnect_now()
        assert (await client.chat("hello", timeout_s=0.1)).content == "HELLO"


async def test_a_client_may_close_itself_in_the_middle_of_a_step():
    async with scripted_server() as server, joined(server) as client:

        async def enough(_stt: Stt) -> None:
            await client.close()

        client.pipeline.add_step(Stt, enough)
        events = client.events()
        with suppress(ConnectionLost):
            for number in range(400):
                await server.peer.send(Stt(text=str(number)))
        assert [event async for event in events] == []
        await asyncio.sleep(3)
        assert client.state == Disconnected()
