from __future__ import annotations

import asyncio

import pytest

from lumi.errors import ConnectionLost
from lumi.testing.links import Faults, FaultyLink
from lumi.transport.base import Link
from lumi.transport.memory import memory_link_pair


async def test_without_faults_it_is_an_ordinary_link() -> None:
    client, server = memory_link_pair()
    link: Link = FaultyLink(client)
    await link.send("a")
    assert await server.receive() == "a"
    await server.send(b"b")
    assert await link.receive() == b"b"
    assert link.info is client.info
    await link.close(1001, "away")
    with pytest.raises(ConnectionLost, match="1001: away"):
        await server.receive()


async def test_cut_after_so_many_sent() -> None:
    client, server = memory_link_pair()
    link = FaultyLink(client, Faults(cut_after_sent=2))
    await link.send("a")
    await link.send("b")
    assert [await server.receive(), await server.receive()] == ["a", "b"]
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="1006"):
            await link.send("c")
    for end in (link, server):
        with pytest.raises(ConnectionLost, match="1006"):
            await end.receive()


async def test_cut_after_so_many_received() -> None:
    client, server = memory_link_pair()
    link = FaultyLink(client, Faults(cut_after_received=1))
    await server.send("a")
    await server.send("b")
    assert await link.receive() == "a"
    with pytest.raises(ConnectionLost, match="1006"):
        await link.receive()


async def test_delays_keep_the_order() -> None:
    client, server = memory_link_pair()
    slow = FaultyLink(client, Faults(send_delay_s=0.1, receive_delay_s=0.2))
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(slow.send(str(number)))
        assert [await server.receive() for _ in range(5)] == list("01234")
    assert loop.time() - start == pytest.approx(0.5)
    await server.send("x")
    assert await slow.receive() == "x"
    assert loop.time() - start == pytest.approx(0.7)


async def test_frames_get_lost_where_told() -> None:
    client, server = memory_link_pair()
    link = FaultyLink(
        client,
        Faults(
            lose_sent=lambda number, _: number == 2, lose_received=lambda _, frame: isinstance(frame, bytes)
        ),
    )
    for frame in "abc":
        await link.send(frame)
    assert [await server.receive(), await server.receive()] == ["a", "c"]
    await server.send(b"lost")
    await server.send("kept")
    assert await link.receive() == "kept"
