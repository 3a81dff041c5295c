"""What went over the wire in one session, kept as one file of JSON lines: `<session>.jsonl`.

The first line is the `Header`, each further one an entry whose `kind` says which. Packets of sound are in base64, so that
a page can read the file as well as a program. Lines are only ever appended, each batch at once: after a crash at most
the last line is cut off, and what stands before it is read all the same. docs/recordings.md describes the format.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from lumi.errors import StoreError

VERSION = 1
SUFFIX = ".jsonl"
MOST_BYTES = 512 * 1024 * 1024
"""A file longer than this is not read: no server writes one."""

CUT_OFF = "the last line is cut off (the server was stopped in mid-write); all before it is here"

NAMES = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""Sessions whose name can be that of a file."""


class Header(Struct, frozen=True, kw_only=True):
    """The first line."""

    lumi_recording: int = VERSION
    session_id: str
    device_id: str
    started_at: float
    """UNIX seconds; `at_ms` of every entry counts from here."""
    server_version: str = ""


class SoundFormat(Struct, frozen=True):
    """How packets of one direction are coded."""

    codec: str
    sample_rate_hz: int
    frame_ms: int


class Entry(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all lines but the first have."""

    at_ms: float


class Opened(Entry, frozen=True, kw_only=True, tag="opened"):
    """A connection of the session began; headers and query without what lets somebody in."""

    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    dialect: str
    framing: str
    client: str
    """Name of the client's profile."""
    resumed: bool


class Agreed(Entry, frozen=True, kw_only=True, tag="agreed"):
    """A hello was answered: from here on packets are like this."""

    uplink: SoundFormat
    downlink: SoundFormat


class FromClient(Entry, frozen=True, kw_only=True, tag="from_client"):
    message: dict[str, Any]


class FromServer(Entry, frozen=True, kw_only=True, tag="from_server"):
    message: dict[str, Any]


class ClientPacket(Entry, frozen=True, kw_only=True, tag="client_packet", omit_defaults=True):
    """Sound of the user; an empty packet ends it."""

    packet: bytes
    timestamp_ms: int = 0


class ServerPacket(Entry, frozen=True, kw_only=True, tag="server_packet"):
    """Sound of the answer."""

    packet: bytes


class Unreadable(Entry, frozen=True, kw_only=True, tag="unreadable"):
    """The client sent a frame that makes no sense; `size` in bytes or characters."""

    size: int


class Turn(Entry, frozen=True, kw_only=True, tag="turn"):
    """A spoken turn ended: milliseconds from the end of the user's words to each stage's first result."""

    turn_id: str
    stages_ms: Mapping[str, float]


class Lost(Entry, frozen=True, kw_only=True, tag="lost"):
    """So many frames are missing here: the disk was too slow for them."""

    frames: int


class Full(Entry, frozen=True, kw_only=True, tag="full"):
    """The file is as long as it may be; what came after is not in it."""


class Closed(Entry, frozen=True, kw_only=True, tag="closed"):
    """The connection ended."""

    code: int
    reason: str


Line = (
    Opened
    | Agreed
    | FromClient
    | FromServer
    | ClientPacket
    | ServerPacket
    | Unreadable
    | Turn
    | Lost
    | Full
    | Closed
)

_HEADER = msgspec.json.Decoder(Header)
_LINE = msgspec.json.Decoder(Line)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, read.

    Attributes:
        complaint: what is wrong with its end; empty: nothing.
    """

    header: Header
    entries: Sequence[Line]
    complaint: str = ""

    @property
    def duration_s(self) -> float:
        return self.entries[-1].at_ms / 1000 if self.entries else 0.0


def encoded(line: Header | Line) -> bytes:
    """A line of the file, its end included."""
    return _ENCODER.encode(line) + b"\n"


def read(path: Path) -> Recording:
    """Read a recording; one whose last line is cut off is read as far as it goes, and says so.

    Raises:
        StoreError: there is none, or it is something else.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise StoreError(f"{path} has more than {MOST_BYTES // 1024 // 1024} MB: it is no recording")
        *lines, torn = path.read_bytes().split(b"\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}); give the file of a recording") from error
    header = _header(path, lines[0] if lines else torn)
    entries = [_entry(path, number, line) for number, line in enumerate(lines[1:], start=2)]
    return Recording(header, entries, CUT_OFF if torn else "")


def _header(path: Path, line: bytes) -> Header:
    try:
        header = _HEADER.decode(line)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path} is no recording: its first line is no header ({error})") from error
    if header.lumi_recording != VERSION:
        problem = (
            f"is of format {header.lumi_recording}, this Lumi reads {VERSION}: use the one that wrote it"
        )
        raise StoreError(f"{path} {problem}")
    return header


