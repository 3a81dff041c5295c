"""Percentiles are figures that were measured."""

from __future__ import annotations

import pytest

from lumi.bench.statistics import Spread, percentile, share_above, spread


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 3), (0.6, 3), (0.61, 4), (1.0, 5)])
def test_a_percentile_is_a_figure_that_was_measured(share: float, expected: float) -> None:
    assert percentile([1, 2, 3, 4, 5], share) == expected


def test_the_spread_does_not_mind_the_order() -> None:
    assert spread([9.0, 1.0, 5.0]) == Spread(3, 5.0, 9.0, 9.0)


def test_nothing_measured_is_no_figure() -> None:
    assert spread([]) == Spread(0, None, None, None)


def test_the_share_above_a_limit_leaves_the_limit_out() -> None:
    assert share_above([1.0, 2.0, 3.0, 4.0], 2.0) == 50.0
    assert share_above([], 2.0) == 0.0
