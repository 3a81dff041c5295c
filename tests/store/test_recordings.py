"""One file per session: appended to, read by whoever can read lines of JSON, whatever happened to its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lumi.errors import StoreError
from lumi.store import recordings
from lumi.store.recordings import (
    CUT_OFF,
    ClientPacket,
    Closed,
    FromClient,
    Header,
    Line,
    Recordings,
    encoded,
    read,
)

HEADER = Header(session_id="s-1", device_id="kitchen", started_at=1000.0)
ENTRIES: list[Line] = [
    FromClient(at_ms=1.0, message={"type": "ping"}),
    ClientPacket(at_ms=2.0, packet=b"\0\1\2"),
    Closed(at_ms=3.5, code=1000, reason=""),
]


@pytest.fixture
def files(tmp_path: Path) -> Recordings:
    found = Recordings(tmp_path)
    found.append("s-1", encoded(HEADER) + b"".join(map(encoded, ENTRIES)))
    return found


def test_what_was_written_is_read(files: Recordings):
    tape = read(files.path("s-1"))
    assert (tape.header, list(tape.entries), tape.complaint) == (HEADER, ENTRIES, "")
    assert tape.duration_s == 0.0035
    assert files.header("s-1") == HEADER
    assert files.header("s-2") is None
    lines = files.path("s-1").read_text().splitlines()
    assert lines[0].startswith('{"lumi_recording":1,"session_id":"s-1","device_id":"kitchen"')
    assert lines[2] == '{"kind":"client_packet","at_ms":2.0,"packet":"AAEC"}'


def test_a_last_line_that_is_cut_off_is_told_of_at_every_length(files: Recordings):
    path = files.path("s-1")
    data = path.read_bytes()
    head = len(encoded(HEADER))
    for length in range(head, len(data)):
        path.write_bytes(data[:length])
        tape = read(path)
        whole = data[:length].endswith(b"\n")
        assert tape.complaint == ("" if whole else CUT_OFF)
        assert list(tape.entries) == ENTRIES[: data[:length].count(b"\n") - 1]


def test_what_is_added_after_a_crash_does_not_spoil_the_file(files: Recordings):
    path = files.path("s-1")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"kind":"from_cl' + b"x" * 100_000)
    files.append("s-1", encoded(ENTRIES[0]))
    assert list(read(path).entries) == [*ENTRIES, ENTRIES[0]]
    path.write_bytes(b"torn header")
    files.append("s-1", whole)
    assert list(read(path).entries) == ENTRIES


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no recording"),
        (b"hello\n", "no recording"),
        (b'{"type":"hello"}\n', "no recording"),
        (encoded(HEADER).replace(b":1,", b":2,", 1), "of format 2, this Lumi reads 1"),
        (encoded(HEADER) + b'{"kind":"who","at_ms":1}\n', "line 2, is no entry"),
        (encoded(HEADER) + encoded(ENTRIES[0]) + b"{\n", "line 3, is no entry"),
    ],
)
def test_something_else_is_named(tmp_path: Path, data: bytes, complaint: str):
    path = tmp_path / "file.jsonl"
    path.write_bytes(data)
    with pytest.raises(StoreError, match=complaint):
        read(path)


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(StoreError, match="cannot be read"):
        read(tmp_path / "none.jsonl")
    monkeypatch.setattr(recordings, "MOST_BYTES", 3)
    (tmp_path / "long.jsonl").write_bytes(b"long")
    with pytest.raises(StoreError, match="no recording"):
        read(tmp_path / "long.jsonl")


@pytest.mark.parametrize("name", ["", "../lumi", "a/b", "x" * 81, "a.b", "ü"])
def test_no_name_leads_out_of_the_folder(files: Recordings, name: str):
    with pytest.raises(StoreError, match="no session"):
        files.path(name)


def test_of_whom_they_are(files: Recordings):
    for number, device in enumerate(("hall", "kitchen"), start=2):
        header = Header(session_id=f"s-{number}", device_id=device, started_at=1000.0 + number)
        files.append(f"s-{number}", encoded(header))
    (files.folder / "else.jsonl").write_text("no recording")
    assert [header.session_id for _, header in files.all()] == ["s-3", "s-2", "s-1"]
    assert files.delete_of("kitchen") == 2
    assert [header.session_id for _, header in files.all()] == ["s-2"]


def test_what_is_old_or_too_much_goes(files: Recordings):
    for number in range(2, 6):
        path = files.path(f"s-{number}")
        path.write_bytes(b"x" * 100)
        os.utime(path, (number * 100.0, number * 100.0))
    os.utime(files.path("s-1"), (1000.0, 1000.0))
    size = files.path("s-1").stat().st_size
    assert files.forget(250.0, 10_000) == 1
    assert files.forget(0.0, size + 250) == 1
    assert sorted(path.stem for path in files.folder.iterdir()) == ["s-1", "s-4", "s-5"]
    assert files.forget(2000.0, 10_000) == 3
    assert Recordings(files.folder / "none").forget(0.0, 0) == 0


def test_a_file_that_cannot_be_deleted_stays(files: Recordings):
    (files.folder / "folder.jsonl").mkdir()
    assert files.forget(1e12, 0) == 1
    assert [path.name for path in files.folder.iterdir()] == ["folder.jsonl"]


def test_a_folder_that_cannot_be_read_now_has_nothing(files: Recordings, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Path, "glob", full)
    assert files.all() == []
    assert files.forget(1e12, 0) == 0
