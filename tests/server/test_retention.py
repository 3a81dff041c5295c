"""What has been kept for long enough goes, by the settings as they are by then."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from lumi.config import Config
from lumi.config.recorder import RecorderSettings
from lumi.config.retention import RetentionSettings
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.errors import StoreError
from lumi.server import retention
from lumi.server.retention import DAY_S, drop_logs, forget, sweep
from lumi.store.base import Answer, DialogueEntry
from lumi.store.memory import MemoryStore

NOW = 100 * DAY_S
QUIET = LogSettings(file=False)


async def filled() -> MemoryStore:
    store = MemoryStore()
    for hours in (1, 30, 100):
        at = NOW - hours * 3600
        await store.answers.put(Answer("d", f"{hours} h ago", "x", b"x", at))
        await store.dialogues.append("s", [DialogueEntry("user", f"{hours} h ago", at)])
    return store


async def left(store: MemoryStore) -> tuple[list[str], list[str]]:
    names = [f"{hours} h ago" for hours in (1, 30, 100)]
    answers = [name for name in names if await store.answers.get("d", name)]
    return answers, [entry.content for entry in await store.dialogues.load("s")]


async def test_each_has_a_time_of_its_own():
    store = await filled()
    await forget(store, Config(log=QUIET), NOW)
    assert await left(store) == (["1 h ago"], ["1 h ago"])
    store = await filled()
    longer = Config(
        log=QUIET, store=StoreSettings(answers_hours=50), retention=RetentionSettings(dialogue_days=7)
    )
    await forget(store, longer, NOW)
    assert await left(store) == (["1 h ago", "30 h ago"], ["100 h ago", "30 h ago", "1 h ago"][::-1])


async def test_it_goes_by_the_settings_as_they_are_by_then():
    store = await filled()
    now = [
        Config(
            log=QUIET, store=StoreSettings(answers_hours=1000), retention=RetentionSettings(dialogue_days=100)
        )
    ]
    sweeping = asyncio.create_task(sweep(store, lambda: now[-1], lambda: NOW))
    await asyncio.sleep(retention.EVERY_S + 1)
    assert len((await left(store))[0]) == 3
    now.append(Config(log=QUIET))
    await asyncio.sleep(retention.EVERY_S)
    assert len((await left(store))[0]) == 1
    sweeping.cancel()


async def test_a_store_that_fails_is_tried_again():
    class Answers:
        tried = 0

        async def forget_before(self, created_at: float) -> int:
            self.tried += 1
            raise StoreError("the disk is full")

    store = MemoryStore()
    store.answers = Answers()  # type: ignore[assignment]
    sweeping = asyncio.create_task(sweep(store, lambda: Config(log=QUIET), lambda: NOW))
    await asyncio.sleep(2 * retention.EVERY_S + 1)
    assert Answers.tried == 0
    assert store.answers.tried == 2  # type: ignore[attr-defined]
    sweeping.cancel()


async def test_old_log_files_go_and_the_present_one_stays(tmp_path: Path):
    logs = tmp_path / "logs"
    logs.mkdir()
    for name, days in (("lumi.log", 99), ("lumi.log.1", 5), ("lumi.log.2", 40), ("else.log.1", 99)):
        (logs / name).touch()
        os.utime(logs / name, (NOW - days * DAY_S,) * 2)
    await forget(MemoryStore(), Config(server=ServerSettings(data_dir=tmp_path)), NOW)
    assert sorted(file.name for file in logs.iterdir()) == ["else.log.1", "lumi.log", "lumi.log.1"]


def test_a_log_that_cannot_be_deleted_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "lumi.log.1").mkdir()
    assert drop_logs(tmp_path, 1e12) == 0
    assert drop_logs(tmp_path / "none", 1e12) == 0


async def test_old_recordings_go(tmp_path: Path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name, days in (("new", 6), ("old", 8)):
        (folder / f"{name}.jsonl").touch()
        os.utime(folder / f"{name}.jsonl", (NOW - days * DAY_S,) * 2)
    config = Config(log=QUIET, server=ServerSettings(data_dir=tmp_path))
    await forget(MemoryStore(), config, NOW)
    assert [file.name for file in folder.iterdir()] == ["new.jsonl"]
    elsewhere = Config(
        log=QUIET, recorder=RecorderSettings(folder=folder), retention=RetentionSettings(recording_days=1)
    )
    await forget(MemoryStore(), elsewhere, NOW)
    assert not list(folder.iterdir())
