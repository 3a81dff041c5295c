"""Whether a service refuses because the account behind the key is used up. There is no one way to say so: the statuses are
402, 429, 403 and 400, and where a code is given it is each service's own.

A 429 whose words speak of a quota or of billing may mean a limit by the minute, which passes; only what is plain counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

PAYMENT_REQUIRED: Final = 402

CODES: Final = frozenset(
    {
        "insufficient_quota",  # OpenAI, and many that speak its API
        "insufficient_balance",
        "insufficient_user_quota",  # one-api and its kin
        "insufficient_credits",
        "billing_hard_limit_reached",
        "billing_not_active",
        "exceeded_current_quota_error",  # Moonshot
        "arrearage",  # DashScope
    }
)
"""Of errors (`code` or `type`), in small letters."""

_PLAIN_WORDS: Final = re.compile(
    r"insufficient (account )?(balance|credits?|funds|quota)|balance is (insufficient|not enough|too low)"
    r"|(out of|no|used all available) credits?\b|not enough (balance|credits?)|余额不足|欠费",
    re.IGNORECASE,
)


def used_up(status: int, said: str, codes: frozenset[str]) -> bool:
    """Whether an error means that the account has no credit left.

    Args:
        status: HTTP's; 0: an error in the middle of an answer.
        said: the service's own words.
        codes: what else it says, see `codes_of`.
    """
    if status == PAYMENT_REQUIRED or not CODES.isdisjoint(codes):
        return True
    return status < 500 and _PLAIN_WORDS.search(said) is not None


def codes_of(body: Any) -> frozenset[str]:
    """The `code` and the `type` in an error's body, in small letters."""
    if not isinstance(body, Mapping):
        return frozenset()
    inner = body.get("error")
    given = [body.get(name) for name in ("code", "type")]
    own = frozenset(str(name).lower() for name in given if isinstance(name, str | int))
    return own | codes_of(inner)
