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


class CardBoard:
    """Whose cards are shown where: what one of a device's sessions changes, the others show as well."""

    def __init__(self) -> None:
        self._tables: dict[str, list[CardTable]] = {}

    def join(self, owner: str, table: CardTable) -> None:
        """Its client wants to see them; more than once is once."""
        tables = self._tables.setdefault(owner, [])
        if table not in tables:
            tables.append(table)

    def leave(self, owner: str, table: CardTable) -> None:
        """Its session is over, whether it was there or not."""
        left = [other for other in self._tables.pop(owner, []) if other is not table]
        if left:
            self._tables[owner] = left

    def beside(self, owner: str, table: CardTable) -> list[CardTable]:
        """The device's other ones."""
        return [other for other in self._tables.get(owner, []) if other is not table]


class CardTable:
    """What one session's client was shown last: `show` says all of it again once something is different.

    Args:
        board: where the device's other sessions have theirs.
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
        board: CardBoard,
    ) -> None:
        self._session_id = session_id
        self._owner = owner
        self._store = store
        self._send = send
        self._wall_clock = wall_clock
        self._board = board
        self._shown: Shown | None = None
        self._order = asyncio.Lock()  # what was read first is sent first

    def forget(self) -> None:
        """The client has come anew, and has been shown nothing."""
        self._shown = None

    def close(self) -> None:
        """The session is over."""
        self._board.leave(self._owner, self)

    async def show(self) -> None:
        """Send timers and lists, unless the client has them as they are; news go to the device's other sessions, too."""
        self._board.join(self._owner, self)
        if await self._refresh():
            for other in self._board.beside(self._owner, self):
                await other._refresh()  # noqa: SLF001 - one of ours

    async def _refresh(self) -> bool:
        """Whether something has changed since the client was shown it."""
        async with self._order:
            try:
                now = await self._read()
            except StoreError as error:
                log.warning("cards not shown", session=self._session_id, error=str(error))
                return False
            before, self._shown = self._shown, now
            if now == before:
                return False
            sent_at = written(self._wall_clock())
            self._send(Cards(timers=now[0], lists=now[1], sent_at=sent_at, session_id=self._session_id))
            return before is not None

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
