"""Who is talking to us: language, place and time, as the device tells them."""

from __future__ import annotations

import zoneinfo

from lumi.engines.base import Speaker
from lumi.protocol.messages import ClientHello
from lumi.server.kit import Kit


def speaker_of(session_id: str, device_id: str, hello: ClientHello, kit: Kit) -> Speaker:
    """Who speaks: language, locale and time zone as they are set for this device, else from its own words, else as set
    for all.
    """
    info, settings, fixed = hello.device_info, kit.settings, kit.overrides
    told = (info.locale if info else None) or ""
    locale = (fixed.locale or told or settings.locale).replace("-", "_")
    timezone = fixed.timezone or (info.timezone if info else None) or settings.timezone
    if not _is_timezone(timezone):
        timezone = settings.timezone
    known = (fixed.locale or told) and locale[:2] in {"zh", "en"}
    language = fixed.language or (locale[:2] if known else settings.language)
    return Speaker(
        device_id=device_id, session_id=session_id, language=language, locale=locale, timezone=timezone
    )


def _is_timezone(name: str) -> bool:
    """Asks for the one zone: a list of all is read from the disk each time, 3 ms before the hello is answered."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
