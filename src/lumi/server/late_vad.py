"""A `Vad` that is made when it is first needed, in the thread that needs it: loading a model takes longer than a hello."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from lumi.engines.base import Vad

WINDOW_SAMPLES = 512
"""What the media pool cuts sound into; an engine with other windows does not fit it."""


class LateVad:
    """Stands for the engine that `make` returns; `load` makes it now, once, whichever thread comes first."""

    window_samples = WINDOW_SAMPLES

    def __init__(self, make: Callable[[], Vad]) -> None:
        self._make = make
        self._lock = Lock()
        self._vad: Vad | None = None

    def load(self) -> Vad:
        """The engine itself.

        Raises:
            EngineUnavailable: it cannot start here.
        """
        with self._lock:
            if self._vad is None:
                self._vad = self._make()
            return self._vad

    def open(self) -> int:
        return self.load().open()

    def close(self, slot: int) -> None:
        self.load().close(slot)

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        return self.load().score(slots, windows)
