"""Who may come in, and under which name.

Three questions, answered before a hello is: may this web page talk to us (`Origin`), does the peer show the token
where one is set, and what is the device called.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from lumi.config.settings import is_loopback
from lumi.transport.base import LinkInfo

NAME_LIMIT = 128
"""Characters of a device's name that are believed."""

HOME_SUFFIXES = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain", ".fritz.box")
"""Names that only a network at home resolves: no web page can be served under one from outside."""


class Verdict(Enum):
    """What becomes of a request to connect."""

    WELCOME = "welcome"
    BAD_ORIGIN = "bad_origin"
    BAD_TOKEN = "unauthorized"  # noqa: S105 - a verdict


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """The rules.

    Attributes:
        host: the address the server listens on.
        token: what must be shown; None: nothing.
        origins: further web pages that may connect, as `scheme://host[:port]`; `*`: any.
    """

    host: str = "127.0.0.1"
    token: str | None = None
    origins: tuple[str, ...] = ()

    def judge(self, info: LinkInfo) -> Verdict:
        """Whether the peer may connect."""
        if not self.origin_allowed(info.headers):
            return Verdict.BAD_ORIGIN
        if self.token is not None and not hmac.compare_digest(
            shown_token(info).encode(), self.token.encode()
        ):
            return Verdict.BAD_TOKEN
        return Verdict.WELCOME

    def origin_allowed(self, headers: Mapping[str, str]) -> bool:
        """Only browsers send an `Origin`, and any page on the web could have them connect to this machine."""
        origin = headers.get("origin")
        if origin is None or "*" in self.origins or origin.rstrip("/").lower() in self._listed():
            return True
        scheme, _, authority = origin.partition("://")
        page = _address(authority)
        if scheme not in {"http", "https"} or page is None:
            return False
        return is_loopback(page[0]) or self._is_own(page, headers.get("host", ""))

    def _listed(self) -> frozenset[str]:
        return frozenset(origin.rstrip("/").lower() for origin in self.origins)

    def _is_own(self, page: tuple[str, int | None], host: str) -> bool:
        """Whether the page came from this server, and not from a name that somebody points at us for a moment."""
        if _address(host) != page or is_loopback(self.host):
            return False
        return self.token is not None or _is_home_name(page[0])


def _address(authority: str) -> tuple[str, int | None] | None:
    """Host and port of `host[:port]`; None if it is neither."""
    try:
        split = urlsplit(f"//{authority}")
        port = split.port
    except ValueError:
        return None
    return (split.hostname, port) if split.hostname else None


def _is_home_name(hostname: str) -> bool:
    """An address, or a name that the public DNS does not know."""
    try:
        ipaddress.ip_address(hostname)
    except ValueError:
        return "." not in hostname or hostname.endswith(HOME_SUFFIXES)
    return True


def shown_token(info: LinkInfo) -> str:
    """The token of `Authorization: Bearer …`, or of the query (a browser cannot set headers); empty if none."""
    shown = info.headers.get("authorization") or info.query.get("authorization") or ""
    scheme, _, rest = shown.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else shown.strip()


def device_name(info: LinkInfo, claimed: str | None) -> str | None:
    """What the device goes by: header, then query, then its hello's word. None: it has no name.

    Args:
        info: the request.
        claimed: `device_id` of the hello.
    """
    for name in (info.headers.get("device-id"), info.query.get("device-id"), claimed):
        if name and (cleaned := _printable(name)):
            return cleaned
    return None


def _printable(name: str) -> str:
    return "".join(character for character in name.strip() if character.isprintable())[:NAME_LIMIT]
