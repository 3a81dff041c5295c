"""What a peer says of itself: its token, its names. Whether that is believed is `auth`'s business."""

from __future__ import annotations

import ipaddress

from lumi.config.settings import is_loopback
from lumi.transport.base import LinkInfo

NAME_LIMIT = 128
"""Characters of a device's name that are believed."""

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""By these a proxy on this machine tells that it asks for somebody else."""


def shown_token(info: LinkInfo) -> str:
    """The token of `Authorization: Bearer …`, or of the query (a browser cannot set headers); empty if none."""
    return bare_token(info.headers.get("authorization") or info.query.get("authorization") or "")


def bare_token(shown: str) -> str:
    """A token with or without `Bearer` before it."""
    scheme, _, rest = shown.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else shown.strip()


def device_name(info: LinkInfo, claimed: str | None) -> str | None:
    """What the device goes by: header, then query, then its hello's word. None: it has no name.

    Args:
        info: the request.
        claimed: `device_id` of the hello.
    """
    for name in (info.headers.get("device-id"), info.query.get("device-id"), claimed):
        if name and (cleaned := printable(name)):
            return cleaned
    return None


def client_name(info: LinkInfo) -> str:
    """What the installation on the device goes by (`Client-Id`); empty: it has no name."""
    return printable(info.headers.get("client-id") or info.query.get("client-id") or "")


def is_this_machine(info: LinkInfo) -> bool:
    """Whether the peer runs here, and does not ask for somebody else as a proxy does."""
    if not info.remote or any(header in info.headers for header in FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(info.remote.partition("%")[0])
    except ValueError:
        return is_loopback(info.remote)
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def printable(name: str) -> str:
    return "".join(character for character in name.strip() if character.isprintable())[:NAME_LIMIT]
