"""How hard the encoders try: less while pieces of speech queue up for them, as hard as set while they do not. Pure."""

from __future__ import annotations

from typing import Final

LOWER_ABOVE_S: Final = 0.020
"""Mean wait for an encoder from which it is given an easier time."""

RAISE_BELOW_S: Final = 0.005
"""Mean wait below which it may try harder again."""

LOWER_EVERY_S: Final = 0.5
RAISE_EVERY_S: Final = 5.0
"""Slower up than down: a machine at its limit should not swing."""

_MEMORY: Final = 0.9
"""Weight of the waits before in the mean."""


class EncoderEffort:
    """Follows how long pieces of work wait before an encoder takes them.

    Args:
        complexity: what to use as long as nothing waits: 0 … 10.
        floor: never below this.
    """

    def __init__(self, complexity: int, *, floor: int = 0) -> None:
        self._ceiling = complexity
        self._floor = min(floor, complexity)
        self._level = complexity
        self._mean_wait_s = 0.0
        self._changed_s = 0.0

    @property
    def complexity(self) -> int:
        """What encoders should be set to now."""
        return self._level

    def limit(self, complexity: int) -> None:
        """Set what to use as long as nothing waits."""
        self._ceiling = self._level = complexity
        self._floor = min(self._floor, complexity)

    def note(self, wait_s: float, now_s: float) -> None:
        """A piece waited for `wait_s` before it was taken, at `now_s`."""
        self._mean_wait_s = self._mean_wait_s * _MEMORY + wait_s * (1 - _MEMORY)
        since_s = now_s - self._changed_s
        if self._mean_wait_s > LOWER_ABOVE_S and self._level > self._floor and since_s >= LOWER_EVERY_S:
            self._change(self._level - 1, now_s)
        elif self._mean_wait_s < RAISE_BELOW_S and self._level < self._ceiling and since_s >= RAISE_EVERY_S:
            self._change(self._level + 1, now_s)

    def _change(self, level: int, now_s: float) -> None:
        self._level = level
        self._changed_s = now_s
