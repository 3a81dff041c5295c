"""`lumi reload`: has the running server read its settings anew."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lumi.commands.console import Console
from lumi.commands.running import DONE, NOT_WELL, load_extra
from lumi.errors import ConfigError

PATIENCE_S = 60.0
"""A new engine may have a model to load."""

LOOK_EVERY_S = 0.05


async def reload(console: Console, file: Path | None, data_dir: Path | None) -> int:
    """Ask, and tell what came of it.

    Raises:
        ConfigError: no server runs with this data directory, or it does not answer.
    """
    if os.name != "posix":
        raise ConfigError("lumi reload", "is not possible on this system: stop the server and start it again")
    reloading = load_extra("lumi.server.reloading", extra="server", command="lumi reload")
    directory = _data_dir(file, data_dir)
    process = reloading.running(directory)
    if process is None:
        raise ConfigError(
            "lumi reload",
            f"no server is running with the data directory {directory}; --data-dir names another",
        )
    before = reloading.read_outcome(directory)
    os.kill(process, signal.SIGHUP)
    outcome = await _outcome(reloading, directory, 0 if before is None else before.number)
    console.result(asdict(outcome))
    if not outcome.ok:
        console.note(
            zh=f"未重新加载，一切照旧：{outcome.said}",
            en=f"Not reloaded, nothing has changed: {outcome.said}",
        )
        return NOT_WELL
    console.note(zh="已重新加载设置。", en="The settings were reloaded.")
    if outcome.restart:
        names = ", ".join(outcome.restart)
        console.note(zh=f"以下设置需要重启才生效：{names}", en=f"These need a restart: {names}")
    return DONE


def _data_dir(file: Path | None, data_dir: Path | None) -> Path:
    """Where the server keeps its things, also where the settings have become wrong: it is the server that says so."""
    config = load_extra("lumi.config", extra="server", command="lumi reload")
    try:
        found: Path = config.load(file, flags={"server.data_dir": data_dir}).data_dir
    except ConfigError:
        given = data_dir or (Path(named) if (named := os.environ.get("LUMI_DATA_DIR")) else None)
        found = config.Config(server={"data_dir": given}).data_dir
    return found


async def _outcome(reloading: Any, directory: Path, seen: int) -> Any:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := reloading.read_outcome(directory)) is None or found.number <= seen:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(LOOK_EVERY_S)
    except TimeoutError:
        raise ConfigError(
            "lumi reload", f"the server did not answer within {PATIENCE_S:g} s; its log says more"
        ) from None
    return found
