"""Events of the Wyoming protocol as bytes: a line of JSON, then `data_length` bytes of JSON, then `payload_length` bytes.

Pure: bytes in, events out. The official package's own reader knows no bounds and takes garbage for the end of the
connection; its types are used, and what is written here it reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
from wyoming.event import Event, Eventable

from lumi.errors import FrameError

NEWLINE = b"\n"
BAD_EVENT = "bad_message"

T = TypeVar("T")
Size = Annotated[int, msgspec.Meta(ge=0)]


class Header(msgspec.Struct):
    """An event's first line; `version` and whatever else is in it is not needed."""

    type: Annotated[str, msgspec.Meta(min_length=1)]
    data: dict[str, Any] | None = None
    data_length: Size | None = None
    payload_length: Size | None = None


@dataclass(frozen=True, slots=True)
class EventLimits:
    """Longest parts of one event that are taken."""

    header_bytes: int = 65_536
    data_bytes: int = 262_144
    payload_bytes: int = 1_048_576


class EventReader:
    """Takes bytes as they come, however they are cut."""

    def __init__(self, limits: EventLimits | None = None) -> None:
        self._limits = limits or EventLimits()
        self._bytes = bytearray()  # bounded: one event's parts, and what came in one piece with them
        self._searched = 0
        self._header: Header | None = None

    @property
    def inside(self) -> bool:
        """Whether an event has begun and not ended."""
        return self._header is not None or bool(self._bytes)

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that are whole now.

        Raises:
            FrameError: this is no Wyoming, or more than is taken; nothing after it can be understood.
        """
        self._bytes += data
        while (event := self._next()) is not None:
            yield event

    def _next(self) -> Event | None:
        if self._header is None:
            self._header = self._read_header()
        header = self._header
        if header is None:
            return None
        more, payload = header.data_length or 0, header.payload_length or 0
        if len(self._bytes) < more + payload:
            return None
        written, sound = bytes(self._bytes[:more]), bytes(self._bytes[more : more + payload])
        del self._bytes[: more + payload]
        self._header = None
        data = dict(header.data or {})
        if written:
            data |= decoded(written, dict[str, Any])
        return Event(header.type, data, sound or None)

    def _read_header(self) -> Header | None:
        end = self._bytes.find(NEWLINE, self._searched)
        if max(end, len(self._bytes) if end < 0 else 0) > self._limits.header_bytes:
            raise _too_long("line", self._limits.header_bytes)
        if end < 0:
            self._searched = len(self._bytes)
            return None
        header = decoded(bytes(self._bytes[:end]), Header)
        del self._bytes[: end + 1]
        self._searched = 0
        if (header.data_length or 0) > self._limits.data_bytes:
            raise _too_long("data_length", self._limits.data_bytes)
        if (header.payload_length or 0) > self._limits.payload_bytes:
            raise _too_long("payload_length", self._limits.payload_bytes)
        return header


def decoded(data: bytes, kind: type[T]) -> T:
    """JSON of one shape.

    Raises:
        FrameError: it is not.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(BAD_EVENT, f"this is no Wyoming event: {error}", fatal=True) from error


def _too_long(what: str, limit_bytes: int) -> FrameError:
    return FrameError(BAD_EVENT, f"{what} is too long: at most {limit_bytes} bytes are taken", fatal=True)


def packed(message: Eventable) -> bytes:
    """An event as it is sent."""
    event = message.event()
    data = msgspec.json.encode(event.data) if event.data else b""
    payload = event.payload or b""
    header: dict[str, Any] = {"type": event.type, "version": "1.0.0"}
    if data:
        header["data_length"] = len(data)
    if payload:
        header["payload_length"] = len(payload)
    return msgspec.json.encode(header) + NEWLINE + data + payload
