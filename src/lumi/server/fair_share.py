"""What there is for all strangers together, so that one address never has so much of it that others get none.

Pure; time is passed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from lumi.config.settings import is_loopback
from lumi.errors import Overloaded, RateLimited
from lumi.server.limits import Bucket, network_of

MOST_TRACKED = 128
"""Addresses whose codes are counted."""


def is_shared(address: str) -> bool:
    """Whether an address says nothing of who is behind it: a proxy on this machine, or none at all."""
    return not address or is_loopback(network_of(address))


def find_place(
    taken: Mapping[str, str], address: str, *, most: int, share: int, retry_s: float
) -> str | None:
    """Whether one more from `address` finds a place among those who wait.

    Args:
        taken: who has one, and from which address; those who came first, first.
        address: where the next one comes from.
        most: how many places there are.
        share: how many of them one address may have.
        retry_s: when it is worth asking again.

    Returns:
        Whose place it gets: the oldest of the address that has the most, and more than this one would. None: one is free.

    Raises:
        RateLimited: this address has its share.
        Overloaded: all places are taken, and fairly.
    """
    networks = {who: network_of(remote) for who, remote in taken.items()}
    counts = Counter(networks.values())
    own = counts[network_of(address)]
    if own >= share and not is_shared(address):
        raise RateLimited(f"{own} from this address wait to be let in already", retry_after_s=retry_s)
    if len(taken) < most:
        return None
    crowd, size = counts.most_common(1)[0]
    if size <= own + 1:
        raise Overloaded(f"{len(taken)} wait to be let in already", retry_after_s=retry_s)
    return next(who for who, network in networks.items() if network == crowd)


class CodePace:
    """How fast new codes are made: for all together, and for one address.

    Args:
        per_s: for all together, on average.
        at_once: for all together.
        parts: an address may have so great a part of either.
    """

    def __init__(self, per_s: float, at_once: float, parts: int) -> None:
        self._all = Bucket(per_s, at_once, 0.0)
        self._per_s = per_s / parts
        self._at_once = at_once / parts
        self._of: dict[str, Bucket] = {}  # at most MOST_TRACKED

    def take(self, address: str, now: float) -> None:
        """One more code for this address. Nobody else's codes keep an address from its first.

        Raises:
            RateLimited: this address asked for too many of late.
            Overloaded: all together did.
        """
        own = None if is_shared(address) else self._own(network_of(address), now)
        if own is None:
            self._take_common(now)
            return
        first = own.is_full(now)
        if (wait_s := own.take(1.0, now)) > 0.0:
            raise RateLimited("this address has asked for too many codes of late", retry_after_s=wait_s)
        if first:
            self._all.take(1.0, now)
            return
        try:
            self._take_common(now)
        except Overloaded:
            own.charge(-1.0)  # it got nothing
            raise

    def __len__(self) -> int:
        """Addresses that are kept in mind."""
        return len(self._of)

    def _take_common(self, now: float) -> None:
        if (wait_s := self._all.take(1.0, now)) > 0.0:
            raise Overloaded("too many devices have asked to be let in of late", retry_after_s=wait_s)

    def _own(self, network: str, now: float) -> Bucket | None:
        """An address's own. None: there are too many; who is not kept in mind has no first code, and its peers' pace."""
        if network not in self._of:
            for name in [name for name, bucket in self._of.items() if bucket.is_full(now)]:
                del self._of[name]
            if len(self._of) >= MOST_TRACKED:
                return None
            self._of[network] = Bucket(self._per_s, self._at_once, now)
        return self._of[network]
