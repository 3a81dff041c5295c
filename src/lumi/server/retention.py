"""Drops what has been kept for long enough: answers, what was said, recordings, old log files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from lumi.config import Config
from lumi.errors import StoreError
from lumi.server.log import Subject, logger
from lumi.store.base import Store
from lumi.store.recordings import Recordings

EVERY_S = 600.0
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
MIB = 1024 * 1024
OLD_LOGS = "lumi.log.*"


async def sweep(store: Store, config: Callable[[], Config], wall_clock: Callable[[], float]) -> None:
    """For ever, now and then. `config` gives the settings as they are by then."""
    while True:
        await asyncio.sleep(EVERY_S)
        await forget(store, config(), wall_clock())


async def forget(store: Store, config: Config, now: float) -> None:
    """Once; what cannot be dropped stays for the next time."""
    answers_before = now - config.store.answers_hours * HOUR_S
    try:
        await store.answers.forget_before(answers_before)
        await store.acts.forget_before(answers_before)
        await store.dialogues.forget_before(now - config.retention.dialogue_days * DAY_S)
    except StoreError as error:
        logger(Subject.STORE).warning("old answers stay", error=str(error))
    recorded = Recordings(config.recordings_dir)
    await asyncio.to_thread(
        recorded.forget, now - config.retention.recording_days * DAY_S, config.recorder.folder_mb * MIB
    )
    if config.log.file:
        logs = config.data_dir / "logs"
        await asyncio.to_thread(drop_logs, logs, now - config.retention.log_days * DAY_S)


def drop_logs(directory: Path, before: float) -> int:
    """Delete old log files last written before then; how many went."""
    gone = 0
    for file in directory.glob(OLD_LOGS):
        try:
            if file.stat().st_mtime < before:
                file.unlink()
                gone += 1
        except OSError as error:
            logger(Subject.STORE).warning("old log stays", file=file.name, error=str(error))
    return gone
