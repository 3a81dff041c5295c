"""Sockets that are opened and never finish their request: how many the server holds, and for how long."""

from __future__ import annotations

import asyncio

import msgspec

HALF_A_REQUEST = b"GET /xiaozhi/v1/ HTTP/1.1\r\nHost: lumi\r\nUpgrade: websocket\r\nX-Slow: "
TRICKLE_S = 1.0


class SlowResult(msgspec.Struct, frozen=True):
    """`opened` of those asked for; `ended` by the server within the patience; `longest_s` until the last was."""

    opened: int
    ended: int
    longest_s: float


async def hold(host: str, port: int, sockets: int, patience_s: float = 30.0) -> SlowResult:
    """Open so many at once, send each a byte a second, and wait for the server to end them."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    ended_s: list[float] = []
    opened = 0

    async def one() -> None:
        nonlocal opened
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            return
        opened += 1
        try:
            writer.write(HALF_A_REQUEST)
            async with asyncio.timeout(patience_s):
                while await _still_open(reader):
                    writer.write(b"x")
            ended_s.append(loop.time() - began_s)
        except TimeoutError:
            return
        except OSError:  # reset is an end, too
            ended_s.append(loop.time() - began_s)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(sockets):
            tasks.create_task(one())
    return SlowResult(opened, len(ended_s), max(ended_s, default=0.0))


async def _still_open(reader: asyncio.StreamReader) -> bool:
    """False once the server has closed; looks for `TRICKLE_S`."""
    try:
        async with asyncio.timeout(TRICKLE_S):
            return bool(await reader.read(1024))
    except TimeoutError:
        return True
