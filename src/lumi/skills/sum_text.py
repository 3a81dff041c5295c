"""A sum's tree in writing: digits and signs, or words where a sign would not be spoken well."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from lumi.engines.base import Language
from lumi.skills.arithmetic import Number, Operation, Tree
from lumi.skills.figures import figure

_RANK: Mapping[str, int] = MappingProxyType(
    {
        "+": 1,
        "-": 1,
        "*": 2,
        "/": 2,
        "mod": 2,
        "of": 3,
        "neg": 4,
        "^": 5,
        "√": 6,
        "∛": 6,
        "%": 7,
        "!": 7,
        "²": 7,
        "³": 7,
    }
)

_FORMS: Mapping[Language, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "+": "{} + {}", "-": "{} - {}", "*": "{} × {}", "/": "{} ÷ {}", "of": "{} of {}", "mod": "{} modulo {}",
            "neg": "-{}", "%": "{}%", "!": "{}!", "²": "{} squared", "³": "{} cubed", "^": "{} to the power of {}",
            "√": "the square root of {}", "∛": "the cube root of {}",
        },
        "zh": {
            "+": "{} + {}", "-": "{} - {}", "*": "{} × {}", "/": "{} ÷ {}", "of": "{} 的 {}", "mod": "{} 除以 {} 的余数",
            "neg": "-{}", "%": "{}%", "!": "{} 的阶乘", "²": "{} 的平方", "³": "{} 的立方", "^": "{} 的 {} 次方",
            "√": "{} 的平方根", "∛": "{} 的立方根",
        },
    }
)  # fmt: skip


def _half_of(tree: Operation, language: Language) -> str:
    """`half of 50`, `8 的一半`; an empty text for other parts."""
    first, second = tree.operands
    half, whole = (second, first) if language == "zh" else (first, second)
    if half != Number(Fraction(1, 2)):
        return ""
    return f"{write(whole, language)} 的一半" if language == "zh" else f"half of {write(whole, language)}"


def write(tree: Tree, language: Language) -> str:
    """The sum in digits and signs, or words where a sign would not be spoken well."""
    if isinstance(tree, Number):
        shown = figure(tree.value, language)
        return shown.text if shown.exact else f"{tree.value.numerator}/{tree.value.denominator}"
    if tree.sign == "of" and (half := _half_of(tree, language)):
        return half
    rank = _RANK[tree.sign]
    parts = []
    for index, operand in enumerate(tree.operands):
        text = write(operand, language)
        inner = _RANK[operand.sign] if isinstance(operand, Operation) else 9
        if index and isinstance(operand, Number) and operand.value < 0:
            inner = 0
        parts.append(f"({text})" if inner < rank or (inner == rank and index) else text)
    return _FORMS[language][tree.sign].format(*parts)
