"""Which of Lumi's languages a text is in, told by its script."""

from __future__ import annotations

import re

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[A-Za-z]")


def language_of(text: str, otherwise: str) -> str:
    """`zh` if there is any Han character, `en` if there are Latin letters, else `otherwise` (digits, signs)."""
    if _HAN.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else otherwise
