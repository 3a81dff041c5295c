"""A cheap gate before an expensive voice activity detector: WebRTC's, 20 times cheaper, decides when to ask the other.

Where WebRTC VAD hears nothing, neither does anybody, so the score is 0. Where it hears something, the model decides, and
goes on deciding for a moment after, since WebRTC VAD takes any noise for speech but seldom misses any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lumi.engines.base import Vad
from lumi.engines.silero import SileroVad
from lumi.errors import EngineError, EngineUnavailable

NAME: Final = "webrtc_gate"
SAMPLE_RATE_HZ: Final = 16_000

_FRAME_BYTES: Final = 960
"""30 ms, the longest frame WebRTC VAD takes; the last 2 ms of a window of 32 are not looked at."""

_MISSING = "webrtcvad is not installed: pip install 'lumi-assistant[server]'"


@dataclass(slots=True)
class _Stream:
    """One stream's gate: the detector, how many windows it stays open, and the window before this one."""

    detector: Any
    slot: int
    open_windows: int = 0
    previous: bytes | None = None


class WebrtcGate:
    """Wraps another `Vad` and is one itself (`lumi.engines.base.Vad`).

    Args:
        model: asked where the gate is open.
        mode: 0 (opens at the slightest) … 3 (only at clear speech).
        hold_windows: how long it stays open after the last window in which something was heard.

    Raises:
        EngineUnavailable: webrtcvad is missing, or has no such mode.
    """

    def __init__(self, model: Vad, *, mode: int = 2, hold_windows: int = 8) -> None:
        try:
            import webrtcvad
        except ImportError as error:
            raise EngineUnavailable(NAME, _MISSING) from error
        if mode not in range(4):
            raise EngineUnavailable(NAME, f"mode {mode} does not exist; accepted: 0, 1, 2, 3")
        self.window_samples = model.window_samples
        self.windows = 0
        self.passed = 0
        """Of them, those the model was asked about."""
        self._webrtcvad = webrtcvad
        self._model = model
        self._mode = mode
        self._hold_windows = hold_windows
        self._streams: dict[int, _Stream] = {}

    def open(self) -> int:
        """Take a slot for a new stream: the model's."""
        slot = self._model.open()
        self._streams[slot] = _Stream(self._webrtcvad.Vad(self._mode), slot)
        return slot

    def close(self, slot: int) -> None:
        """Give a slot back.

        Raises:
            EngineError: it is not open.
        """
        if self._streams.pop(slot, None) is None:
            raise EngineError(NAME, f"slot {slot} is not open", retryable=False)
        self._model.close(slot)

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        """Speech probability of one window for each slot: 0 where the gate is shut."""
        self.windows += len(slots)
        scores = [0.0] * len(slots)
        opening: list[tuple[int, bytes]] = []
        passing: list[int] = []
        for row, (slot, window) in enumerate(zip(slots, windows, strict=True)):
            stream = self._stream(slot)
            was_open = stream.open_windows > 0
            if self._is_open(stream, window):
                passing.append(row)
                if not was_open and stream.previous is not None:
                    opening.append((slot, stream.previous))
            stream.previous = window
        self.passed += len(passing)
        if opening:
            # The model goes by what it heard before: it is told the sound the gate opened after.
            self._model.score([slot for slot, _ in opening], [window for _, window in opening])
        if passing:
            asked = self._model.score([slots[row] for row in passing], [windows[row] for row in passing])
            for row, score in zip(passing, asked, strict=True):
                scores[row] = score
        return scores

    def _stream(self, slot: int) -> _Stream:
        stream = self._streams.get(slot)
        if stream is None:
            raise EngineError(NAME, f"slot {slot} is not open", retryable=False)
        return stream

    def _is_open(self, stream: _Stream, window: bytes) -> bool:
        if stream.detector.is_speech(window[:_FRAME_BYTES], SAMPLE_RATE_HZ):
            stream.open_windows = self._hold_windows
        elif stream.open_windows:
            stream.open_windows -= 1
        return stream.open_windows > 0


def gated_silero(*, gate: bool = True, gate_mode: int = 2, model: str = "") -> Vad:
    """The engine `silero` as the registry offers it: Silero VAD behind the gate.

    Args:
        gate: without it the model is asked about every window.
        gate_mode: see `WebrtcGate`.
        model: path of another model file; empty: the one in this package.

    Raises:
        EngineUnavailable: a part of it is missing; says what to install.
    """
    silero = SileroVad(Path(model) if model else None)
    return WebrtcGate(silero, mode=gate_mode) if gate else silero
