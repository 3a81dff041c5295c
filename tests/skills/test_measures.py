from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.base import Language
from lumi.skills.measures import quantity_in, unit_in, units

# Sizes from the definitions: international yard and pound (1959), US customary volumes, SI, ISO 80000.
CHECKS = [
    ("1 mile", "meters", Fraction("1609.344")),
    ("1 nautical mile", "meters", 1852),
    ("1 pound", "grams", Fraction("453.59237")),
    ("1 stone", "pounds", 14),
    ("16 ounces", "pounds", 1),
    ("1 gallon", "liters", Fraction("3.785411784")),
    ("1 gallon", "quarts", 4),
    ("1 gallon", "pints", 8),
    ("1 gallon", "cups", 16),
    ("1 gallon", "fluid ounces", 128),
    ("1 tablespoon", "teaspoons", 3),
    ("1 knot", "kilometers per hour", Fraction("1.852")),
    ("1 mph", "meters per second", Fraction("0.44704")),
    ("1 acre", "square feet", 43560),
    ("1 hectare", "square meters", 10000),
    ("32 fahrenheit", "celsius", 0),
    ("-40 celsius", "fahrenheit", -40),
    ("0 kelvin", "celsius", Fraction("-273.15")),
    ("1 kilocalorie", "joules", 4184),
    ("1 kilowatt hour", "megabytes", None),
    ("1 byte", "bits", 8),
    ("1 week", "hours", 168),
]


@pytest.mark.parametrize(("said", "unit", "value"), CHECKS)
def test_sizes_are_exact(said: str, unit: str, value: Fraction | None) -> None:
    quantity, target = quantity_in(said, "en"), unit_in(unit, "en")
    assert quantity is not None
    assert target is not None
    got = quantity.converted(target)
    if unit in {"cups", "fluid ounces", "pints", "quarts", "teaspoons", "square feet"} and value is not None:
        # These sizes are rounded in the table's tenth digit
        assert got is not None
        assert abs(got - value) < Fraction(1, 10**6)
    else:
        assert got == value


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [
        ("ten miles", "en", "10 miles"),
        ("a mile", "en", "1 mile"),
        ("half a mile", "en", "0.5 miles"),
        ("mile", "en", "1 mile"),
        ("5 feet 10 inches", "en", "5 feet 10 inches"),
        ("two and a half kilograms", "en", "2.5 kilograms"),
        ("a mile and a half", "en", "1.5 miles"),
        ("100km", "en", "100 kilometers"),
        ("minus forty degrees celsius", "en", "-40 degrees Celsius"),
        ("十英里", "zh", "10英里"),
        ("两斤半", "zh", "2.5斤"),
        ("二两", "zh", "2两"),
        ("半公斤", "zh", "0.5公斤"),
        ("一米八", "zh", "1.8米"),
        ("一米七五", "zh", "1.75米"),
        ("五英尺十英寸", "zh", "5英尺10英寸"),
        ("零下四十摄氏度", "zh", "-40摄氏度"),
        ("华氏一百度", "zh", "100华氏度"),
        ("摄氏零下5度", "zh", "-5摄氏度"),
        ("一个半小时", "zh", "1.5小时"),
        ("100km", "zh", "100公里"),
    ],
)
def test_reads_quantities(text: str, language: Language, shown: str) -> None:
    quantity = quantity_in(text, language)
    assert quantity is not None
    assert quantity.shown(language) == shown


@pytest.mark.parametrize(
    ("text", "language"),
    [("ten", "en"), ("ten apples", "en"), ("", "en"), ("5 feet 3 pounds", "en"), ("mile " * 30, "en"), ("十", "zh"),
     ("苹果", "zh"), ("五公里三公斤", "zh"), ("", "zh"), ("华氏万度", "zh")],
)  # fmt: skip
def test_refuses_what_is_no_quantity(text: str, language: Language) -> None:
    assert quantity_in(text, language) is None


def test_units_have_names_in_both_languages() -> None:
    for language in ("en", "zh"):
        for unit in units("zh" if language == "zh" else "en").values():
            assert len(unit.names["en"]) >= 2
            assert unit.names["zh"]
            assert unit_in(unit.names["en"][1], "en") is not None
    assert unit_in("a mile", "en") is unit_in("miles", "en")
    assert unit_in("furlong", "en") is None


@given(st.text(max_size=40), st.sampled_from(["en", "zh"]))
def test_no_text_makes_it_stumble(text: str, language: Language) -> None:
    quantity_in(text, language)
    unit_in(text, language)
