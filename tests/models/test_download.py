"""Fetching over real sockets: what breaks is gone on with, and nothing wrong is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.models.conftest import FileServer
from yarl import URL

from lumi.errors import ModelError
from lumi.models.download import Downloader, Fetched, Patience, Progress, Source
from lumi.models.download import _accept as accept

pytestmark = pytest.mark.real

CONTENT = bytes(range(256)) * 4_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HASTY = Patience(waits_s=(0.0, 0.0), connect_s=2, silence_s=2)


async def fetch(source: Source, target: Path, **changes: object) -> Fetched:
    async with Downloader(HASTY, **changes) as downloader:  # type: ignore[arg-type]
        return await downloader.fetch(source, target)


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def source(server: FileServer) -> Source:
    server.files["/model.bin"] = CONTENT
    return Source(f"{server.url}/model.bin", len(CONTENT), DIGEST)


async def test_a_file_comes_whole_and_tells_how_far_it_is(source: Source, tmp_path: Path):
    told: list[Progress] = []
    async with Downloader(HASTY) as downloader:
        fetched = await downloader.fetch(source, tmp_path / "model.bin", told.append)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert fetched == Fetched(tmp_path / "model.bin", len(CONTENT), DIGEST)
    assert told[-1] == Progress("model.bin", len(CONTENT), len(CONTENT))
    assert leftovers(tmp_path) == ["model.bin"]


async def test_it_goes_on_where_the_line_broke(server: FileServer, source: Source, tmp_path: Path):
    server.breaks = [100_000, 300_000]
    await fetch(source, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    starts = [int(asked.strip("bytes=-") or 0) for _, asked in server.requests]
    assert starts[0] == 0
    assert 0 < starts[1] <= 100_000 < starts[2] <= 400_000


async def test_progress_earns_further_tries(server: FileServer, source: Source, tmp_path: Path):
    server.breaks = [100_000] * 8
    await fetch(source, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


async def test_what_had_come_is_kept_for_the_next_call(server: FileServer, source: Source, tmp_path: Path):
    server.breaks = [500_000, 0, 0, 0, 0]
    with pytest.raises(ModelError, match="goes on where it stopped"):
        await fetch(source, tmp_path / "model.bin")
    assert leftovers(tmp_path) == ["model.bin.part", "model.bin.part.json"]
    server.requests.clear()
    server.breaks.clear()
    await fetch(source, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert server.requests[0][1].startswith("bytes=")


async def test_another_version_begins_anew(server: FileServer, tmp_path: Path):
    server.files["/model.bin"] = b"old" * 100_000
    source = Source(f"{server.url}/model.bin")
    server.breaks = [50_000, 0, 0, 0, 0]
    with pytest.raises(ModelError):
        await fetch(source, tmp_path / "model.bin")
    server.files["/model.bin"], server.version, server.breaks = CONTENT, '"2"', []
    assert (await fetch(source, tmp_path / "model.bin")).sha256 == DIGEST


async def test_without_a_version_nothing_is_pieced_together(
    server: FileServer, source: Source, tmp_path: Path
):
    server.version = ""
    server.breaks = [200_000]
    await fetch(source, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert [asked for _, asked in server.requests] == ["", ""]


async def test_a_server_without_ranges_sends_all_again(server: FileServer, source: Source, tmp_path: Path):
    server.ranges = False
    server.breaks = [200_000]
    await fetch(source, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


async def test_a_server_that_continues_elsewhere_is_not_believed(
    server: FileServer, source: Source, tmp_path: Path
):
    server.shift = 7
    server.breaks = [200_000]
    await fetch(source, tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


async def test_a_file_of_unknown_length_comes_too(server: FileServer, tmp_path: Path):
    server.files["/a"] = CONTENT
    server.tells_length = False
    fetched = await fetch(Source(f"{server.url}/a"), tmp_path / "a")
    assert (fetched.size_bytes, fetched.sha256) == (len(CONTENT), DIGEST)


async def test_an_empty_file_is_a_file(server: FileServer, tmp_path: Path):
    server.files["/a"] = b""
    assert (await fetch(Source(f"{server.url}/a"), tmp_path / "a")).size_bytes == 0


async def test_a_part_that_was_whole_needs_no_request(server: FileServer, source: Source, tmp_path: Path):
    server.breaks = [500_000, 0, 0, 0, 0]
    with pytest.raises(ModelError):
        await fetch(source, tmp_path / "model.bin")
    (tmp_path / "model.bin.part").write_bytes(CONTENT)  # as if it had been killed before the last step
    server.requests.clear()
    assert (await fetch(source, tmp_path / "model.bin")).sha256 == DIGEST
    assert server.requests == []


async def test_a_part_that_is_too_long_begins_anew(server: FileServer, source: Source, tmp_path: Path):
    server.breaks = [500_000, 0, 0, 0, 0]
    with pytest.raises(ModelError):
        await fetch(source, tmp_path / "model.bin")
    (tmp_path / "model.bin.part").write_bytes(CONTENT + b"more")
    server.breaks.clear()
    assert (await fetch(source, tmp_path / "model.bin")).sha256 == DIGEST


async def test_what_has_the_wrong_hash_is_not_kept(server: FileServer, source: Source, tmp_path: Path):
    server.files["/model.bin"] = CONTENT[:-1] + b"!"
    with pytest.raises(ModelError, match=f"{DIGEST} was expected.*do not use it"):
        await fetch(source, tmp_path / "model.bin")
    assert leftovers(tmp_path) == []


async def test_what_has_the_wrong_size_is_not_even_begun(server: FileServer, source: Source, tmp_path: Path):
    server.files["/model.bin"] = CONTENT * 2
    with pytest.raises(ModelError, match=f"the catalogue says {len(CONTENT)}"):
        await fetch(source, tmp_path / "model.bin")
    assert leftovers(tmp_path) == []


async def test_the_wrong_size_is_seen_at_the_end_too(server: FileServer, source: Source, tmp_path: Path):
    server.files["/model.bin"], server.tells_length = CONTENT[:-1], False
    with pytest.raises(ModelError, match=f"{len(CONTENT)} were expected"):
        await fetch(source, tmp_path / "model.bin")
    assert leftovers(tmp_path) == []


async def test_a_full_disk_is_told_before_anything_is_written(source: Source, tmp_path: Path):
    with pytest.raises(ModelError, match=r"1 MB more.*make room.*LUMI_DATA_DIR"):
        await fetch(source, tmp_path / "model.bin", free_bytes=lambda _: 1_000)
    assert "model.bin" not in leftovers(tmp_path)


async def test_a_busy_server_is_asked_again(server: FileServer, source: Source, tmp_path: Path):
    server.statuses = [503, 429]
    await fetch(source, tmp_path / "model.bin")
    assert len(server.requests) == 3


async def test_patience_ends(server: FileServer, source: Source, tmp_path: Path):
    server.statuses = [503] * 9
    with pytest.raises(ModelError, match="503"):
        await fetch(source, tmp_path / "model.bin")
    assert len(server.requests) == 3


async def test_a_missing_file_is_not_asked_for_twice(server: FileServer, tmp_path: Path):
    with pytest.raises(ModelError, match=r"/gone: the server answered 404.*update Lumi"):
        await fetch(Source(f"{server.url}/gone"), tmp_path / "gone")
    assert len(server.requests) == 1


@dataclass
class Answer:
    """As much of a response as is looked at before its content."""

    url: URL
    status: int = 200
    reason: str = "OK"
    headers: dict[str, str] = field(default_factory=dict)


def test_what_was_asked_for_encrypted_comes_encrypted():
    source = Source("https://hub.example/model.bin")
    with pytest.raises(ModelError, match=r"leads to http://elsewhere\.example, which is not encrypted"):
        accept(Answer(URL("http://elsewhere.example/model.bin")), source)  # type: ignore[arg-type]
    accept(Answer(URL("https://elsewhere.example/model.bin")), source)  # type: ignore[arg-type]


async def test_nobody_there_is_said_in_words(tmp_path: Path):
    with pytest.raises(ModelError, match=r"the connection failed.*check the network"):
        await fetch(Source("http://127.0.0.1:9/a"), tmp_path / "a")


async def test_a_folder_that_cannot_be_written_is_named(source: Source, tmp_path: Path):
    (tmp_path / "model.bin.part").mkdir()
    with pytest.raises(ModelError, match="cannot be written"):
        await fetch(source, tmp_path / "model.bin")
