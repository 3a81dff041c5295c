"""Who was refused, and why: counted, logged, and the last of them kept for the household to see. Never a secret."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lumi.server.auth import Verdict
from lumi.server.identity import printable
from lumi.server.log import Subject, logger
from lumi.server.metrics import Metrics
from lumi.transport.base import LinkInfo

KEPT = 200


class Reason(StrEnum):
    """Why somebody is refused, beside the verdicts of the door. What each means: `web/console/reasons.js`."""

    BAD_ADMIN_TOKEN = "bad_admin_token"  # noqa: S105 - a reason
    OVERLOADED = "overloaded"
    """The server has as many sessions as it may."""
    RATE_LIMITED = "rate_limited"
    """The device has."""
    FLOOD = "flood"
    """More came, for long, than one connection may send."""
    ADDRESS_CONNECTIONS = "address_connections"
    """One address has as many connections as it may."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal. What was shown as a token is not in it, and no query, which may hold one."""

    at: float
    reason: str
    where: str
    remote: str
    device_id: str
    origin: str


class AuditLog:
    """Owns the last refusals. `wall_clock` gives UNIX seconds."""

    def __init__(self, metrics: Metrics, wall_clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._wall_clock = wall_clock
        self._latest: deque[Refusal] = deque(maxlen=KEPT)  # the oldest go first
        self._log = logger(Subject.HTTP)

    @property
    def latest(self) -> Sequence[Refusal]:
        """Newest first."""
        return tuple(reversed(self._latest))

    def refused(self, reason: Verdict | Reason, info: LinkInfo, device_id: str | None = None) -> None:
        """Note that somebody was refused.

        Args:
            reason: becomes a label of the counter.
            info: the request.
            device_id: whom it claims to be, or was found to be.
        """
        refusal = Refusal(
            at=self._wall_clock(),
            reason=reason.value,
            where=printable(info.path),
            remote=info.remote,
            device_id=device_id or "",
            origin=printable(info.headers.get("origin", "")),
        )
        self._latest.append(refusal)
        self._metrics.refused.labels(reason.value).inc()
        self._log.warning(
            "refused",
            remote=refusal.remote,
            why=reason.value,
            where=refusal.where,
            device=refusal.device_id,
            origin=refusal.origin,
        )
