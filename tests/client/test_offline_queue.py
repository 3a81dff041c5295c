"""What waits for a line: kept in order, bounded, aged, on disk through a killed process, in one process at a time."""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from lumi.audio.format import Codec
from lumi.client.offline_queue import MAX_AGE_S, OfflineQueue
from lumi.client.queue_file import QueueFile
from lumi.client.voice_notes import VoiceNote
from lumi.errors import LocalProtocolError, Overloaded, StoreError
from lumi.protocol.messages import Chat
from lumi.testing import WallClock

NOTE = VoiceNote("n", Codec.OPUS, 16_000, 60, (b"one", b"two"))

Open = Callable[[], OfflineQueue]


def chat(number: int, content: str = "hello") -> Chat:
    return Chat(
        id=f"c{number}", content=content, session_id="s", timestamp="2026-01-05T09:30:00Z", speak=True
    )


def ids(queue: OfflineQueue) -> list[str]:
    return [one.id for one in queue.messages()]


@pytest.fixture(params=["memory", "disk"])
def open_queue(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., OfflineQueue]:
    path = tmp_path / "queue.db" if request.param == "disk" else None
    return lambda **options: OfflineQueue(path, **options)


async def test_order_is_kept_and_what_is_removed_is_gone(open_queue):
    async with open_queue() as queue:
        for number in range(5):
            assert (await queue.add(chat(number))).id == f"c{number}"
        await queue.add(NOTE)
        assert await queue.remove("c1")
        assert not await queue.remove("c1")
        assert ids(queue) == ["c0", "c2", "c3", "c4", "n"]
        assert len(queue) == 5
        assert "c1" not in queue
        assert "c2" in queue
        assert queue.first(without={"c0", "c2"}).id == "c3"
        assert queue.first(without=set(ids(queue))) is None


async def test_many_at_once_keep_the_order_of_their_saying(open_queue):
    async with open_queue() as queue:
        await asyncio.gather(*(queue.add(chat(number)) for number in range(20)))
        assert ids(queue) == [f"c{number}" for number in range(20)]


async def test_another_process_finds_everything_as_it_was_said(tmp_path: Path, wall_clock: WallClock):
    path = tmp_path / "deep" / "queue.db"
    async with OfflineQueue(path, wall_clock=wall_clock) as queue:
        await queue.add(chat(1, "你好"))
        await queue.add(NOTE)
        await queue.add(chat(3))
        await queue.remove("c3")
        before = queue.messages()
    async with OfflineQueue(str(path)) as again:
        assert again.messages() == before
        assert again.messages()[1].message == NOTE
        assert again.messages()[0].timestamp == wall_clock()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_full_queue_refuses_the_new_one_aloud(open_queue):
    async with open_queue(limit=2) as queue:
        await queue.add(chat(1))
        await queue.add(chat(2))
        with pytest.raises(
            Overloaded, match="2 messages wait for a connection already: this one was not kept"
        ):
            await queue.add(chat(3))
        assert ids(queue) == ["c1", "c2"]
        await queue.remove("c1")
        await queue.add(chat(3))


async def test_all_at_once_are_not_let_past_the_limit(tmp_path: Path):
    async with OfflineQueue(tmp_path / "q.db", limit=3) as queue:
        results = await asyncio.gather(*(queue.add(chat(one)) for one in range(5)), return_exceptions=True)
        assert [type(one) for one in results[3:]] == [Overloaded, Overloaded]
        assert len(queue) == 3


async def test_the_bytes_are_bounded_too(open_queue):
    size = len(msgspec.msgpack.encode(NOTE))
    async with open_queue(max_bytes=size + 10) as queue:
        await queue.add(NOTE)
        assert queue.size_bytes == size
        with pytest.raises(Overloaded, match="MiB wait for a connection already"):
            await queue.add(chat(1))


async def test_saying_the_same_again_changes_nothing_and_another_thing_under_its_id_is_an_error(open_queue):
    async with open_queue() as queue:
        await queue.add(chat(1))
        await queue.add(chat(2))
        later = Chat(id="c1", content="hello", session_id="another")
        assert (await queue.add(later)).message == chat(1)
        assert ids(queue) == ["c1", "c2"]
        with pytest.raises(LocalProtocolError, match="'c1' waits already"):
            await queue.add(chat(1, "another"))
        await queue.add(NOTE)
        with pytest.raises(LocalProtocolError):
            await queue.add(Chat(id="n", content="hello"))