def _entry(path: Path, number: int, line: bytes) -> Line:
    try:
        entry: Line = _LINE.decode(line)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}, line {number}, is no entry of a recording ({error})") from error
    return entry


class Recordings:
    """The files of a folder. All of it blocks: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, session_id: str) -> Path:
        """Where a session's recording is, or would be.

        Raises:
            StoreError: no session is called like this.
        """
        if not NAMES.fullmatch(session_id):
            raise StoreError(f"{session_id!r} is no session's id")
        return self.folder / f"{session_id}{SUFFIX}"

    def header(self, session_id: str) -> Header | None:
        """The header of a session's recording; None: it has none."""
        path = self.path(session_id)
        return _peek(path) if path.is_file() else None

    def has(self, session_id: str) -> bool:
        """Whether there is one of a session."""
        return bool(NAMES.fullmatch(session_id)) and self.header(session_id) is not None

    def delete(self, session_id: str) -> bool:
        """Whether there was one."""
        return self.has(session_id) and bool(_remove(self.path(session_id)))

    def append(self, session_id: str, data: bytes) -> int:
        """Add lines to a session's recording, which its owner alone may read; how long it is then.

        A line that was cut off by a crash goes: what is added would be read as its end.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_CREAT
            with open(os.open(self.path(session_id), flags, 0o600), "r+b") as file:  # noqa: PTH123
                file.seek(_whole_bytes(file))
                file.write(data)
                file.truncate()
                return file.tell()
        except OSError as error:
            raise StoreError(f"recordings cannot be written to {self.folder} ({error.strerror})") from error

    def all(self) -> list[tuple[Path, Header]]:
        """Newest first; what is no recording is passed over."""
        found = [(path, header) for path in self._files() if (header := _peek(path)) is not None]
        return sorted(found, key=lambda one: -one[1].started_at)

    def of_device(self, device_id: str) -> list[Path]:
        """The recordings of one device."""
        return [path for path, header in self.all() if header.device_id == device_id]

    def delete_of(self, device_id: str) -> int:
        """Delete the recordings of one device; how many went."""
        return sum(_remove(path) for path in self.of_device(device_id))

    def forget(self, before: float, most_bytes: int) -> int:
        """Delete what was last written before then, and the oldest beyond so many bytes; how many went."""
        known: list[tuple[float, int, Path]] = []
        for path in self._files():
            try:
                status = path.stat()
            except OSError:  # gone meanwhile
                continue
            known.append((status.st_mtime, status.st_size, path))
        gone, total = 0, 0
        for written_at, size, path in sorted(known, reverse=True):
            total += size
            if written_at < before or total > most_bytes:
                gone += _remove(path)
        return gone

    def _files(self) -> Sequence[Path]:
        try:
            return list(self.folder.glob(f"*{SUFFIX}"))
        except OSError:  # no file can be opened any more, or not this one
            return ()


def _whole_bytes(file: BinaryIO) -> int:
    """How much of a file is whole lines."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 64 * 1024)
        file.seek(start)
        if (found := file.read(end - start).rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0


def _peek(path: Path) -> Header | None:
    try:
        with path.open("rb") as file:
            return _header(path, file.readline(64 * 1024))
    except (OSError, StoreError):
        return None


def _remove(path: Path) -> int:
    try:
        path.unlink()
    except OSError:
        return 0
    return 1
