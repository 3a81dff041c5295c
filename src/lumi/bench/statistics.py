"""Percentiles of a handful of figures. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct


class Spread(Struct, frozen=True):
    """Where a set of figures lies, in the unit of the figures. Where nothing was measured there is no figure: None."""

    count: int
    median: float | None = None
    p95: float | None = None
    worst: float | None = None


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest figure that at least `share` (0 … 1) of them do not exceed.

    Args:
        ordered: at least one figure, in ascending order.
        share: 0.5 is the median.
    """
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def spread(figures: Sequence[float]) -> Spread:
    if not figures:
        return Spread(0)
    ordered = sorted(figures)
    return Spread(len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.95), ordered[-1])


def share_above(figures: Sequence[float], limit: float) -> float:
    """Percent of the figures that are larger than `limit`; 0 of none."""
    return 100 * sum(figure > limit for figure in figures) / len(figures) if figures else 0.0
