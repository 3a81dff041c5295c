"""Where functions run that are not `async`: each call in a thread of its own, which is not waited for at the end.

One that never returns takes no place from other work, as it would in the loop's own executor, and the server can still stop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_AT_ONCE = 32


class OwnThreads(Executor):
    """At most `most` calls at once; those that hang count."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._places = threading.BoundedSemaphore(most)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Begin a call.

        Raises:
            RuntimeError: there are too many; in nearly all cases, they hang.
        """
        if not self._places.acquire(blocking=False):
            raise RuntimeError(f"{self._most} calls are still at work; mend the one that never returns")
        future: Future[T] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                self._settle(future, lambda: fn(*args, **kwargs))
            else:
                self._places.release()

        threading.Thread(target=run, name="tool", daemon=True).start()
        return future

    def _settle(self, future: Future[T], call: Callable[[], T]) -> None:
        """The place is free again before anybody hears of the result."""
        try:
            result = call()
        except BaseException as error:  # noqa: BLE001 - not silent: whoever waits for the future is told
            self._places.release()
            future.set_exception(error)
        else:
            self._places.release()
            future.set_result(result)
