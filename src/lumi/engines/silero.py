"""Silero VAD: a small recurrent model that tells speech from everything else, scored for many streams in one call.

The model (MIT licence, beside it) lies in this package, so nothing is downloaded. It takes 512 samples at 16 kHz with
the 64 samples before them, and a memory of 2 × 128 numbers per stream.
"""

from __future__ import annotations

import heapq
import importlib.resources
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lumi.errors import EngineError, EngineUnavailable

NAME: Final = "silero"
MODEL: Final = "silero_vad_16k_op15.onnx"
SAMPLE_RATE_HZ: Final = 16_000
WINDOW_SAMPLES: Final = 512

_CONTEXT_SAMPLES = 64
_MEMORY = 128
_FIRST_SLOTS = 16

_MISSING = "onnxruntime and numpy are not installed: pip install 'lumi-assistant[server]'"


class SileroVad:
    """Scores windows for speech; one slot per stream (`lumi.engines.base.Vad`).

    All memories lie in one array and all contexts in another, so that a batch is gathered and scattered in one step.

    Args:
        model: another model file of the same shape.

    Raises:
        EngineUnavailable: onnxruntime is missing, or the model cannot be loaded.
    """

    window_samples = WINDOW_SAMPLES

    def __init__(self, model: Path | None = None) -> None:
        # onnxruntime 1.32 looks a telemetry host up while it is loaded, unless this is set before.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        try:
            import numpy as np
            import onnxruntime
        except ImportError as error:
            raise EngineUnavailable(NAME, _MISSING) from error
        self._np = np
        self._failures = _failures()
        self._session = _load(onnxruntime, model, self._failures)
        self._rate = np.array(SAMPLE_RATE_HZ, dtype=np.int64)
        self._memory = np.zeros((2, _FIRST_SLOTS, _MEMORY), np.float32)
        self._context = np.zeros((_FIRST_SLOTS, _CONTEXT_SAMPLES), np.float32)
        self._free = list(range(_FIRST_SLOTS))  # a heap
        self._taken: set[int] = set()

    def open(self) -> int:
        """Take a slot with an empty memory; the lowest free one, so that slots lie close together."""
        if not self._free:
            self._grow()
        slot = heapq.heappop(self._free)
        self._taken.add(slot)
        self._memory[:, slot] = 0
        self._context[slot] = 0
        return slot

    def close(self, slot: int) -> None:
        """Give a slot back.

        Raises:
            EngineError: it is not open.
        """
        if slot not in self._taken:
            raise EngineError(NAME, f"slot {slot} is not open", retryable=False)
        self._taken.remove(slot)
        heapq.heappush(self._free, slot)

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        """Speech probability of one window (1024 bytes of PCM) for each slot; a slot appears once.

        Raises:
            EngineError: a window of another length, or the model failed.
        """
        if not slots:
            return []
        np = self._np
        samples = np.frombuffer(b"".join(windows), np.int16)
        if samples.size != len(slots) * WINDOW_SAMPLES:
            raise EngineError(NAME, f"windows must be {WINDOW_SAMPLES} samples long", retryable=False)
        rows = np.asarray(slots)
        batch = np.empty((len(slots), _CONTEXT_SAMPLES + WINDOW_SAMPLES), np.float32)
        batch[:, :_CONTEXT_SAMPLES] = self._context[rows]
        np.multiply(
            samples.reshape(-1, WINDOW_SAMPLES), np.float32(1 / 32768), out=batch[:, _CONTEXT_SAMPLES:]
        )
        try:
            scores, memory = self._session.run(
                None, {"input": batch, "state": self._memory[:, rows], "sr": self._rate}
            )
        except self._failures as error:
            raise EngineError(NAME, f"the model failed: {error}") from error
        self._memory[:, rows] = memory
        self._context[rows] = batch[:, -_CONTEXT_SAMPLES:]
        probabilities: list[float] = scores[:, 0].tolist()
        return probabilities

    def _grow(self) -> None:
        np = self._np
        size = self._context.shape[0]
        self._memory = np.concatenate([self._memory, np.zeros_like(self._memory)], axis=1)
        self._context = np.concatenate([self._context, np.zeros_like(self._context)])
        self._free = list(range(size, 2 * size))


def _failures() -> tuple[type[Exception], ...]:
    """What the runtime raises: classes of its own with no root but `Exception`, and ValueError for wrong names."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def _load(onnxruntime: Any, model: Path | None, failures: tuple[type[Exception], ...]) -> Any:
    options = onnxruntime.SessionOptions()
    # One thread: the caller's. The machine's cores belong to sessions, not to one call.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    data = (
        importlib.resources.files("lumi.engines").joinpath("models", MODEL).read_bytes()
        if model is None
        else _read(model)
    )
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except failures as error:
        raise EngineUnavailable(NAME, f"the model {model or MODEL} cannot be loaded: {error}") from error


def _read(model: Path) -> bytes:
    try:
        return model.read_bytes()
    except OSError as error:
        raise EngineUnavailable(
            NAME, f"the model {model} cannot be read: {error.strerror or error}"
        ) from error
