"""Which words belong to which sound, where a model gives both and does not say: the text of an answer runs ahead of its
speech. Pure.

A sentence is shown when the one before has been spoken for about as long as its words take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lumi.voice.sentences import SentenceCutter, played_part

_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
HAN_MS: Final = 220.0
"""What a Chinese character takes to say."""
LETTER_MS: Final = 65.0
"""What any other takes."""


def likely_ms(text: str) -> float:
    """How long it takes to say `text`."""
    han = len(_HAN.findall(text))
    return han * HAN_MS + (len(text) - han) * LETTER_MS


@dataclass(slots=True)
class Caption:
    """A sentence and how much sound was given to it."""

    index: int
    text: str
    spoken_ms: float = 0.0


class Captions:
    """Follows one answer."""

    def __init__(self) -> None:
        self._cutter = SentenceCutter()
        self._waiting: list[str] = []  # bounded by the answer's text
        self._count = 0
        self.text = ""
        """All words that came."""
        self.current: Caption | None = None
        self.past: list[Caption] = []

    def write(self, delta: str) -> None:
        """More words."""
        self.text += delta
        self._waiting += self._cutter.feed(delta)

    def flush(self, otherwise: str = "") -> None:
        """No more words come, or what came so far has to do; where there are none, `otherwise` stands for them."""
        self._waiting += self._cutter.flush()
        if otherwise and not self._waiting:
            self._waiting.append(otherwise)

    @property
    def due(self) -> bool:
        """Whether the next sentence begins with the next sound."""
        current = self.current
        over = current is None or current.spoken_ms >= likely_ms(current.text)
        return bool(self._waiting) and over

    @property
    def waiting(self) -> bool:
        """Whether there are sentences to come."""
        return bool(self._waiting)

    def turn_page(self) -> Caption | None:
        """The sentence that is over."""
        over, self.current = self.current, None
        if over is not None:
            self.past.append(over)
        return over

    def begin(self) -> Caption:
        """The sentence that begins."""
        self.current = Caption(self._count, self._waiting.pop(0))
        self._count += 1
        return self.current

    def speak(self, ms: float) -> None:
        """Sound goes to the present sentence."""
        if self.current is not None:
            self.current.spoken_ms += ms

    @property
    def spoken(self) -> str:
        """The words for which there was sound, as far as can be told."""
        captions = [*self.past, *([self.current] if self.current else [])]
        parts = (played_part(one.text, one.spoken_ms, likely_ms(one.text)) for one in captions)
        return " ".join(part for part in parts if part)

    @property
    def count(self) -> int:
        """How many sentences have begun."""
        return self._count
