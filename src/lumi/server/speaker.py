"""Who is talking to us: language, place and time, as the device tells them."""

from __future__ import annotations

import zoneinfo

from lumi.engines.base import Speaker
from lumi.protocol.messages import ClientHello
from lumi.server.services import SessionSettings


def speaker_of(session_id: str, device_id: str, hello: ClientHello, settings: SessionSettings) -> Speaker:
    """Who speaks: language, locale and time zone from the device's own words, else from the settings."""
    info = hello.device_info
    locale = (info.locale if info else None) or settings.locale
    locale = locale.replace("-", "_")
    timezone = (info.timezone if info else None) or settings.timezone
    if not _is_timezone(timezone):
        timezone = settings.timezone
    language = locale[:2] if info and info.locale and locale[:2] in {"zh", "en"} else settings.language
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
