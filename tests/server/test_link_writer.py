import asyncio

import pytest

from lumi.errors import ConnectionLost, LocalProtocolError
from lumi.protocol.messages import AudioFrame, CloseCode, Message, Pong
from lumi.server.link_writer import LinkWriter
from lumi.transport.memory import memory_link_pair


def encode(message: Message | AudioFrame) -> str | bytes | None:
    if isinstance(message, AudioFrame):
        return message.payload
    return str(message.timestamp) if isinstance(message, Pong) else None


async def lost(link) -> ConnectionLost:
    with pytest.raises(ConnectionLost) as caught:
        await link.receive()
    return caught.value


async def test_frames_leave_in_order_and_unwanted_ones_not_at_all():
    client, server = memory_link_pair()
    writer = LinkWriter(server, encode, max_frames=10)
    for item in ("encoded", AudioFrame(b"sound"), Message(), Pong(timestamp=3)):
        writer.put(item)
    assert writer.waiting_frames == 4
    writer.finish(1000, "done")
    await writer.run()
    assert [await client.receive() for _ in range(3)] == ["encoded", b"sound", "3"]
    end = await lost(client)
    assert (end.code, end.reason) == (1000, "done")


async def test_what_is_put_later_is_sent_too():
    client, server = memory_link_pair()
    writer = LinkWriter(server, encode, max_frames=10)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.run())
        await asyncio.sleep(1)
        writer.put("late")
        assert await client.receive() == "late"
        writer.finish(1001, "over")
    assert (await lost(client)).code == 1001


async def test_after_finish_nothing_is_taken_and_the_first_reason_stands():
    client, server = memory_link_pair()
    writer = LinkWriter(server, encode, max_frames=10)
    writer.finish(1000, "first")
    writer.finish(1011, "second")
    writer.put("too late")
    await writer.run()
    assert writer.finishing == (1000, "first")
    assert (await lost(client)).code == 1000


async def test_a_peer_that_does_not_read_is_cut_off_at_the_bound():
    client, server = memory_link_pair(capacity_bytes=100)
    writer = LinkWriter(server, encode, max_frames=5)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.run())
        writer.put("x" * 200)
        await asyncio.sleep(1)
        for _ in range(6):
            writer.put("y")
        assert writer.finishing == (CloseCode.TRY_LATER, "reading too slowly")
        assert writer.waiting_frames == 0
    assert await client.receive() == "x" * 200
    assert (await lost(client)).code == CloseCode.TRY_LATER


@pytest.mark.parametrize("finished_first", [True, False])
async def test_the_farewell_has_an_end(finished_first):
    client, server = memory_link_pair(capacity_bytes=100)
    writer = LinkWriter(server, encode, max_frames=5)
    writer.put("x" * 200)
    writer.put("never sent")
    began = asyncio.get_running_loop().time()
    if finished_first:
        writer.finish(1001, "bye", within_s=3.0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.run())
        await asyncio.sleep(0)
        writer.finish(1001, "bye", within_s=3.0)
    assert asyncio.get_running_loop().time() - began == pytest.approx(3.0)
    assert await client.receive() == "x" * 200
    assert (await lost(client)).code == 1001


async def test_the_peer_may_go_first():
    client, server = memory_link_pair()
    writer = LinkWriter(server, encode, max_frames=5)
    await client.close(1000, "bye")
    writer.put("x")
    with pytest.raises(ConnectionLost):
        await writer.run()
    writer.finish(1000, "after the end")  # must not touch the deadline that is over
    assert writer.finishing == (1000, "after the end")


async def test_a_message_out_of_turn_is_not_swallowed():
    def refuse(_: Message | AudioFrame) -> str:
        raise LocalProtocolError("out of turn")

    _, server = memory_link_pair()
    writer = LinkWriter(server, refuse, max_frames=5)
    writer.put(Pong())
    with pytest.raises(LocalProtocolError):
        await writer.run()
