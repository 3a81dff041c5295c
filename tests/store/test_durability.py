"""A process that is killed loses nothing it was told is stored."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from lumi.store.sqlite import SqliteStore

PROGRAM = """
import asyncio, sys
from lumi.store.base import Answer
from lumi.store.sqlite import SqliteStore

async def main():
    store = await SqliteStore.open(sys.argv[1])

    async def talk(name):
        for number in range(100_000):
            await store.answers.put(Answer(name, str(number), "digest", b"payload", 1.0))
            print(name, number, flush=True)

    async with asyncio.TaskGroup() as group:
        for name in ("a", "b", "c", "d"):
            group.create_task(talk(name))

asyncio.run(main())
"""


@pytest.mark.real
@pytest.mark.parametrize("after", [1, 50, 333])
async def test_a_killed_process_has_kept_all_it_said_it_kept(tmp_path: Path, after: int) -> None:
    path = tmp_path / "lumi.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(path), stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": "src"}
    )
    assert process.stdout is not None
    said = [await process.stdout.readline() for _ in range(after)]
    process.kill()
    said += (await process.stdout.read()).splitlines()
    await process.wait()
    store = await SqliteStore.open(path)
    try:
        for line in said:
            owner, _, number = line.decode().strip().partition(" ")
            if number.isdecimal():  # the last line may be torn
                assert await store.answers.get(owner, number) is not None, line
    finally:
        await store.aclose()
