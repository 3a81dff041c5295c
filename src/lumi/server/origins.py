"""Which web pages may talk to us. Only browsers send an `Origin`, and any page on the web could have them connect here."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lumi.config.settings import is_loopback

HOME_SUFFIXES = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain", ".fritz.box")
"""Names that only a network at home resolves: no web page can be served under one from outside."""


@dataclass(frozen=True, slots=True)
class Origins:
    """The rule.

    Attributes:
        host: the address the server listens on.
        listed: further web pages that may connect, as `scheme://host[:port]`; `*`: any.
    """

    host: str = "127.0.0.1"
    listed: tuple[str, ...] = ()

    def allow(self, headers: Mapping[str, str], *, any_name: bool) -> bool:
        """Whether the page that the request comes from may connect.

        Args:
            headers: of the request, names in lower case.
            any_name: this server may be reached under any name, since a token is asked for.
        """
        origin = headers.get("origin")
        if origin is None or "*" in self.listed or origin.rstrip("/").lower() in self._listed():
            return True
        scheme, _, authority = origin.partition("://")
        page = _address(authority)
        if scheme not in {"http", "https"} or page is None:
            return False
        return is_loopback(page[0]) or self._is_own(page, headers.get("host", ""), any_name=any_name)

    def _listed(self) -> frozenset[str]:
        return frozenset(origin.rstrip("/").lower() for origin in self.listed)

    def _is_own(self, page: tuple[str, int | None], host: str, *, any_name: bool) -> bool:
        """Whether the page came from this server, and not from a name that somebody points at us for a moment."""
        if _address(host) != page or is_loopback(self.host):
            return False
        return any_name or _is_home_name(page[0])


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
