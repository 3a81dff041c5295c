from __future__ import annotations

import asyncio
import gc

import pytest

from lumi.client.broadcast import Broadcast
from lumi.errors import ConnectionLost, Overloaded


async def read(subscription) -> list[object]:
    return [item async for item in subscription]


async def test_every_listener_gets_every_item_in_order():
    source: Broadcast[int] = Broadcast()
    first, second = source.subscribe(), source.subscribe()
    for item in range(3):
        source.publish(item)
    source.close()
    assert await read(first) == await read(second) == [0, 1, 2]


async def test_a_listener_hears_from_when_it_subscribed_not_from_when_it_reads():
    source: Broadcast[int] = Broadcast()
    source.publish(1)
    late = source.subscribe()
    source.publish(2)
    source.close()
    assert await read(late) == [2]


async def test_a_waiting_listener_is_woken():
    source: Broadcast[str] = Broadcast()
    listener = source.subscribe()
    asyncio.get_running_loop().call_later(5, source.publish, "news")
    assert await anext(listener) == "news"


async def test_what_may_be_dropped_makes_room_oldest_first():
    source: Broadcast[int] = Broadcast(3, may_drop=lambda item: item % 2 == 1)
    slow = source.subscribe()
    for item in (1, 2, 3, 4, 5):
        source.publish(item)
    source.close()
    assert await read(slow) == [2, 4, 5]
    assert slow.missed == 2


async def test_a_listener_too_far_behind_is_cut_off_alone():
    source: Broadcast[int] = Broadcast(2)
    slow, quick = source.subscribe(), source.subscribe()
    source.publish(0)
    assert await anext(quick) == 0
    source.publish(1)
    source.publish(2)
    assert [await anext(slow), await anext(slow)] == [0, 1]
    with pytest.raises(Overloaded, match="2 messages behind"):
        await anext(slow)
    assert [await anext(quick), await anext(quick)] == [1, 2]


async def test_closing_with_an_error_raises_it_after_what_was_held():
    source: Broadcast[int] = Broadcast()
    listener = source.subscribe()
    source.publish(1)
    source.close(ConnectionLost(1006))
    assert await anext(listener) == 1
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            await anext(listener)


async def test_whoever_subscribes_after_the_end_is_told_so():
    source: Broadcast[int] = Broadcast()
    source.close(ConnectionLost(1006))
    with pytest.raises(ConnectionLost):
        await anext(source.subscribe())


async def test_leaving_the_with_block_stops_listening():
    source: Broadcast[int] = Broadcast()
    with source.subscribe() as listener:
        source.publish(1)
    source.publish(2)
    assert await read(listener) == []


async def test_a_listener_nobody_refers_to_is_forgotten():
    source: Broadcast[int] = Broadcast()
    listener = source.subscribe()
    assert len(source) == 1
    del listener
    gc.collect()
    assert len(source) == 0
    source.publish(1)
