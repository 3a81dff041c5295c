"""Which authority a command trusts beside the system's: the one named, or that of the server on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from lumi.errors import LumiError

AUTHORITY = Path("tls", "ca.pem")
"""Where a server keeps it in its data directory."""


def authority(url: str, given: Path | None) -> Path | None:
    """The file to trust for `url`; None: the system's authorities alone."""
    if given is not None or not url.startswith(("wss:", "https:")):
        return given
    own = data_directory() / AUTHORITY
    return own if os.access(own, os.R_OK) else None


def data_directory() -> Path:
    """Where a server of this user keeps what lasts: as its settings say, where they can be read."""
    try:
        from lumi import config

        found: Path = config.load().data_dir
    except (ImportError, LumiError):
        named = os.environ.get("LUMI_DATA_DIR")
        found = Path(named).expanduser() if named else platformdirs.user_data_path("lumi", appauthor=False)
    return found
