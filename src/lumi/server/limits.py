"""What one sender may cost: how fast a connection may send, and how many connections come from one address.

Pure counting; time is passed in. What happens to who exceeds a limit is the gateway's and the door's business.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass

from lumi.config.settings import is_loopback

MESSAGES_BURST_S = 10.0
AUDIO_BURST_S = 20.0
"""How many seconds' worth may come at once: a client that was away sends what waited, a recording comes as fast as it can."""

FAULT_COST = 10.0
"""Messages that one without sense counts for: to say what is wrong with it costs more than to do what it says."""

IPV6_BITS = 64
"""Of an IPv6 address: what is behind them a machine chooses for itself, as often as it likes."""

KIB = 1024


@dataclass(frozen=True, slots=True)
class Rates:
    """What one connection may send, on average.

    Attributes:
        messages_per_s: text frames.
        audio_bytes_per_s: in binary frames.
        flood_s: who goes on beyond either for so long is cut off.
    """

    messages_per_s: float = 200.0
    audio_bytes_per_s: float = 128.0 * KIB
    flood_s: float = 10.0


class Bucket:
    """A token bucket: `rate` a second flow in, `burst` fit.

    Args:
        rate: units a second.
        burst: units that may be taken at once.
        now: seconds of a clock that never goes back.
    """

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take `amount`: 0.0 if it was there, else how many seconds until it would be; then nothing is taken."""
        self._level = min(self._burst, self._level + (now - self._at) * self._rate)
        self._at = now
        missing = min(amount, self._burst) - self._level
        if missing > 0:
            return missing / self._rate
        self._level -= amount
        return 0.0

    def is_full(self, now: float) -> bool:
        """Whether it is as if nothing had ever been taken."""
        return self._level + (now - self._at) * self._rate >= self._burst

    def charge(self, amount: float) -> None:
        """Take `amount` whether it is there or not: what comes next waits the longer, up to a bucketful."""
        self._level = max(self._level - amount, -self._burst)


class Allowance:
    """What one connection may still send."""

    __slots__ = ("_audio", "_flood_s", "_messages", "_over_last", "_over_since")

    def __init__(self, rates: Rates, now: float) -> None:
        self._messages = Bucket(rates.messages_per_s, rates.messages_per_s * MESSAGES_BURST_S, now)
        self._audio = Bucket(rates.audio_bytes_per_s, rates.audio_bytes_per_s * AUDIO_BURST_S, now)
        self._flood_s = rates.flood_s
        self._over_since = self._over_last = -rates.flood_s

    def spend(self, frame: str | bytes, now: float) -> float:
        """Seconds until the frame would be welcome; 0.0: it is."""
        if isinstance(frame, str):
            wait_s = self._messages.take(1.0, now)
        else:
            wait_s = self._audio.take(len(frame), now)
        if wait_s > 0.0:
            if now - self._over_last > self._flood_s / 2:  # it had stopped
                self._over_since = now
            self._over_last = now
        return wait_s

    def fine(self) -> None:
        """The message just spent for made no sense."""
        self._messages.charge(FAULT_COST - 1)

    @property
    def is_flood(self) -> bool:
        """Whether what came went beyond again and again, for too long."""
        return self._over_last - self._over_since >= self._flood_s


def network_of(address: str) -> str:
    """Whom an address stands for: an IPv4 address for itself, an IPv6 one for its /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(found if found.is_loopback else ipaddress.ip_network((found, IPV6_BITS), strict=False))


class Addresses:
    """Connections per address, a /64 of IPv6 counting as one. Loopback is not counted: proxies, tests and the machine's own user come from there.

    Args:
        limit: at once from one address.
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._here: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Count one more, unless there are as many as may be. Whoever was counted leaves."""
        network = network_of(address)
        if is_loopback(network):
            return True
        if self._here[network] >= self._limit:
            return False
        self._here[network] += 1
        return True

    def leave(self, address: str) -> None:
        """One less."""
        network = network_of(address)
        if network in self._here:
            self._here[network] -= 1
            if self._here[network] <= 0:
                del self._here[network]

    def __len__(self) -> int:
        """Addresses with a connection."""
        return len(self._here)
