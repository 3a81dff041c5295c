"""`lumi data`: what is kept of a device's people, listed, handed out or deleted."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from lumi.commands.console import Console
from lumi.commands.keyboard import Keyboard
from lumi.commands.running import DONE, NOT_WELL, load_extra
from lumi.errors import ConfigError
from lumi.store.recordings import Recordings, read

YES = {"y", "yes", "是", "好"}


@dataclass(frozen=True, slots=True)
class DataOptions:
    device: str
    file: Path | None = None
    data_dir: Path | None = None


def _places(file: Path | None, data_dir: Path | None) -> tuple[Path, Recordings]:
    """The database, and the recordings."""
    config = load_extra("lumi.config", extra="server", command="lumi data")
    settings = config.load(file, flags={"server.data_dir": data_dir})
    assembly = load_extra("lumi.server.assembly", extra="server", command="lumi data")
    return settings.data_dir / assembly.DATABASE, Recordings(settings.recordings_dir)


async def listed(console: Console, file: Path | None, data_dir: Path | None) -> int:
    """Of whom something is kept, and how much.

    Raises:
        ConfigError: a setting is wrong.
        StoreError: there is no store.
    """
    owner = load_extra("lumi.store.sqlite_owner", extra="server", command="lumi data")
    database, recorded = _places(file, data_dir)
    kept = {device: dict(counts) for device, counts in owner.owners(database).items()}
    for _, header in recorded.all():
        counts = kept.setdefault(header.device_id, {})
        counts["recordings"] = counts.get("recordings", 0) + 1
    console.result({"devices": kept})
    for device, counts in kept.items():
        console.write(f"{device}: {_listed(counts)}")
    if not kept:
        console.note(zh="没有保存任何内容。", en="Nothing is kept of anybody.")
    return DONE


async def export(console: Console, options: DataOptions, out: Path | None) -> int:
    """One JSON object with all that is kept of a device: on standard output, or in a file that only its owner reads.

    Raises:
        ConfigError: a setting is wrong, or `out` cannot be written.
        StoreError: there is no store.
    """
    owner = load_extra("lumi.store.sqlite_owner", extra="server", command="lumi data")
    database, recorded = _places(options.file, options.data_dir)
    rows = owner.export(database, options.device)
    tapes = [_told(path) for path in recorded.of_device(options.device)]
    told = {
        "device": options.device,
        "exported_at": datetime.now(UTC).isoformat(),
        "kept": rows,
        "recordings": tapes,
    }
    text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
    count = sum(map(len, rows.values())) + len(tapes)
    if out is None:
        console.write(text, newline=False)
    else:
        write(out, text)
        console.note(zh=f"已将 {count} 条记录写入 {out}", en=f"Wrote {count} records to {out}")
    console.result(told)
    return DONE


def _told(path: Path) -> dict[str, object]:
    """A recording, as it stands in its file."""
    found = read(path)
    return {"session": msgspec.to_builtins(found.header), "entries": msgspec.to_builtins(found.entries)}


def write(out: Path, text: str) -> None:
    """Raises ConfigError where there is a file already, or none can be written."""
    try:
        with open(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
    except OSError as error:
        raise ConfigError("--out", f"{out} cannot be written ({error.strerror}); give a new file") from error


async def delete(
    console: Console, options: DataOptions, *, yes: bool, lines: AsyncIterator[str] | None = None
) -> int:
    """Delete all that is kept of a device, after asking.

    Raises:
        ConfigError: a setting is wrong, or there is nobody to ask.
        StoreError: there is no store.
    """
    owner = load_extra("lumi.store.sqlite_owner", extra="server", command="lumi data")
    database, recorded = _places(options.file, options.data_dir)
    if not yes:
        if lines is None and not sys.stdin.isatty():
            raise ConfigError(
                "lumi data delete", "asks before it deletes, and nobody is there: --yes says it"
            )
        kept = {table: len(rows) for table, rows in owner.export(database, options.device).items()}
        kept |= _counted(len(recorded.of_device(options.device)))
        if not await _sure(console, options.device, kept, lines or Keyboard()):
            console.note(zh="没有删除任何内容。", en="Nothing was deleted.")
            return NOT_WELL
    gone = dict(owner.delete(database, options.device)) | _counted(recorded.delete_of(options.device))
    console.result({"device": options.device, "deleted": gone})
    counts = _listed(gone) or "0"
    console.write(
        console.words(zh=f"已删除 {options.device}：{counts}", en=f"Deleted of {options.device}: {counts}")
    )
    return DONE


def _counted(recordings: int) -> dict[str, int]:
    return {"recordings": recordings} if recordings else {}


async def _sure(console: Console, device: str, kept: dict[str, int], lines: AsyncIterator[str]) -> bool:
    counts = _listed(kept) or "0"
    console.ask(
        zh=f"永久删除 {device} 的全部内容（{counts}）？[y/N] ",
        en=f"Delete all of {device} ({counts}) for good? [y/N] ",
    )
    return (await anext(lines, "")).strip().lower() in YES


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{table} {count}" for table, count in counts.items())
