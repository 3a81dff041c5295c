"""One source, any number of listeners, each with a bounded queue of its own."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from lumi.errors import LumiError, Overloaded

T = TypeVar("T")

DEFAULT_LIMIT = 512
"""Items a listener may lag behind: some 30 s of 60 ms audio packets."""


def never(_item: object) -> bool:
    """The default drop rule: nothing may be dropped."""
    return False


class Subscription(Generic[T]):
    """What one listener has not yet read: an asynchronous iterator that ends when the source closes.

    Policy when `limit` items wait: the oldest droppable item makes room and is counted in `missed`; where nothing
    is droppable the listener is cut off, and its iteration ends with `Overloaded` after what it still holds. A slow
    listener never holds up the source or the other listeners.

    Listening starts when the subscription is made, not when it is first read. It ends with `close()`, with the
    `with` block around it, or when nobody refers to it any longer.
    """

    def __init__(self, limit: int, may_drop: Callable[[T], bool]) -> None:
        self.missed = 0
        self._items: deque[T] = deque()
        self._limit = limit
        self._may_drop = may_drop
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._ended = False
        self._error: LumiError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        self._space.set()
        return self._items.popleft()

    async def room(self) -> None:
        """Wait until this listener is less than half its limit behind, or listens no longer."""
        while len(self._items) >= self._limit // 2 and not self._ended:
            self._space.clear()
            await self._space.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; what was not read is forgotten."""
        self._items.clear()
        self._error = None
        self.end(None)

    def offer(self, item: T) -> None:
        """Take one more item (the source's side)."""
        if self._ended:
            return
        if len(self._items) >= self._limit and not self._make_room():
            self.end(
                Overloaded(f"this listener fell {self._limit} messages behind and was cut off: read faster")
            )
            return
        self._items.append(item)
        self._news.set()

    def end(self, error: LumiError | None) -> None:
        """No more will come; after what is still held the iteration ends, with `error` if there is one."""
        if not self._ended:
            self._ended = True
            self._error = error
        self._news.set()
        self._space.set()

    def _make_room(self) -> bool:
        for index, item in enumerate(self._items):
            if self._may_drop(item):
                del self._items[index]
                self.missed += 1
                return True
        return False


class Broadcast(Generic[T]):
    """The source's side of any number of subscriptions. `publish` never waits."""

    def __init__(self, limit: int = DEFAULT_LIMIT, *, may_drop: Callable[[T], bool] = never) -> None:
        self._limit = limit
        self._may_drop = may_drop
        # Weak, so that a listener that breaks out of its loop and walks away takes its queue with it.
        self._subscriptions: weakref.WeakSet[Subscription[T]] = weakref.WeakSet()
        self._paced: weakref.WeakSet[Subscription[T]] = weakref.WeakSet()
        self._closed = False
        self._error: LumiError | None = None

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, *, paced: bool = False) -> Subscription[T]:
        """A new listener; `room` waits for a `paced` one."""
        subscription: Subscription[T] = Subscription(self._limit, self._may_drop)
        if self._closed:
            subscription.end(self._error)
        self._subscriptions.add(subscription)
        if paced:
            self._paced.add(subscription)
        return subscription

    async def room(self) -> None:
        """Wait until no paced listener lags far behind: for a source that can be slowed down."""
        for subscription in tuple(self._paced):
            await subscription.room()

    def publish(self, item: T) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.offer(item)

    def close(self, error: LumiError | None = None) -> None:
        """End all subscriptions, present and future, with `error` or without."""
        self._closed = True
        self._error = error
        for subscription in tuple(self._subscriptions):
            subscription.end(error)
