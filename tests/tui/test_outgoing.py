from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.client.scripted_server import Peer, ScriptedServer, converse, scripted_server
from tests.tui.stage import dial_by, until

from lumi.client.state_machine import Ready
from lumi.client.task_scope import TaskScope
from lumi.errors import Overloaded
from lumi.protocol.messages import Chat, ClientHello, Error, Response
from lumi.tui.model import Model
from lumi.tui.outgoing import Outgoing


def said(model: Model) -> list[tuple[str, str]]:
    return [(entry.words.en, entry.progress.value) for entry in model.conversation.entries]


@asynccontextmanager
async def attached(outgoing: Outgoing, server: ScriptedServer) -> AsyncIterator[None]:
    async with dial_by(server.connector)() as client, TaskScope() as tasks:
        outgoing.attach(client, tasks)
        yield
        outgoing.detach()


async def test_texts_go_out_in_order():
    outgoing = Outgoing(Model())
    outgoing.add("one", 0.0)
    outgoing.add("two", 0.0)
    assert len(outgoing) == 2
    async with scripted_server() as server, attached(outgoing, server):
        await until(lambda: len(outgoing) == 0)
        outgoing.add("three", 0.0)
        await until(lambda: len(outgoing) == 0)
        assert [chat.content for chat in server.received(Chat)] == ["one", "two", "three"]


async def test_more_than_can_wait_is_refused_aloud():
    outgoing = Outgoing(Model(), limit=1)
    outgoing.add("one", 0.0)
    with pytest.raises(Overloaded, match="1 messages are waiting already"):
        outgoing.add("two", 0.0)


async def test_what_a_client_leaves_unanswered_goes_to_the_next_with_the_same_id():
    async def refuse(peer: Peer, item: Any) -> None:
        if isinstance(item, Chat) and len(server.peers) == 1:
            await peer.link.close(4409, "replaced")
        else:
            await converse(peer, item)

    outgoing = Outgoing(Model())
    outgoing.add("one", 0.0)
    async with scripted_server(refuse) as server:
        async with attached(outgoing, server):
            await until(lambda: server.received(Chat))
            await asyncio.sleep(1)
        assert len(outgoing) == 1
        async with attached(outgoing, server):
            await until(lambda: len(outgoing) == 0)
        first, second = server.received(Chat)
    assert first.id == second.id


async def test_a_refusal_costs_one_message_only():
    async def refuse(peer: Peer, item: Any) -> None:
        if isinstance(item, Chat) and item.content == "bad":
            await peer.send(Error(error_code="llm_failed", error_message="no", id=item.id))
        elif isinstance(item, Chat):
            await peer.send(Response(id=item.id, content="good"))
        elif isinstance(item, ClientHello):
            await peer.greet(item)

    model = Model()
    model.connection(Ready("session-1", "9.9"), 0.0)
    outgoing = Outgoing(model)
    outgoing.add("bad", 0.0)
    outgoing.add("fine", 0.0)
    async with scripted_server(refuse) as server, attached(outgoing, server):
        await until(lambda: len(outgoing) == 0)
    assert said(model)[:2] == [("bad", "unsent"), ("fine", "done")]
    assert "no" in said(model)[2][0]
