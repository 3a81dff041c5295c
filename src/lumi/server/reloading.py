"""Settings read anew while the server runs: what takes effect, what waits for a restart, and how one is asked for it.

    lumi reload ──SIGHUP──▶ reread ──▶ Server.reload ──▶ outcome in the data directory ──▶ lumi reload

A wrong setting changes nothing. The process is known by a file that it keeps locked: a number alone may be another's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumi.config import Config
from lumi.errors import LumiError
from lumi.server.log import Subject, logger

AT_ONCE = (
    "stt", "llm", "tts", "duplex", "vision", "engines", "devices", "clients", "tools", "mcp", "home_assistant", "locale",
    "turn", "vad.threshold", "audio.lead_ms", "limits.waiting_chats", "store.answers_hours", "retention", "log.level",
    "log.file_level",
)  # fmt: skip
"""Settings that the next turn goes by, or, where they are about a whole conversation, the next session."""

PROCESS_FILE = "lumi.pid"
OUTCOME_FILE = "reload.json"


def changed(old: Config, new: Config) -> tuple[str, ...]:
    """Names of the settings that differ, of tables that people name the table."""
    return tuple(
        name
        for section in Config.model_fields
        for name in _differing(section, getattr(old, section), getattr(new, section))
    )


def _differing(name: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict):
        if old != new:
            yield name
        return
    for key in type(old).model_fields:
        if getattr(old, key) != getattr(new, key):
            yield f"{name}.{key}"


def waiting(names: Sequence[str]) -> tuple[str, ...]:
    """Of changed settings, those that take effect with the next start only."""
    return tuple(name for name in names if not any(f"{name}.".startswith(f"{one}.") for one in AT_ONCE))


def kept(old: Config, new: Config) -> Config:
    """The new settings, but for those that wait: what holds now."""
    update: dict[str, Any] = {}
    for name in waiting(changed(old, new)):
        section, _, key = name.partition(".")
        if key:
            table = update.get(section, getattr(new, section))
            update[section] = table.model_copy(update={key: getattr(getattr(old, section), key)})
        else:
            update[section] = getattr(old, section)
    return new.model_copy(update=update)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one time. `restart` names what waits for the next start."""

    number: int
    ok: bool
    said: str
    restart: tuple[str, ...] = ()


class Reloader:
    """Reads the settings anew when asked; one time after the other.

    Args:
        reread: reads them. Raises ConfigError.
        apply: `Server.reload`.
        directory: where the outcome is written; None: nowhere.
    """

    def __init__(
        self,
        reread: Callable[[], Config],
        apply: Callable[[Config], Awaitable[tuple[str, ...]]],
        directory: Path | None,
    ) -> None:
        self._reread = reread
        self._apply = apply
        self._directory = directory
        self._number = 0

    async def reload(self) -> Outcome:
        """Try; whatever is wrong is told, and changes nothing."""
        self._number += 1
        log = logger(Subject.SERVER)
        try:
            restart = await self._apply(self._reread())
        except LumiError as error:
            outcome = Outcome(self._number, ok=False, said=str(error))
            log.error("settings not reloaded", error=str(error))  # noqa: TRY400 - the line says it all
        else:
            outcome = Outcome(self._number, ok=True, said="", restart=restart)
            log.info("settings reloaded", needs_a_restart=", ".join(restart) or "nothing")
        if self._directory is not None:
            write_outcome(self._directory, outcome)
        return outcome


def write_outcome(directory: Path, outcome: Outcome) -> None:
    """Whole or not at all."""
    draft = directory / f"{OUTCOME_FILE}.new"
    told = {"number": outcome.number, "ok": outcome.ok, "said": outcome.said, "restart": outcome.restart}
    try:
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(directory / OUTCOME_FILE)
    except OSError as error:
        logger(Subject.SERVER).warning("outcome not written", error=str(error))


def read_outcome(directory: Path) -> Outcome | None:
    """The latest; None: there was none since the server started."""
    try:
        told = json.loads((directory / OUTCOME_FILE).read_text(encoding="utf-8"))
        return Outcome(int(told["number"]), bool(told["ok"]), str(told["said"]), tuple(told["restart"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextmanager
def process_file(directory: Path | None) -> Iterator[bool]:
    """While this lasts, `running` finds this process. False: another one is known by this directory already."""
    if directory is None or os.name != "posix":
        yield False
        return
    import fcntl

    with (directory / PROCESS_FILE).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        (directory / OUTCOME_FILE).unlink(missing_ok=True)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield True
        finally:
            (directory / PROCESS_FILE).unlink(missing_ok=True)


def running(directory: Path) -> int | None:
    """The process of the server that has this data directory; None: there is none."""
    import fcntl

    try:
        with (directory / PROCESS_FILE).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return int(file.read())
    except (OSError, ValueError):
        return None
    return None
