"""What Lumi says, by key: the `responses` of the intents' files."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter


@dataclass(frozen=True, slots=True)
class Wording:
    """One language's responses. Where a key has several texts, `rng` picks one."""

    responses: Mapping[str, str | Sequence[str]]
    rng: random.Random

    def all(self, key: str) -> Sequence[str]:
        """Every text of a key."""
        texts = self.responses[key]
        return (texts,) if isinstance(texts, str) else texts

    def say(self, key: str, **values: object) -> str:
        texts = self.all(key)
        text = texts[0] if len(texts) == 1 else self.rng.choice(texts)
        return text.format(**values)

    def asked(self, key: str, said: str) -> Mapping[str, str] | None:
        """The values with which `said` contains the text of `key`; None if it does not."""
        for text in self.all(key):
            if found := re.search(_pattern(text), said):
                return found.groupdict()
        return None


def _pattern(text: str) -> str:
    parts = (
        re.escape(literal) + (f"(?P<{name}>.+?)" if name else "")
        for literal, name, _, _ in Formatter().parse(text)
    )
    return "".join(parts)
