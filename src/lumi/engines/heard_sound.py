"""What recognisers do with sound and words before and after their model. Pure; used inside workers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 16_000
BYTES_A_SECOND = 2 * RATE_HZ
LONGEST_BYTES = 600 * BYTES_A_SECOND
"""Of one utterance; what comes after it is not kept."""
SHORTEST_BYTES = BYTES_A_SECOND // 10
WINDOW_BYTES = 28 * BYTES_A_SECOND
"""Models look at half a minute at most."""
SEAM_BYTES = 4 * BYTES_A_SECOND
"""A longer utterance is cut where it is quietest in this last part of a window."""
STEP_BYTES = BYTES_A_SECOND // 10
FAINTEST = 64
"""A sample of 32 767: an utterance that is nowhere louder is silence."""

_HAN = re.compile(r"[㐀-䶿一-鿿]")
_WORD = re.compile(r"\w")
_SHOUTED = re.compile(r"\b[A-Z']{2,}\b|\b[A-Z](?= )|(?<= )[A-Z]\b")


def samples_of(pcm: bytes) -> Any:
    """Floats in -1 … 1; half a sample at the end is dropped."""
    import numpy as np

    return np.frombuffer(pcm, np.int16, len(pcm) // 2).astype(np.float32) / 32_768


def is_silent(pcm: bytes) -> bool:
    """Too short, or nowhere loud enough, to hold a word."""
    import numpy as np

    if len(pcm) < SHORTEST_BYTES:
        return True
    samples = np.frombuffer(pcm, np.int16, len(pcm) // 2).astype(np.int32)
    return bool(np.abs(samples).max() < FAINTEST)


def windows(pcm: bytes) -> Iterator[bytes]:
    """Parts that a model can take, cut where it is quiet."""
    start = 0
    while len(pcm) - start > WINDOW_BYTES:
        cut = start + _quietest(pcm[start : start + WINDOW_BYTES])
        yield pcm[start:cut]
        start = cut
    yield pcm[start:]


def _quietest(window: bytes) -> int:
    """Where to cut: the middle of the quietest tenth of a second in the window's last part."""
    import numpy as np

    begin = len(window) - SEAM_BYTES
    tail = np.frombuffer(window[begin:], np.int16).astype(np.float32)
    energy = np.square(tail.reshape(-1, STEP_BYTES // 2)).sum(axis=1)
    return begin + int(energy.argmin()) * STEP_BYTES + STEP_BYTES // 2


def words_of(text: str) -> str:
    """As a person would write it: no capitals throughout, no spaces between Chinese characters, nothing but marks is nothing."""
    if not _WORD.search(text):
        return ""
    text = re.sub(r"(?<=[㐀-䶿一-鿿]) +(?=[㐀-䶿一-鿿])", "", text.strip())
    if any(c.islower() for c in text):
        return text
    return _SHOUTED.sub(lambda match: match[0].lower(), text)


def language_of(text: str) -> str:
    """`zh` where there is a Chinese character, else `en`; empty for no text."""
    if not text:
        return ""
    return "zh" if _HAN.search(text) else "en"
