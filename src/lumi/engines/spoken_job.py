"""One request to speak, inside a worker: clause by clause, so that others get their turn between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumi.engines.spoken_text import utterances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lumi.engines.spoken_text import Utterance
    from lumi.engines.worker_speech import SpeakRequest

PIECE_BYTES = 8 * 1024
"""Some 170 ms at 24 kHz."""
FULL_SCALE = 32_767
SLOWEST, FASTEST = 0.5, 2.0


class SpokenJob:
    """`synthesise(clause, request)` gives the PCM of one clause; empty where it has nothing to pronounce."""

    def __init__(self, request: SpeakRequest, synthesise: Callable[[Utterance, SpeakRequest], bytes]) -> None:
        self._request = request
        self._synthesise = synthesise

    def feed(self, piece: bytes) -> Iterator[bytes]:
        raise ValueError(f"a request to speak takes no further pieces ({len(piece)} bytes came)")

    def finish(self) -> Iterator[bytes]:
        for utterance in utterances(self._request.text, self._request.language):
            pcm = self._synthesise(utterance, self._request)
            for start in range(0, len(pcm), PIECE_BYTES):
                yield pcm[start : start + PIECE_BYTES]
            yield b""  # let the others have their turn

    def close(self) -> None:
        """Nothing is held."""


def pcm_of(samples: Any) -> bytes:
    """Signed 16-bit PCM of an array of floats in -1 … 1; louder ones are clipped."""
    import numpy as np

    pcm: bytes = (np.clip(samples, -1.0, 1.0) * FULL_SCALE).astype(np.int16).tobytes()
    return pcm


def bounded(speed: float) -> float:
    """A pace that a model can still pronounce."""
    return min(max(speed, SLOWEST), FASTEST)
