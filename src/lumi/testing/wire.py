"""The wire as a device in the field writes and reads it: on purpose not the protocol room's own code."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_V2 = struct.Struct(">HHIII")  # version, type, reserved, timestamp ms, payload size
_V3 = struct.Struct(">BBH")  # type, reserved, payload size
_GATEWAY = struct.Struct(">BBHIII")  # 1, 0, payload length, sequence, timestamp ms, packet length


@dataclass(frozen=True, slots=True)
class DeviceFraming:
    """`wrap(payload, timestamp_ms, sequence)` and `unwrap(frame)`; an unexpected header is an AssertionError."""

    name: str
    wrap: Callable[[bytes, int, int], bytes]
    unwrap: Callable[[bytes], bytes]


def _unwrap_v2(frame: bytes) -> bytes:
    version, kind, _, _, size = _V2.unpack_from(frame)
    assert (version, kind, size) == (2, 0, len(frame) - _V2.size), f"not a v2 audio frame: {frame[:16].hex()}"
    return frame[_V2.size :]


def _unwrap_v3(frame: bytes) -> bytes:
    kind, _, size = _V3.unpack_from(frame)
    assert (kind, size) == (0, len(frame) - _V3.size), f"not a v3 audio frame: {frame[:4].hex()}"
    return frame[_V3.size :]


def _unwrap_gateway(frame: bytes) -> bytes:
    first, second, size, _, _, packet = _GATEWAY.unpack_from(frame)
    length = len(frame) - _GATEWAY.size
    assert (first, second, size, packet) == (1, 0, length, length), f"not a gateway frame: {frame[:16].hex()}"
    return frame[_GATEWAY.size :]


V1 = DeviceFraming("v1", lambda payload, _ms, _n: payload, lambda frame: frame)
V2 = DeviceFraming("v2", lambda payload, ms, _n: _V2.pack(2, 0, 0, ms, len(payload)) + payload, _unwrap_v2)
V3 = DeviceFraming("v3", lambda payload, _ms, _n: _V3.pack(0, 0, len(payload)) + payload, _unwrap_v3)
GATEWAY = DeviceFraming(
    "gateway",
    lambda payload, ms, n: _GATEWAY.pack(1, 0, len(payload), n, ms, len(payload)) + payload,
    _unwrap_gateway,
)


@dataclass(frozen=True, slots=True)
class Received:
    """One frame from the server: a JSON object, or a packet of sound; `at_s` is the loop's time of its arrival."""

    at_s: float
    content: Json | bytes


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """What came between the cursor and `tts stop`, inclusive."""

    messages: list[Json]
    packets: list[Received]
    started_s: float
    stopped_s: float

    @property
    def sentences(self) -> list[str]:
        return [message["text"] for message in self.messages if message.get("state") == "sentence_start"]


_DEFAULTS: Json = {"is_final": True}


def matches(message: Json, wanted: Json) -> bool:
    """A field left out counts as its default, where the wire has one."""
    return all(message.get(name, _DEFAULTS.get(name)) == value for name, value in wanted.items())


def kind(message: Json) -> str:
    """A message's type; `tts` with its state."""
    name = str(message.get("type"))
    return f"{name} {message.get('state')}" if name == "tts" else name


def is_tts(item: Received, state: str) -> bool:
    return isinstance(item.content, dict) and kind(item.content) == f"tts {state}"


def runs(names: list[str]) -> str:
    """`packet, packet, tts stop` as `2 × packet, tts stop`."""
    runs: list[tuple[str, int]] = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return ", ".join(f"{count} × {name}" if count > 1 else name for name, count in runs)
