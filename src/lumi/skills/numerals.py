"""Numbers in digits."""

from __future__ import annotations

import re
from fractions import Fraction

MAX_DIGITS = 30
"""Longer numbers are not read: nobody says them, and `int()` of thousands of digits is slow."""
_LITERAL = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?$", re.ASCII)


def literal(word: str) -> Fraction | None:
    """A number in digits: `17`, `1,234.5`, `-3`, `.5`."""
    if len(word) > MAX_DIGITS or not any(char.isdigit() for char in word) or not _LITERAL.match(word):
        return None
    return Fraction(word.replace(",", ""))
