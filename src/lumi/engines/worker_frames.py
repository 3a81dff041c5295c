"""What travels between the server and a worker process: frames of (kind, stream, body) in a byte stream.

A frame on the pipe is a little-endian header (u32 length of the body, u8 kind, u32 stream) and the body. Bodies are
the engine's own. Both ends keep a window per stream: whoever sends `DATA` may have `WINDOW_BYTES` unread at the other
end, and gets `CREDIT` (body: u32 bytes) as they are taken. So no stream can fill the pipe for the others, and no
queue at either end grows beyond streams times window.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = struct.Struct("<IBI")
_COUNT = struct.Struct("<I")
MAX_BODY_BYTES = 32 << 20
"""Enough for an engine's arguments, a grammar with its corpus; pieces of sound are far smaller."""
WINDOW_BYTES = 64 * 1024
"""Two seconds of 16 kHz PCM, or one and a half of 22.05 kHz."""
CONTROL_STREAM = 0
"""Carries what belongs to no request: `OPEN` with the engine to load, `READY`, and `FAILED` when it cannot start."""


class Kind(IntEnum):
    """What a frame says."""

    OPEN = 1
    """To the worker: a new stream; the body is the request."""
    DATA = 2
    """Both ways: a piece."""
    END = 3
    """To the worker: no more pieces. From the worker: the stream is finished."""
    CANCEL = 4
    """To the worker: nobody waits for this stream any more."""
    CREDIT = 5
    """Both ways: so many bytes of `DATA` were taken."""
    FAILED = 6
    """From the worker: the stream, or the engine, failed; the body says why."""
    READY = 7
    """From the worker: the engine is loaded."""


@dataclass(frozen=True, slots=True)
class Frame:
    kind: Kind
    stream: int
    body: bytes = b""


def pack(kind: Kind, stream: int, body: bytes = b"") -> bytes:
    return HEADER.pack(len(body), kind, stream) + body


def pack_credit(stream: int, count: int) -> bytes:
    return pack(Kind.CREDIT, stream, _COUNT.pack(count))


def credit_of(frame: Frame) -> int:
    """The bytes a `CREDIT` frame gives back."""
    (count,) = _COUNT.unpack(frame.body)
    return int(count)


class FrameReader:
    """Cuts a byte stream into frames. Raises `ValueError` when it is not one of ours."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Add what was read; yields the frames that are whole now."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= HEADER.size:
            length, kind, stream = HEADER.unpack_from(self._buffer, start)
            if length > MAX_BODY_BYTES:
                raise ValueError(f"a frame of {length} bytes; at most {MAX_BODY_BYTES} are sent")
            end = start + HEADER.size + length
            if len(self._buffer) < end:
                break
            frame = Frame(Kind(kind), stream, bytes(self._buffer[start + HEADER.size : end]))
            start = end
            yield frame
        del self._buffer[:start]
