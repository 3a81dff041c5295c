"""A device's timers and lists, as its client shows them beside the conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from lumi.errors import StoreError
from lumi.protocol.messages import Cards, ListCard, Message, TimerCard
from lumi.server.log import Subject, logger
from lumi.store.base import Store, Timer

SHOWN_ITEMS = 200
"""Of one list; the skills keep no longer ones."""

Shown = tuple[tuple[TimerCard, ...], tuple[ListCard, ...]]

log = logger(Subject.SESSION)


class CardTable:
    """What one session's client was shown last: `show` says all of it again once something is different.

    Args:
        session_id: whose conversation it is.
        owner: the device.
        store: the only home of timers and lists.
        send: the way to the client.
        wall_clock: UNIX seconds.
    """

    def __init__(
        self,
        session_id: str,
        owner: str,
        store: Store,
        send: Callable[[Message], None],
        wall_clock: Callable[[], float],
    ) -> None:
        self._session_id = session_id
        self._owner = owner
        self._store = store
        self._send = send
        self._wall_clock = wall_clock
        self._shown: Shown | None = None
        self._order = asyncio.Lock()  # what was read first is sent first

    def forget(self) -> None:
        """The client has come anew, and has been shown nothing."""
        self._shown = None

    async def show(self) -> None:
        """Send timers and lists, unless the client has them as they are."""
        async with self._order:
            try:
                now = await self._read()
            except StoreError as error:
                log.warning("cards not shown", session=self._session_id, error=str(error))
                return
            if now == self._shown:
                return
            self._shown = now
            sent_at = written(self._wall_clock())
            self._send(Cards(timers=now[0], lists=now[1], sent_at=sent_at, session_id=self._session_id))

    async def _read(self) -> Shown:
        store, owner = self._store, self._owner
        timers = tuple(
            card(timer) for timer in await store.timers.of(owner) if timer.due_at > self._wall_clock()
        )
        lists = []
        for name in await store.lists.names(owner):
            items = await store.lists.items(owner, name)
            lists.append(ListCard(name=name, items=tuple(items[:SHOWN_ITEMS])))
        return timers, tuple(lists)


def card(timer: Timer) -> TimerCard:
    """A timer as its client sees it."""
    return TimerCard(
        id=timer.id,
        kind="timer" if timer.kind == "timer" else "reminder",
        label=timer.label,
        due_at=written(timer.due_at),
        duration_s=timer.duration_s,
    )


def written(at: float) -> str:
    """ISO-8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
