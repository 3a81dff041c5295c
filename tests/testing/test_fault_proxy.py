from __future__ import annotations

import asyncio
import random

import pytest

from lumi.errors import ConnectFailed, ConnectionLost
from lumi.testing.fault_proxy import Cut, FaultProxy, Way, random_cut
from lumi.transport.base import Link
from lumi.transport.memory import MemoryLink, memory_link_pair


class Far:
    """The other ends of the links that were opened."""

    def __init__(self) -> None:
        self.ends: list[MemoryLink] = []

    def open(self) -> MemoryLink:
        near, far = memory_link_pair()
        self.ends.append(far)
        return near


async def joined(*cuts: Cut) -> tuple[Link, MemoryLink, FaultProxy]:
    far = Far()
    proxy = FaultProxy(far.open, lambda number: cuts[number] if number < len(cuts) else None)
    link = await proxy.connect("ws://x/", headers={})
    return link, far.ends[0], proxy


async def lost(end: Link, code: int = 1006) -> None:
    with pytest.raises(ConnectionLost, match=str(code)):
        await end.receive()


async def test_without_a_cut_it_is_an_ordinary_line() -> None:
    link, far, proxy = await joined()
    await link.send("a")
    assert await far.receive() == "a"
    await far.send(b"b")
    assert await link.receive() == b"b"
    assert link.info is far.info
    await link.close(1000, "done")
    await lost(far, 1000)
    assert proxy.cuts == 0


async def test_a_frame_up_is_lost_with_all_that_is_on_its_way() -> None:
    link, far, proxy = await joined(Cut(Way.UP, 2, lost=True))
    await link.send("unread")
    await far.send("unread, too")
    with pytest.raises(ConnectionLost, match="1006"):
        await link.send("b")
    await lost(link)
    await lost(far)
    assert proxy.cuts == 1


async def test_a_frame_up_arrives_and_then_the_line_breaks() -> None:
    link, far, _ = await joined(Cut(Way.UP, 2, lost=False))
    await link.send("a")
    await far.send("on its way")
    await link.send("b")
    assert [await far.receive(), await far.receive()] == ["a", "b"]
    await lost(far)
    await lost(link)


@pytest.mark.parametrize("is_lost", [True, False])
async def test_a_frame_down(is_lost: bool) -> None:
    link, far, _ = await joined(Cut(Way.DOWN, 2, lost=is_lost))
    for text in "abc":
        await far.send(text)
    assert await link.receive() == "a"
    if not is_lost:
        assert await link.receive() == "b"
    await lost(link)
    await lost(far)


@pytest.mark.parametrize("way", list(Way))
async def test_a_line_that_falls_silent_tells_nobody(way: Way) -> None:
    link, far, proxy = await joined(Cut(way, 1, lost=True, silent=True))
    hearing = asyncio.create_task(lost(link, 1001))
    await asyncio.sleep(1)
    if way is Way.UP:
        await link.send("a")
    await far.send("b")
    await link.send("c")
    await asyncio.sleep(1000)
    assert not hearing.done()
    await link.close(1001, "given up")
    await hearing
    proxy.cut_all()
    await lost(far)


async def test_frames_take_their_time_and_a_cut_overtakes_them() -> None:
    far = Far()
    proxy = FaultProxy(far.open, latency_s=0.5)
    link = await proxy.connect("ws://x/", headers={})
    start_s = asyncio.get_running_loop().time()
    for text in "abc":
        await far.ends[0].send(text)
    assert [await link.receive(), await link.receive()] == ["a", "b"]
    assert asyncio.get_running_loop().time() - start_s == pytest.approx(1.0)
    hearing = asyncio.create_task(lost(link))
    await asyncio.sleep(0.1)
    proxy.cut_all()
    await hearing


async def test_nobody_listens() -> None:
    with pytest.raises(ConnectFailed, match="nobody listens at ws://x/"):
        await FaultProxy(None).connect("ws://x/", headers={})


def test_the_same_seed_gives_the_same_cuts() -> None:
    one, other = random.Random(7), random.Random(7)
    cuts = [random_cut(one, frames=5, silent_share=0.5) for _ in range(200)]
    assert cuts == [random_cut(other, frames=5, silent_share=0.5) for _ in range(200)]
    assert {cut.frame for cut in cuts} == {1, 2, 3, 4, 5}
    assert {(cut.way, cut.lost, cut.silent) for cut in cuts} == {
        (way, is_lost, silent) for way in Way for is_lost in (True, False) for silent in (True, False)
    }
