"""Something that happens once, and that others may wait for."""

from __future__ import annotations

import asyncio


class Latch:
    """Shut until `set`, and open from then on.

    An `asyncio.Event` can do more, and weighs five times as much (it holds a deque) on each of thousands of sessions.
    """

    __slots__ = ("_opened",)

    def __init__(self) -> None:
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def is_set(self) -> bool:
        return self._opened.done()

    def set(self) -> None:
        """Let all go on who wait. May be called twice."""
        if not self._opened.done():
            self._opened.set_result(None)

    async def wait(self) -> None:
        """Return when it is set. Who is cancelled meanwhile takes nobody else along."""
        await asyncio.wait((self._opened,))
