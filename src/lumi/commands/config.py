"""`lumi config`: the settings that hold, and who said so."""

from __future__ import annotations

import json
from pathlib import Path

from lumi.commands.console import Console
from lumi.commands.running import DONE, load_extra


async def config(console: Console, file: Path | None, profile: str | None) -> int:
    """Show all settings; what is not the default is marked.

    Raises:
        ConfigError: a setting is wrong.
    """
    settings = load_extra("lumi.config", extra="server", command="lumi config")
    effective = load_extra("lumi.config.effective", extra="server", command="lumi config")
    reading = settings.read(file, flags={"profile": profile})
    for warning in reading.warnings:
        console.note(zh=f"注意：{warning}", en=f"Mind: {warning}")
    shown = list(effective.effective(reading))
    console.result(
        {
            "file": str(reading.file) if reading.file else None,
            "profile": reading.profile or None,
            "settings": {one.name: {"value": one.value, "from": one.source} for one in shown},
        }
    )
    for one in shown:
        value = console.words(zh="（未设置）", en="(not set)") if one.value is None else _toml(one.value)
        said = "" if one.source == effective.DEFAULT else f"  ← {one.source}"
        console.write(f"{one.name} = {value}{said}")
    return DONE


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
