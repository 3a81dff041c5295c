"""Numbers as an answer shows them: in digits, exact where that is short enough."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from lumi.engines.base import Language

SIGNIFICANT = 6
"""Digits of a rounded number."""
_MAX_DECIMALS = 8
_PLAIN_BELOW = 10**21
_GROUPED_FROM = 10_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in digits; `exact` is false if it was rounded."""

    text: str
    exact: bool = True


def figure(value: Fraction, language: Language) -> Figure:
    """`1/3` → `0.333333` (rounded); `12345` → `12,345` in English; `2**100` → `1.26765 × 10^30`."""
    if abs(value) >= _PLAIN_BELOW:
        return _scientific(value, language)
    exact = _terminates(value)
    number = _rounded(value, 40 if exact else SIGNIFICANT)
    if not exact and abs(value) >= 10**SIGNIFICANT:
        number = Decimal(round(value))
    elif number and abs(number) < Decimal("1e-9"):
        return _scientific(value, language)
    grouped = language == "en" and abs(number) >= _GROUPED_FROM
    text = f"{number.normalize():,f}" if grouped else f"{number.normalize():f}"
    return Figure(text, exact)


def plain(value: Fraction, language: Language) -> str:
    """The figure's digits, rounded or not."""
    return figure(value, language).text


def _terminates(value: Fraction) -> bool:
    return Decimal(10**_MAX_DECIMALS) % value.denominator == 0


def _rounded(value: Fraction, digits: int) -> Decimal:
    with localcontext() as context:
        context.prec = digits
        return Decimal(value.numerator) / Decimal(value.denominator)


def _scientific(value: Fraction, language: Language) -> Figure:
    number = _rounded(value, SIGNIFICANT)
    exponent = number.adjusted()
    mantissa = number.scaleb(-exponent).normalize()
    power = f"10 的 {exponent} 次方" if language == "zh" else f"10 to the power of {exponent}"
    exact = Fraction(number) == value
    return Figure(power if mantissa == 1 else f"{mantissa:f} × {power}", exact)
