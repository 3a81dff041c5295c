from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen

from lumi.commands.data import DataOptions, delete, export, listed
from lumi.errors import ConfigError, StoreError
from lumi.store.recordings import Closed, Header, Recordings, encoded
from lumi.store.sqlite import SqliteStore

pytestmark = pytest.mark.real


@pytest.fixture
async def mine(tmp_path: Path) -> AsyncIterator[DataOptions]:
    """A device that has something on its list, while a server holds the store."""
    store = await SqliteStore.open(tmp_path / "lumi.db")
    for owner in ("mine", "other"):
        await store.lists.add(owner, "shopping", f"milk for {owner}")
    yield DataOptions("mine", data_dir=tmp_path)
    assert await store.lists.items("other", "shopping") == ("milk for other",)
    await store.aclose()


async def typed(line: str) -> AsyncIterator[str]:
    yield line


async def test_of_whom_something_is_kept_is_listed(mine: DataOptions, tmp_path: Path, screen: Screen):
    Recordings(tmp_path / "recordings").append(
        "s", encoded(Header(session_id="s", device_id="mine", started_at=1.0))
    )
    assert await listed(ENGLISH, None, mine.data_dir) == 0
    assert screen.read()[0] == "mine: list_items 1, recordings 1\nother: list_items 1\n"
    assert await listed(AS_JSON, None, mine.data_dir) == 0
    assert screen.object()["devices"]["other"] == {"list_items": 1}


async def test_all_is_handed_out(mine: DataOptions, tmp_path: Path, screen: Screen):
    assert await export(ENGLISH, mine, None) == 0
    told = json.loads(screen.read()[0])
    assert told["device"] == "mine"
    assert [row["item"] for row in told["kept"]["list_items"]] == ["milk for mine"]
    file = tmp_path / "mine.json"
    assert await export(ENGLISH, mine, file) == 0
    assert json.loads(file.read_text())["kept"] == told["kept"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Wrote 1 records" in screen.read()[1]
    with pytest.raises(ConfigError, match="--out"):
        await export(ENGLISH, mine, file)


async def test_it_is_deleted_when_somebody_says_so(mine: DataOptions, screen: Screen):
    assert await delete(ENGLISH, mine, yes=False, lines=typed("no")) == 1
    assert "Delete all of mine (list_items 1) for good?" in screen.read()[1]
    assert await delete(CHINESE, mine, yes=False, lines=typed("是")) == 0
    assert screen.read()[0] == "已删除 mine：list_items 1\n"
    assert await delete(AS_JSON, mine, yes=True) == 0
    assert screen.object() == {"device": "mine", "deleted": {}}


async def test_recordings_are_handed_out_and_deleted_too(mine: DataOptions, tmp_path: Path, screen: Screen):
    files = Recordings(tmp_path / "recordings")
    entry = Closed(at_ms=1.0, code=1000, reason="")
    for owner in ("mine", "other"):
        header = Header(session_id=f"of-{owner}", device_id=owner, started_at=1.0)
        files.append(f"of-{owner}", encoded(header) + encoded(entry))
    assert await export(ENGLISH, mine, None) == 0
    (told,) = json.loads(screen.read()[0])["recordings"]
    assert told["session"]["session_id"] == "of-mine"
    assert told["entries"] == [{"kind": "closed", "at_ms": 1.0, "code": 1000, "reason": ""}]
    assert await delete(ENGLISH, mine, yes=False, lines=typed("y")) == 0
    out, asked = screen.read()
    assert "recordings 1" in asked
    assert "recordings 1" in out
    assert [header.device_id for _, header in files.all()] == ["other"]


async def test_without_anybody_to_ask_nothing_is_deleted(mine: DataOptions, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with pytest.raises(ConfigError, match="--yes says it"):
        await delete(ENGLISH, mine, yes=False)


async def test_a_place_without_a_store_is_named(tmp_path: Path):
    with pytest.raises(StoreError, match="there is no store"):
        await export(ENGLISH, DataOptions("mine", data_dir=tmp_path), None)
