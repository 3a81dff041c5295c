from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.client.scripted_server import Peer, converse, scripted_server
from tests.tui.stage import dial_by, until

from lumi.client.client import Client
from lumi.errors import ConnectFailed, ConnectionRefused, LumiError
from lumi.transport.base import Link
from lumi.tui.line import Dial, Line
from lumi.tui.model import Model


class Counting:
    """Raises, and counts how often it was asked."""

    def __init__(self, error: LumiError) -> None:
        self._error = error
        self.tries = 0

    async def connector(self, url: str, *, headers: Mapping[str, str]) -> Link:
        self.tries += 1
        raise self._error

    @property
    def dial(self) -> Dial:
        return dial_by(self.connector)


async def listen(client: Client) -> None:
    async for _ in client.events():
        pass


@asynccontextmanager
async def running(line: Line) -> AsyncIterator[None]:
    task = asyncio.create_task(line.run())
    yield
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def test_the_countdown_and_the_reason_are_told():
    model, server = Model("en"), Counting(ConnectFailed("nothing there"))
    line = Line(server.dial, listen, model)
    line.look(now_s())
    async with running(line):
        await asyncio.sleep(3.5)  # tried after 0, 1 and 3 s; the next wait is 4 s long
        line.look(now_s())
        assert server.tries == 3
        assert str(model.trouble) == "nothing there"
        assert model.retry_at_s is not None
        assert round(model.retry_at_s - now_s(), 3) == 3.5
    assert model.retry_at_s is None


async def test_the_user_may_cut_the_countdown_short():
    model, server = Model("en"), Counting(ConnectFailed("nothing there"))
    line = Line(server.dial, listen, model)
    async with running(line):
        await asyncio.sleep(10)  # in the wait of 8 s
        tries = server.tries
        line.again()
        await asyncio.sleep(0.1)
        assert server.tries == tries + 1


async def test_a_refusal_waits_for_the_user():
    model, server = Model("en"), Counting(ConnectionRefused(401, "who are you"))
    line = Line(server.dial, listen, model)
    async with running(line):
        await asyncio.sleep(3600)
        line.look(now_s())
        assert server.tries == 1
        assert isinstance(model.trouble, ConnectionRefused)
        assert model.retry_at_s is None
        line.again()
        await asyncio.sleep(1)
        assert server.tries == 2


async def test_a_client_that_ends_in_an_orderly_way_is_followed_by_another_when_asked():
    async def use(client: Client) -> None:
        await client.ready()
        await client.close()

    model = Model("en")
    async with scripted_server() as server:
        line = Line(dial_by(server.connector), use, model)
        async with running(line):
            await until(lambda: len(server.peers) == 1)
            await asyncio.sleep(60)
            line.again()
            await until(lambda: len(server.peers) == 2)


async def test_one_client_is_used_over_any_number_of_lines():
    used = []

    async def use(client: Client) -> None:
        used.append(client)
        await listen(client)

    async def cut(peer: Peer, item: object) -> None:
        await converse(peer, item)
        await peer.link.close(1012, "restart")

    async with scripted_server(cut) as server:
        async with running(Line(dial_by(server.connector), use, Model("en"))):
            await until(lambda: len(server.peers) == 4)
        assert len(used) == 1
