"""A sum's words and signs → tokens for `lumi.skills.arithmetic`, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from lumi.engines.base import Language
from lumi.skills import arithmetic
from lumi.skills.arithmetic import MAX_TOKENS, Operation, Token
from lumi.skills.chinese_numbers import NUMBER_ZH, chinese
from lumi.skills.numbers import english_at
from lumi.skills.numerals import MAX_DIGITS

_MAX_CHARACTERS = 200

_SIGNS: Mapping[str, str] = MappingProxyType(
    {"+": "+", "-": "-", "−": "-", "–": "-", "*": "*", "×": "*", "·": "*", "/": "/", "÷": "/", "∕": "/", ":": "/",
     "^": "^", "**": "^", "(": "(", ")": ")", "%": "%", "!": "!", "√": "√", "²": "²", "³": "³"}
)  # fmt: skip

_WORDS_EN: tuple[tuple[tuple[str, ...], tuple[Token, ...]], ...] = tuple(
    sorted(
        (
            (tuple(phrase.split()), tokens)
            for phrases, tokens in (
                (("plus", "added to", "and then add"), ("+",)),
                (("minus", "take away", "subtract", "less"), ("-",)),
                (("negative",), ("-",)),
                (("times", "multiplied by", "x"), ("*",)),
                (("divided by", "over"), ("/",)),
                (("modulo", "mod"), ("mod",)),
                (("to the power of", "raised to the power of", "to the power", "raised to"), ("^",)),
                (("squared",), ("²",)),
                (("cubed",), ("³",)),
                (("factorial",), ("!",)),
                (("percent", "per cent", "percents"), ("%",)),
                (("of",), ("of",)),
                (("the square root of", "square root of", "square root", "root of"), ("√",)),
                (("the cube root of", "cube root of"), ("∛",)),
                (("twice", "double"), (Fraction(2), "*")),
                (("triple",), (Fraction(3), "*")),
            )
            for phrase in phrases
        ),
        key=lambda entry: -len(entry[0]),
    )
)

_PIECE_EN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.\d+|\d+|[a-z']+|\*\*|\S")

_WORDS_ZH: Mapping[str, tuple[Token, ...]] = MappingProxyType(
    {
        "的平方根": ("root2",), "的立方根": ("root3",), "开平方": ("root2",), "开根号": ("root2",), "开立方": ("root3",),
        "的算术平方根": ("root2",),
        "的平方": ("²",), "平方": ("²",), "的立方": ("³",), "立方": ("³",), "的阶乘": ("!",), "阶乘": ("!",),
        "次方": (), "次幂": (), "倍": (), "的一半": ("of", Fraction(1, 2)), "根号": ("√",),
        "加上": ("+",), "加": ("+",), "减去": ("-",), "减掉": ("-",), "减": ("-",),
        "乘以": ("*",), "乘上": ("*",), "乘": ("*",), "除以": ("/",), "除": ("/",), "x": ("*",), "X": ("*",),
        "的": ("of",),
    }
)  # fmt: skip
_PIECE_ZH = re.compile(
    rf"负(?P<negative>{NUMBER_ZH})|(?P<times>的(?={NUMBER_ZH}倍))|的(?P<exponent>{NUMBER_ZH})次[方幂]|(?P<word>{'|'.join(sorted(_WORDS_ZH, key=len, reverse=True))})"
    rf"|(?P<number>{NUMBER_ZH.replace('[负-]?', '')})|(?P<sign>\*\*|\S)"
)


def parse(text: str, language: Language) -> Operation | None:
    """The sum that a text is, whole; `None` if it is none."""
    if len(text) > _MAX_CHARACTERS:
        return None
    text = text.rstrip(" =?")
    tokens = _chinese_tokens(text) if language == "zh" else _english_tokens(text.lower())
    return None if tokens is None else arithmetic.read(tokens)


def _english_tokens(text: str) -> list[Token] | None:
    pieces = _PIECE_EN.findall(re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text))
    tokens: list[Token] = []
    at = 0
    while at < len(pieces) and len(tokens) <= MAX_TOKENS:
        taken = _english_token(pieces, at)
        if taken is None:
            return None
        tokens.extend(taken[0])
        at = taken[1]
    return tokens


def _english_token(pieces: list[str], at: int) -> tuple[tuple[Token, ...], int] | None:
    if sign := _SIGNS.get(pieces[at]):
        return (sign,), at + 1
    for phrase, tokens in _WORDS_EN:
        if tuple(pieces[at : at + len(phrase)]) == phrase:
            return tokens, at + len(phrase)
    if _odd(pieces[at]):
        return None
    found = english_at(pieces, at)
    return found and ((found[0],), found[1])


def _odd(piece: str) -> bool:
    """A date's or a telephone number's digits (`05`), or more than anybody means."""
    return piece.isdecimal() and (len(piece) > MAX_DIGITS or (len(piece) > 1 and piece[0] == "0"))


def _chinese_tokens(text: str) -> list[Token] | None:
    tokens: list[Token] = []
    for piece in _PIECE_ZH.finditer(text.replace(" ", "")):
        taken = _chinese_token(piece)
        if taken is None or len(tokens) > MAX_TOKENS:
            return None
        tokens.extend(taken)
    return tokens


def _chinese_token(piece: re.Match[str]) -> tuple[Token, ...] | None:
    if piece["times"]:
        return ("*",)
    if piece["word"]:
        return _WORDS_ZH[piece["word"]]
    if piece["sign"]:
        sign = _SIGNS.get(piece["sign"])
        return None if sign is None else (sign,)
    return _chinese_number(piece)


def _chinese_number(piece: re.Match[str]) -> tuple[Token, ...] | None:
    written = piece["number"] or piece["exponent"] or piece["negative"]
    number = None if _odd(written) else chinese(written)
    if number is None:
        return None
    if piece["exponent"]:
        return "^", number
    sign = -1 if piece["negative"] else 1
    return (sign * number * 100, "%") if written.startswith("百分之") else (sign * number,)
