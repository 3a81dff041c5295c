"""Which timers are being rung, which nobody heard yet, which rang last: the memory of a `TimerService`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from lumi.store.base import Timer

MAX_RUNG = 10_000
"""Owners whose last rung timer is remembered; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Rung:
    timer: Timer
    at: float
    """UNIX seconds."""


@dataclass(slots=True)
class Ringing:
    """Retry times are the loop's; every entry ends with its timer."""

    under_way: dict[str, Timer] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    """Heard or cancelled, but perhaps still in the store or in a look at it that is under way: never rung (again).
    Forgotten by the first look at the store that no longer finds them."""
    _unheard: dict[str, tuple[Timer, float]] = field(default_factory=dict)
    _offered: set[str] = field(default_factory=set)
    _rung: OrderedDict[str, Rung] = field(default_factory=OrderedDict)

    @property
    def known(self) -> int:
        """Timers that may be in the store, due, and are not to be rung just now."""
        return len(self.under_way) + len(self.done) + len(self._unheard)

    def was_tried(self, timer_id: str) -> bool:
        """Whether it has been rung, heard or not."""
        return timer_id in self.done or timer_id in self._unheard

    def ready(self, due: Iterable[Timer], now: float) -> list[Timer]:
        """Those to be rung now. `now` is loop time."""
        return [
            timer
            for timer in due
            if timer.id not in self.under_way
            and timer.id not in self.done
            and (timer.id not in self._unheard or self._unheard[timer.id][1] <= now)
        ]

    def next_retry(self) -> float | None:
        """Loop time at which the first unheard timer is tried again."""
        return min((retry_at for _, retry_at in self._unheard.values()), default=None)

    def begin(self, timer: Timer) -> None:
        self._unheard.pop(timer.id, None)
        self._offered.discard(timer.owner)
        self.under_way[timer.id] = timer

    def heard(self, timer: Timer, at: float) -> None:
        """`at`: UNIX seconds."""
        del self.under_way[timer.id]
        self.done.add(timer.id)
        self._rung[timer.owner] = Rung(timer, at)
        self._rung.move_to_end(timer.owner)
        if len(self._rung) > MAX_RUNG:
            self._rung.popitem(last=False)

    def unheard(self, timer: Timer, retry_at: float) -> None:
        """Nobody heard it; at `retry_at` (loop time) it is tried again, at once if its device came back meanwhile."""
        del self.under_way[timer.id]
        self._unheard[timer.id] = (timer, 0.0 if timer.owner in self._offered else retry_at)

    def restore(self, timer: Timer) -> None:
        """It was not heard after all: it may ring again."""
        self.done.discard(timer.id)
        rung = self._rung.get(timer.owner)
        if rung is not None and rung.timer.id == timer.id:
            del self._rung[timer.owner]

    def offer(self, owner: str) -> None:
        """The owner's device is there: its unheard timers are ready at once."""
        for timer_id, (timer, _) in self._unheard.items():
            if timer.owner == owner:
                self._unheard[timer_id] = (timer, 0.0)
        if any(timer.owner == owner for timer in self.under_way.values()):
            self._offered.add(owner)

    def keep_only(self, stored: Iterable[str]) -> None:
        """Forget what is no longer in the store: rung, cancelled, or rung by another node."""
        present = set(stored)
        self.done &= present
        for timer_id in [timer_id for timer_id in self._unheard if timer_id not in present]:
            del self._unheard[timer_id]

    def last(self, owner: str) -> Rung | None:
        return self._rung.get(owner)

    def silence(self, owner: str) -> None:
        self._rung.pop(owner, None)