async def test_one_id_cannot_be_stored_twice_at_once(tmp_path: Path):
    async with OfflineQueue(tmp_path / "q.db") as queue:
        results = await asyncio.gather(queue.add(chat(1)), queue.add(chat(1)), return_exceptions=True)
        assert isinstance(results[1], LocalProtocolError)
        assert ids(queue) == ["c1"]


async def test_the_old_are_handed_back(open_queue, wall_clock: WallClock):
    async with open_queue(wall_clock=wall_clock) as queue:
        await queue.add(chat(1))
        await queue.add(chat(2))
        await asyncio.sleep(MAX_AGE_S / 2)
        await queue.add(chat(3))
        assert await queue.take_expired() == []
        await asyncio.sleep(MAX_AGE_S / 2 + 1)
        assert [one.id for one in await queue.take_expired(without={"c2"})] == ["c1"]
        assert ids(queue) == ["c2", "c3"]


async def test_a_clock_that_jumps_ages_nothing_of_this_process(open_queue, wall_clock: WallClock):
    async with open_queue(wall_clock=wall_clock) as queue:
        await queue.add(chat(1))
        wall_clock.shift(20 * 365 * 86_400)  # a board without a battery finds a time server
        assert await queue.take_expired() == []
        await queue.add(chat(2))
        wall_clock.shift(-40 * 365 * 86_400)
        assert await queue.take_expired() == []


async def test_what_another_process_left_ages_by_the_wall_clock(tmp_path: Path, wall_clock: WallClock):
    async with OfflineQueue(tmp_path / "q.db", wall_clock=wall_clock) as queue:
        await queue.add(chat(1))
    wall_clock.shift(MAX_AGE_S + 1)
    async with OfflineQueue(tmp_path / "q.db", wall_clock=wall_clock) as queue:
        assert [one.id for one in await queue.take_expired()] == ["c1"]
    async with OfflineQueue(tmp_path / "q.db") as queue:
        assert len(queue) == 0


async def test_retries_are_counted_and_start_anew(open_queue):
    async with open_queue() as queue:
        await queue.add(chat(1))
        await queue.add(chat(2))
        assert [queue.count_retry("c1"), queue.count_retry("c1"), queue.count_retry("nobody")] == [1, 2, 0]
        assert [one.retry_count for one in queue.messages()] == [2, 0]
        queue.reset_retries()
        assert [one.retry_count for one in queue.messages()] == [0, 0]


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_second_client_on_one_file_is_told_so(tmp_path: Path):
    path = tmp_path / "q.db"
    async with OfflineQueue(path) as queue:
        await queue.add(chat(1))
        with pytest.raises(
            StoreError, match=r"q\.db: another program has it open: one client at a time; give"
        ):
            await OfflineQueue(path).open()
        await queue.add(chat(2))
    async with OfflineQueue(path) as queue:
        assert ids(queue) == ["c1", "c2"]


async def limit_pages(queue: OfflineQueue) -> None:
    """As a full disk does: the file may not grow."""
    file = queue._file
    assert file is not None

    def limit() -> None:
        assert file._connection is not None
        file._connection.execute("PRAGMA max_page_count = 1")

    await file._in_thread(limit)


async def test_a_full_disk_refuses_the_message_aloud_and_keeps_the_others(tmp_path: Path):
    long = "x" * 6_000
    async with OfflineQueue(tmp_path / "q.db") as queue:
        await queue.add(chat(1))
        await limit_pages(queue)
        with pytest.raises(StoreError, match=r"the disk is full: free some space and say it again"):
            await queue.add(chat(2, long))
        assert ids(queue) == ["c1"]
        assert queue.size_bytes < 1_000
    async with OfflineQueue(tmp_path / "q.db") as queue:
        assert ids(queue) == ["c1"]
        await queue.add(chat(2, long))


async def test_an_answer_counts_also_where_the_disk_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async with OfflineQueue(tmp_path / "q.db") as queue:
        await queue.add(chat(1))
        await queue.add(chat(2))

        def fail(*_: object) -> None:
            raise StoreError("the disk is gone")

        monkeypatch.setattr(QueueFile, "_write", fail)
        with caplog.at_level(logging.WARNING):
            assert await queue.remove("c1")
        assert "the disk is gone; 1 answered messages stay in it for now" in caplog.text
        assert ids(queue) == ["c2"]
        monkeypatch.undo()
        await queue.add(chat(3))  # takes the other with it
    async with OfflineQueue(tmp_path / "q.db") as queue:
        assert ids(queue) == ["c2", "c3"]


