from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.skills.arithmetic import MAX_TOKENS, Number, Operation, Token, Value, evaluate, read


@pytest.mark.parametrize(
    ("tokens", "value"),
    [
        ([Fraction(2), "+", Fraction(3), "*", Fraction(4)], 14),
        (["(", Fraction(2), "+", Fraction(3), ")", "*", Fraction(4)], 20),
        ([Fraction(10), "-", Fraction(4), "-", Fraction(5)], 1),
        ([Fraction(10), "/", Fraction(4), "/", Fraction(5)], Fraction(1, 2)),
        ([Fraction(2), "^", Fraction(3), "^", Fraction(2)], 512),
        ([Fraction(2), "^", "-", Fraction(1)], Fraction(1, 2)),
        (["-", Fraction(5), "+", Fraction(3)], -2),
        (["-", "-", Fraction(5), "+", Fraction(3)], 8),
        ([Fraction(20), "%", "of", Fraction(50)], 10),
        (["√", Fraction(144)], 12),
        (["√", Fraction(4, 9)], Fraction(2, 3)),
        (["∛", "-", Fraction(27)], -3),
        ([Fraction(144), "root2"], 12),
        ([Fraction(27), "root3", "²"], 9),
        ([Fraction(3), "³"], 27),
        ([Fraction(5), "!"], 120),
        ([Fraction(7), "mod", Fraction(3)], 1),
        ([Fraction(8), "^", Fraction(1, 3)], 2),
        ([Fraction(4), "^", Fraction(-1, 2)], Fraction(1, 2)),
        ([Fraction(1), "^", Fraction(10**20)], 1),
    ],
)
def test_works_out_exactly(tokens: list[Token], value: Fraction) -> None:
    tree = read(tokens)
    assert tree is not None
    assert evaluate(tree) == Value(Fraction(value))


@pytest.mark.parametrize(
    "tokens",
    [
        [], [Fraction(1)], ["-", Fraction(1)], [Fraction(20), "%"], ["+"], [Fraction(1), "+"], ["(", Fraction(1), "+", Fraction(2)], [Fraction(1), Fraction(2)],
        ["*", Fraction(2)], ["√"], [Fraction(2), "^"], ["(", ")"], [Fraction(1), "+", Fraction(2), ")"], ["-", "+"], [Fraction(1), "+"] * MAX_TOKENS,
        [Fraction(1), "%", "%", Fraction(2)],
    ],
)  # fmt: skip
def test_reads_no_sum_where_there_is_none(tokens: list[Token]) -> None:
    assert read(tokens) is None


def test_says_where_a_root_was_rounded() -> None:
    tree = read(["√", Fraction(2)])
    assert tree is not None
    value = evaluate(tree)
    assert not value.exact
    assert abs(value.number**2 - 2) < Fraction(1, 10**20)
    whole = read(["√", Fraction(2), "+", Fraction(1)])
    assert whole is not None
    assert not evaluate(whole).exact


@pytest.mark.parametrize(
    ("tokens", "error"),
    [
        ([Fraction(5), "/", Fraction(0)], ZeroDivisionError),
        ([Fraction(5), "mod", Fraction(0)], ZeroDivisionError),
        ([Fraction(0), "^", Fraction(-1)], ZeroDivisionError),
        ([Fraction(9), "^", Fraction(9), "^", Fraction(9)], OverflowError),
        ([Fraction(10), "^", Fraction(100000)], OverflowError),
        ([Fraction(1, 3), "^", Fraction(100000)], OverflowError),
        ([Fraction(501), "!"], OverflowError),
        ([Fraction(2), "^", Fraction(1, 7)], OverflowError),
        ([Fraction(2), "^", Fraction(1001, 2)], OverflowError),
        ([Fraction(2), "^", Fraction(4000), "*", Fraction(2), "^", Fraction(4000)], OverflowError),
        (["√", "-", Fraction(1)], ValueError),
        ([Fraction(-2), "!"], ValueError),
        ([Fraction(1, 2), "!"], ValueError),
    ],
)
def test_refuses_what_cannot_be_worked_out(tokens: list[Token], error: type[Exception]) -> None:
    tree = read(tokens)
    assert tree is not None
    with pytest.raises(error):
        evaluate(tree)


@given(st.fractions(), st.fractions(), st.sampled_from("+-*"))
def test_agrees_with_fractions(left: Fraction, right: Fraction, sign: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert evaluate(Operation(sign, (Number(left), Number(right)))).number == expected
