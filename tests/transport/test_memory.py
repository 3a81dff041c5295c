from __future__ import annotations

import asyncio

import pytest

from lumi.errors import ConnectionLost
from lumi.transport.base import LinkInfo
from lumi.transport.memory import memory_link_pair


async def test_both_ends_show_the_request() -> None:
    info = LinkInfo(path="/xiaozhi/v1/", headers={"device-id": "a"}, query={"from": "x"}, remote="10.0.0.7")
    client, server = memory_link_pair(info)
    assert client.info is server.info is info


async def test_a_slow_reader_stops_the_sender() -> None:
    client, server = memory_link_pair(capacity_bytes=1_000)
    sent = 0

    async def speak() -> None:
        nonlocal sent
        for _ in range(20):
            await client.send(bytes(200))
            sent += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(speak())
        await asyncio.sleep(1)
        assert sent == 4
        await server.receive()
        await asyncio.sleep(1)
        assert sent == 5
        for _ in range(19):
            assert await server.receive() == bytes(200)
    assert sent == 20


async def test_empty_frames_fill_a_pipe_too() -> None:
    client, _ = memory_link_pair(capacity_bytes=80)
    for _ in range(10):
        await client.send(b"")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send(b""), 1)


async def test_a_cut_loses_what_was_on_its_way_both_ways() -> None:
    client, server = memory_link_pair()
    await client.send("never read")
    await server.send("never read either")
    server.cut()
    for end in (client, server):
        with pytest.raises(ConnectionLost) as lost:
            await end.receive()
        assert lost.value.code == 1006


async def test_a_close_frees_a_sender_that_waits() -> None:
    client, server = memory_link_pair(capacity_bytes=10)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(_lost(client.send(bytes(100))))
        await asyncio.sleep(1)
        await server.close(4409, "replaced")
    assert waiting.result() == (4409, "replaced")


async def _lost(coroutine: object) -> tuple[int, str]:
    with pytest.raises(ConnectionLost) as lost:
        await coroutine  # type: ignore[misc]
    return lost.value.code, lost.value.reason
