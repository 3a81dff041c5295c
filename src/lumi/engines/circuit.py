"""Whether an engine should be asked: a circuit that opens when it fails and closes when it works again. Pure.

    closed ──failed often, or beyond doubt──▶ open ──its wait is over, or a probe came back──▶ half open
       ▲                                        ▲                                                 │
       └──────────────── worked ────────────────┼────────────────────── worked ───────────────────┤
                                                └────────────────────── failed ───────────────────┘

Half open, one request at a time tries the engine; all others go to the next one. Each wait is longer than the one before,
until a request (a probe is not enough) has been answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lumi.errors import EngineError, Trouble


class State(StrEnum):
    CLOSED = "closed"
    """It works, as far as is known."""
    OPEN = "open"
    """It is not asked."""
    HALF_OPEN = "half_open"
    """One request may try."""


class Event(StrEnum):
    WORKED = "worked"
    FAILED = "failed"
    """Once, and it may have been chance."""
    BROKE = "broke"
    """For the last time of many, or beyond doubt."""
    WAITED = "waited"
    """Its wait is over, or a probe came back."""


TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.CLOSED, Event.WORKED): State.CLOSED,
    (State.CLOSED, Event.FAILED): State.CLOSED,
    (State.CLOSED, Event.BROKE): State.OPEN,
    (State.CLOSED, Event.WAITED): State.CLOSED,
    (State.OPEN, Event.WORKED): State.CLOSED,  # asked all the same, because nobody else was left
    (State.OPEN, Event.FAILED): State.OPEN,
    (State.OPEN, Event.BROKE): State.OPEN,
    (State.OPEN, Event.WAITED): State.HALF_OPEN,
    (State.HALF_OPEN, Event.WORKED): State.CLOSED,
    (State.HALF_OPEN, Event.FAILED): State.OPEN,
    (State.HALF_OPEN, Event.BROKE): State.OPEN,
    (State.HALF_OPEN, Event.WAITED): State.HALF_OPEN,
}

BEYOND_DOUBT: Final = frozenset(
    {Trouble.KEY_REFUSED, Trouble.UNKNOWN_MODEL, Trouble.NO_CREDIT, Trouble.UNREACHABLE}
)
"""The next request would fail as well."""

UNSEEN_BY_PROBES: Final = frozenset({Trouble.NO_CREDIT})
"""A cheap request is answered all the same: each real one that tries costs somebody a failure, so the waits are the longest."""

NO_FAULT: Final = frozenset({Trouble.REFUSED})
"""The engine works; what was asked of it was too much."""


@dataclass(frozen=True, slots=True)
class CircuitSettings:
    """When to open, and for how long. Seconds."""

    failures: int = 3
    """In a row, where one alone proves nothing."""
    first_wait_s: float = 5.0
    longest_wait_s: float = 300.0
    factor: float = 2.0
    """Each wait is so many times the one before."""


class Circuit:
    """One engine's. `now` is always the same clock's, in seconds."""

    def __init__(self, settings: CircuitSettings | None = None) -> None:
        self._settings = settings or CircuitSettings()
        self._state = State.CLOSED
        self._failures = 0
        self._openings = 0
        self._until = 0.0
        self._trying = False
        self.by_probe = False
        """Somebody probes the engine: when its wait is over it stays open until a probe comes back."""

    def state(self, now: float) -> State:
        if self._state is State.OPEN and now >= self._until and not self.by_probe:
            self._move(Event.WAITED)
        return self._state

    def due_in_s(self, now: float) -> float:
        """How long it stays open, if nothing happens meanwhile."""
        return max(0.0, self._until - now) if self._state is State.OPEN else 0.0

    def allows(self, now: float) -> bool:
        """Whether a request may try the engine now."""
        state = self.state(now)
        return state is State.CLOSED or (state is State.HALF_OPEN and not self._trying)

    def asked(self, now: float) -> None:
        """A request goes to the engine; `worked`, `failed` or `left` says what came of it."""
        if self.state(now) is State.HALF_OPEN:
            self._trying = True

    def left(self) -> None:
        """The request was given up by whoever made it: nothing is known."""
        self._trying = False

    def worked(self) -> bool:
        """Whether the circuit closed by this."""
        before = self._state
        self._trying = False
        self._failures = self._openings = 0
        self._move(Event.WORKED)
        return before is not State.CLOSED

    def failed(self, error: EngineError, now: float) -> bool:
        """Whether the circuit opened by this."""
        before = self.state(now)
        self._trying = False
        if error.trouble in NO_FAULT:
            return False
        self._failures += 1
        sure = error.trouble in BEYOND_DOUBT or error.retry_after_s is not None
        broke = sure or before is not State.CLOSED or self._failures >= self._settings.failures
        self._move(Event.BROKE if broke else Event.FAILED)
        if self._state is State.OPEN:
            self._wait(error, now)
        return before is not State.OPEN and self._state is State.OPEN

    def probed(self) -> None:
        """The engine answered a probe: the next request may try it."""
        self._move(Event.WAITED)

    def probe_failed(self, error: EngineError, now: float) -> None:
        """It did not, or could not be loaded: open, and for longer than the last time."""
        self._move(Event.BROKE)
        self._wait(error, now)

    def _wait(self, error: EngineError, now: float) -> None:
        settings = self._settings
        # The exponent is bounded because a float is: an engine may be away for weeks.
        growing_s = settings.first_wait_s * settings.factor ** min(self._openings, 64)
        longest = error.trouble in UNSEEN_BY_PROBES
        wait_s = settings.longest_wait_s if longest else min(growing_s, settings.longest_wait_s)
        self._openings += 1
        self._until = now + max(wait_s, error.retry_after_s or 0.0)

    def _move(self, event: Event) -> None:
        self._state = TRANSITIONS[self._state, event]


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = [f"    {before} --> {after}: {event}" for (before, event), after in TRANSITIONS.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> closed", *lines])
