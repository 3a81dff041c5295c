"""`lumi serve`: a server until it is told to stop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lumi.commands.running import load_extra


async def serve(config_file: Path | None, flags: Mapping[str, object]) -> int:
    """Run a server with the settings of flag, environment and file.

    Returns:
        The exit code.

    Raises:
        ConfigError: a setting is wrong, the port is taken, or the server's packages are not installed.
    """
    app = load_extra("lumi.server.app", extra="server", command="lumi serve")
    config = load_extra("lumi.config", extra="server", command="lumi serve")
    await app.serve(config.load(config_file, flags=flags))
    return 0
