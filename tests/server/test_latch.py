from __future__ import annotations

import asyncio

import pytest

from lumi.server.latch import Latch


async def test_all_who_wait_go_on_once_it_is_set() -> None:
    latch = Latch()
    waiting = [asyncio.create_task(latch.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not latch.is_set()
    latch.set()
    latch.set()
    await asyncio.gather(*waiting)
    assert latch.is_set()


async def test_who_comes_later_does_not_wait() -> None:
    latch = Latch()
    latch.set()
    await latch.wait()


async def test_who_is_cancelled_takes_nobody_along() -> None:
    latch = Latch()
    gone, patient = asyncio.create_task(latch.wait()), asyncio.create_task(latch.wait())
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert not patient.done()
    latch.set()
    await patient
