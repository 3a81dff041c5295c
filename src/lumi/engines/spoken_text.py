"""From a text as it is shown to clauses as they are spoken: no mark-up, no emoji, numbers as people say them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lumi.engines.spoken_chinese import chinese
from lumi.engines.spoken_english import english

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_CLAUSE = 120
"""Characters; a longer sentence is cut at a comma or a space, so that no request holds the voice for long."""
BORROWED_WORDS = 3
"""So many Latin words amid Chinese are left to the Chinese voice, which can say them without a break."""


class Script(StrEnum):
    HAN = "han"
    LATIN = "latin"


@dataclass(frozen=True, slots=True)
class Utterance:
    """A clause in one script, ready for a voice."""

    text: str
    script: Script


_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"```\w*\n?"), " "),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),  # links and pictures: their words
    (re.compile(r"<[^<>\n]{1,200}>"), " "),
    (re.compile(r"https?://(?:www\.)?([^\s/?#，。]+)[^\s，。]*"), r"\1"),  # an address: its host
    (re.compile(r"^[ \t]{0,3}(?:#{1,6}|>+|[-*+•](?=\s))[ \t]*", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE), " "),
    (re.compile(r"\*+|~~|`+|(?<!\w)_+|_+(?!\w)|\|"), ""),
)
_WIDE = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_SAME = {
    ord(a): b
    for a, b in {
        "％": "%",
        "＋": "+",
        "＝": "=",
        "－": "-",
        "−": "-",
        "℃": "°C",
        "℉": "°F",
        "：": ":",
        "’": "'",
    }.items()
}
_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff〇]")
_LATIN = re.compile(r"[^\W\d_㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff〇]")
_SPOKEN = re.compile(r"[^\W_]")
_SHORT = "".join(
    rf"(?<!\b{short}\.)"
    for short in (r"e\.g", r"i\.e", r"[ap]\.m", "vs", "Mr", "Mrs", "Ms", "Dr", "St", "No")
)
_SENTENCE_END = re.compile(rf"(?<=[。！？；…])|(?<=[.!?;]){_SHORT}(?=\s)|\n+")
_COMMA = re.compile(r"[，、：]|[,:](?=\s)")
_HAN_POINTS = re.compile(r"[。！？，；、]")
_UNSPOKEN_CATEGORIES = frozenset({"So", "Sk", "Cf", "Co", "Cn", "Cs", "Cc"})
_KEPT = frozenset("°\n\t")


def utterances(text: str, language: str = "") -> Iterator[Utterance]:
    """The clauses of a text in order; nothing, where there is nothing to pronounce.

    `language` (`zh`, `en`, or a tag that begins so) decides for clauses that have digits only.
    """
    neutral = Script.HAN if language.lower().startswith(("zh", "cmn", "yue")) else Script.LATIN
    plain = without_markup(text)
    if (_HAN.search(plain) or _HAN_POINTS.search(plain)) and not _LATIN.search(plain):
        neutral = Script.HAN
    for clause in clauses(plain):
        for run in runs(clause, neutral):
            said = chinese(run.text) if run.script is Script.HAN else english(run.text)
            said = " ".join(without_symbols(said).split())
            if _SPOKEN.search(said):
                yield Utterance(said, run.script)


def without_markup(text: str) -> str:
    """No Markdown, HTML, addresses or emoji; full-width letters and digits as plain ones."""
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    text = text.translate(_WIDE).translate(_SAME)
    return "".join(
        c if c in _KEPT or unicodedata.category(c) not in _UNSPOKEN_CATEGORIES else " " for c in text
    )


def without_symbols(text: str) -> str:
    """What is left of symbols after they were put into words would be named one by one: drop it."""
    return "".join(" " if c in "<>^{}[]\\=_~#°" else c for c in text)


def clauses(text: str) -> Iterator[str]:
    """Sentences; long ones in parts, cut behind a comma, else at a space, else anywhere."""
    for sentence in _SENTENCE_END.split(text):
        rest = sentence.strip()
        while len(rest) > LONGEST_CLAUSE:
            commas = [match.end() for match in _COMMA.finditer(rest, 0, LONGEST_CLAUSE)]
            cut = commas[-1] if commas else max(rest.rfind(" ", 0, LONGEST_CLAUSE), 0) or LONGEST_CLAUSE
            yield rest[:cut]
            rest = rest[cut:].strip()
        if rest:
            yield rest


def runs(clause: str, neutral: Script) -> Iterator[Utterance]:
    """Split a clause where its script changes.

    Digits and signs go with what is before them, at first with what follows; a few Latin words amid Chinese stay.
    """
    marks = [_script_of(c) for c in clause]
    if Script.HAN in marks and len(re.findall(r"[A-Za-z][\w'\-]*", clause)) <= BORROWED_WORDS:
        yield Utterance(clause, Script.HAN)
        return
    present = next((mark for mark in marks if mark), neutral)
    start = 0
    for position, mark in enumerate(marks):
        if mark and mark is not present:
            yield Utterance(clause[start:position], present)
            start, present = position, mark
    yield Utterance(clause[start:], present)


def _script_of(character: str) -> Script | None:
    if _HAN.match(character):
        return Script.HAN
    return Script.LATIN if _LATIN.match(character) else None