async def test_who_goes_away_while_it_is_stored_leaves_nothing(tmp_path: Path):
    async with OfflineQueue(tmp_path / "q.db") as queue:
        adding = asyncio.create_task(queue.add(chat(1)))
        await asyncio.sleep(0)
        adding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await adding
        assert len(queue) == 0
        await queue.add(chat(1, "another"))
    async with OfflineQueue(tmp_path / "q.db") as queue:
        assert [one.message for one in queue.messages()] == [chat(1, "another")]


@pytest.mark.parametrize("payload", [b"\xc1", msgspec.msgpack.encode({"type": "chat"})])
async def test_a_damaged_message_is_named(tmp_path: Path, payload: bytes):
    path = tmp_path / "q.db"
    async with OfflineQueue(path) as queue:
        await queue.add(chat(1))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE messages SET payload = ?", (payload,))
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="message c1 in it is damaged: move the file away"):
        await OfflineQueue(path).open()


WRITER = """
import asyncio, resource, sys
from lumi.client.offline_queue import OfflineQueue
from lumi.protocol.messages import Chat

async def main(path, file_bytes):
    if file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    # Never full: a writer that is looked at later than expected still writes.
    async with OfflineQueue(path, limit=100_000, max_bytes=2**40) as queue:
        for number in range(100_000):
            await queue.add(Chat(id=f"c{number}", content="x" * 500))
            print(f"+{number}", flush=True)
            if number % 3 == 0:
                await queue.remove(f"c{number}")
                print(f"-{number}", flush=True)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""
"""Keeps messages for ever and says which; every third is taken out again."""


def start_writer(path: Path, file_bytes: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(file_bytes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def numbers(lines: list[str], sign: str) -> set[int]:
    return {int(one[1:]) for one in lines if one.startswith(sign)}


async def survivors(path: Path) -> set[int]:
    async with OfflineQueue(path) as queue:
        found = [int(one.removeprefix("c")) for one in ids(queue)]
    assert found == sorted(found), "in the order of their saying"
    return set(found)


def kill_after(path: Path, lines: int) -> list[str]:
    """What a writer said before it was killed."""
    with start_writer(path) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        said += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return said


@pytest.mark.real
@pytest.mark.parametrize("lines", [1, 2, 7, 20])
async def test_what_was_kept_survives_a_killed_process(tmp_path: Path, lines: int):
    path = tmp_path / "q.db"
    said = await asyncio.get_running_loop().run_in_executor(None, kill_after, path, lines)
    kept, removed, found = numbers(said, "+"), numbers(said, "-"), await survivors(path)
    assert kept - removed - found <= {max(kept)}, "but for one that was being taken out"
    assert not removed & found
    assert found - kept <= {max(kept) + 1}, "but for one that was being stored"


def write_beside(path: Path) -> str:
    """What a second writer says while the first one has the file."""
    with start_writer(path) as first:
        assert first.stdout is not None
        first.stdout.readline()
        _, complaint = start_writer(path).communicate()
        assert first.poll() is None
        first.kill()
        first.communicate()
    return complaint


@pytest.mark.real
async def test_a_second_process_on_one_file_is_told_so(tmp_path: Path):
    path = tmp_path / "q.db"
    complaint = await asyncio.get_running_loop().run_in_executor(None, write_beside, path)
    last = complaint.splitlines()[-1]
    assert last.startswith(
        f"lumi.errors.StoreError: the message queue {path}: another program has it open: one"
    )
    assert await survivors(path), "the first one was not disturbed"


def open_together(path: Path, count: int) -> list[str]:
    """The first lines of writers that were all started at once; those that may not have the file say nothing."""
    writers = [start_writer(path) for _ in range(count)]
    lines = []
    for writer in writers:
        assert writer.stdout is not None
        lines.append(writer.stdout.readline())
    for writer in writers:
        writer.kill()
        writer.communicate()
    return [line for line in lines if line]


@pytest.mark.real
async def test_of_many_that_open_it_at_once_one_gets_it(tmp_path: Path):
    said = await asyncio.get_running_loop().run_in_executor(None, open_together, tmp_path / "q.db", 4)
    assert said == ["+0\n"]


def write_until_full(path: Path) -> tuple[list[str], str]:
    out, complaint = start_writer(path, 200_000).communicate(timeout=50)
    return out.splitlines(), complaint


@pytest.mark.real
async def test_where_the_file_may_not_grow_the_message_is_refused_and_none_is_lost(tmp_path: Path):
    path = tmp_path / "q.db"
    said, complaint = await asyncio.get_running_loop().run_in_executor(None, write_until_full, path)
    assert "StoreError: the message queue" in complaint.splitlines()[-1]
    kept = numbers(said, "+")
    assert len(kept) > 5
    assert kept - numbers(said, "-") - await survivors(path) == set()
