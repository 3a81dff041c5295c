"""Sums: tokens → a tree → an exact value.

sum     = product { (+|-) product }
product = sign { (*|/|of|mod) sign }
sign    = - sign | power
power   = postfix [ ^ sign ]
postfix = atom { % | ! | ² | ³ | 's root }
atom    = number | √ postfix | ∛ postfix | ( sum )
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

MAX_TOKENS = 60
MAX_BITS = 4096
"""Of a power's or a factorial's result: larger ones are not worked out."""
_ROOT_DIGITS = 24

Token = str | Fraction
"""An operator's sign, or a number."""


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Operation:
    """`sign` applied to one or two operands."""

    sign: str
    operands: tuple[Tree, ...]


Tree = Number | Operation

_LEVELS: tuple[frozenset[str], ...] = (frozenset("+-"), frozenset({"*", "/", "of", "mod"}))
_POSTFIX = frozenset({"%", "!", "²", "³", "root2", "root3"})
_PREFIX = frozenset({"√", "∛"})
_PREFIX_OF = MappingProxyType({"root2": "√", "root3": "∛"})


class _Reader:
    """Recursive descent over tokens; `None` from any rule: this is no sum."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def whole(self) -> Tree | None:
        tree = self._level(0)
        return tree if self._at == len(self._tokens) else None

    def _next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, signs: frozenset[str]) -> str | None:
        token = self._next()
        if isinstance(token, str) and token in signs:
            self._at += 1
            return token
        return None

    def _level(self, level: int) -> Tree | None:
        if level == len(_LEVELS):
            return self._signed()
        left = self._level(level + 1)
        while left is not None and (sign := self._take(_LEVELS[level])):
            right = self._level(level + 1)
            left = None if right is None else Operation(sign, (left, right))
        return left

    def _signed(self) -> Tree | None:
        if not self._take(frozenset("-")):
            return self._power()
        operand = self._signed()
        return operand and Operation("neg", (operand,))

    def _power(self) -> Tree | None:
        base = self._postfixed()
        if base is None or not self._take(frozenset("^")):
            return base
        exponent = self._signed()
        return exponent and Operation("^", (base, exponent))

    def _postfixed(self) -> Tree | None:
        tree = self._atom()
        while tree is not None and (sign := self._take(_POSTFIX)):
            tree = Operation(_PREFIX_OF.get(sign, sign), (tree,))
        return tree

    def _atom(self) -> Tree | None:
        if sign := self._take(_PREFIX):
            operand = self._signed() if self._next() == "-" else self._postfixed()
            return operand and Operation(sign, (operand,))
        if self._take(frozenset("(")):
            inner = self._level(0)
            return inner if inner and self._take(frozenset(")")) else None
        if isinstance(number := self._next(), Fraction):
            self._at += 1
            return Number(number)
        return None


def read(tokens: Sequence[Token]) -> Operation | None:
    """The tree of a whole sum; `None` if the tokens are none, or only a number."""
    if not 2 <= len(tokens) <= MAX_TOKENS:
        return None
    tree = _Reader(tokens).whole()
    return tree if isinstance(tree, Operation) and tree.sign not in {"neg", "%"} else None


@dataclass(frozen=True, slots=True)
class Value:
    """`exact` is false where a root was rounded."""

    number: Fraction
    exact: bool = True


def evaluate(tree: Tree) -> Value:
    """The sum's value.

    Raises:
        ZeroDivisionError: something is divided by zero.
        OverflowError: the result is too large to be worked out.
        ValueError: it has no real result, e.g. the square root of -1.
    """
    if isinstance(tree, Number):
        return Value(tree.value)
    values = [evaluate(operand) for operand in tree.operands]
    result = _OPERATIONS[tree.sign](*(value.number for value in values))
    _check_size(result.number)
    return Value(result.number, result.exact and all(value.exact for value in values))


def _check_size(value: Fraction) -> None:
    if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
        raise OverflowError


def _root(value: Fraction, degree: int) -> Value:
    """Exact for perfect powers, else rounded to some 24 digits."""
    if value < 0 and degree == 2:
        raise ValueError
    sign, value = (-1, -value) if value < 0 else (1, value)
    above, below = _whole_root(value.numerator, degree), _whole_root(value.denominator, degree)
    if above**degree == value.numerator and below**degree == value.denominator:
        return Value(Fraction(sign * above, below))
    scale = 10**_ROOT_DIGITS
    return Value(Fraction(sign * _whole_root(math.floor(value * scale**degree), degree), scale), exact=False)


def _whole_root(value: int, degree: int) -> int:
    """The largest whole number whose power is not above `value`; by bisection, so exact for any size."""
    low, high = 0, 1 << (value.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
    return low


def _power(base: Fraction, exponent: Fraction) -> Value:
    if exponent.denominator != 1:
        if exponent.denominator > 3 or abs(exponent) > 64:
            raise OverflowError
        root = _root(base, exponent.denominator)
        return Value(_power(root.number, Fraction(exponent.numerator)).number, root.exact)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and bits * abs(exponent) > MAX_BITS:
        raise OverflowError
    return Value(Fraction(base ** int(exponent)))


def _factorial(value: Fraction) -> Value:
    if value.denominator != 1 or value < 0:
        raise ValueError
    if value > 500:
        raise OverflowError
    return Value(Fraction(math.factorial(int(value))))


_OPERATIONS: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "+": lambda left, right: Value(left + right),
        "-": lambda left, right: Value(left - right),
        "*": lambda left, right: Value(left * right),
        "of": lambda left, right: Value(left * right),
        "/": lambda left, right: Value(left / right),
        "mod": lambda left, right: Value(left % right),
        "neg": lambda operand: Value(-operand),
        "%": lambda operand: Value(operand / 100),
        "²": lambda operand: Value(operand**2),
        "³": lambda operand: Value(operand**3),
        "!": _factorial,
        "^": _power,
        "√": lambda operand: _root(operand, 2),
        "∛": lambda operand: _root(operand, 3),
    }
)
