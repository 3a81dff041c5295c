"""How this program is called here, for whoever is told to type it."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

from lumi.config import Config
from lumi.config.serving import ServerSettings


def reaching(config: Config, port: int) -> str:
    """As `command`, with what another terminal must be told so that it finds a server which is not at the usual place."""
    settings, told = config.server, ""
    if settings.data_dir is not None:
        told += f"LUMI_DATA_DIR={shlex.quote(str(config.data_dir))} "
    if settings.port != ServerSettings().port:
        told += f"LUMI_PORT={port} "
    return (told if os.name == "posix" else "") + command()


def command() -> str:
    """How this program is called here: `lumi` where the shell finds it, else its path."""
    called = Path(sys.argv[0])
    if called.name != "lumi" or shutil.which("lumi") == str(called.absolute()):
        return "lumi"
    path = called.absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
