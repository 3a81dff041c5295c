"""Whether and when to try again what a server did not give us. Pure."""

from __future__ import annotations

WAITS_S = (1.0, 2.0, 5.0, 10.0, 20.0)
LONGEST_WAIT_S = 120.0
PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


def wait_s(
    failures: int,
    status: int | None = None,
    retry_after: str = "",
    waits_s: tuple[float, ...] = WAITS_S,
) -> float | None:
    """Seconds to wait before the next try; None: give up.

    Args:
        failures: tries in a row that brought not one byte, this one included.
        status: the HTTP status that came; None where the line itself failed.
        retry_after: the header of this name; only its form in seconds is heeded.
        waits_s: what to wait after the first failure, the second …; when they are used up, that was the last try.
    """
    if status is not None and status not in PASSING_STATUSES:
        return None
    if failures > len(waits_s):
        return None
    wished = float(retry_after) if retry_after.isdigit() else 0.0
    return min(max(waits_s[failures - 1], wished), LONGEST_WAIT_S)
