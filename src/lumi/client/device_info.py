"""What a client says of the machine it runs on, and the name it goes by."""

from __future__ import annotations

import locale
import os
import platform
import uuid
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from lumi.protocol.messages import DeviceInfo

DEVICE_ID_FILE = "device-id"
_ZONEINFO = "zoneinfo/"


def describe_device(
    environ: Mapping[str, str] = os.environ, localtime: Path = Path("/etc/localtime")
) -> DeviceInfo:
    """The hello's `device_info`: platform, model, system version, locale and time zone (what can be found)."""
    return DeviceInfo(
        platform=platform.system().lower() or None,
        model=platform.machine() or None,
        os_version=platform.release() or None,
        locale=locale_name(environ),
        timezone=timezone_name(environ, localtime),
    )


def locale_name(environ: Mapping[str, str] = os.environ) -> str | None:
    """The user's locale, e.g. `zh_CN`, from the environment as POSIX reads it; None if it says nothing."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        name = environ.get(variable, "").split(".")[0].split("@")[0]
        if name in {"C", "POSIX"}:
            return None
        if name:
            return name
    # macOS and Windows: programs started from the desktop have no LANG
    return locale.getlocale()[0] if os.name == "nt" else None


def timezone_name(
    environ: Mapping[str, str] = os.environ, localtime: Path = Path("/etc/localtime")
) -> str | None:
    """The IANA name of the machine's time zone: from `TZ`, else from where /etc/localtime points."""
    name = environ.get("TZ", "").lstrip(":")
    if name and not name.startswith("/"):
        return name
    target = os.path.realpath(localtime)
    return target.split(_ZONEINFO, 1)[1] if _ZONEINFO in target else None


def device_id(directory: Path | None = None) -> str:
    """The id of this installation: made once, kept in a file, so that the server knows its timers and lists again.

    Where nothing can be written the id lives as long as the process.
    """
    home = directory if directory is not None else Path(platformdirs.user_data_dir("lumi"))
    path = home / DEVICE_ID_FILE
    try:
        known = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        known = ""
    if known:
        return known
    fresh = f"lumi-{uuid.uuid4()}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        path.write_text(fresh + "\n", encoding="utf-8")
    except OSError:
        return fresh
    return fresh
