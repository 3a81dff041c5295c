"""Binary frames: one packet of sound each, behind the header its framing has. All headers are big-endian."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from struct import Struct

from lumi.errors import FrameError, LocalProtocolError
from lumi.protocol.dialect import Dialect
from lumi.protocol.messages import AudioFrame, ErrorCode


class Framing(StrEnum):
    """How a binary frame is laid out; the same in both directions."""

    V1 = "v1"
    """No header: the frame is the packet."""
    V2 = "v2"
    """u16 version, u16 type (0 audio, 1 JSON), u32 reserved, u32 timestamp in ms, u32 payload size."""
    V3 = "v3"
    """u8 type (0 audio), u8 reserved, u16 payload size."""
    GATEWAY = "gateway"
    """u8 1, u8 0, u16 payload length, u32 sequence, u32 timestamp in ms, u32 packet length."""


V2_HEADER = Struct(">HHIII")
V3_HEADER = Struct(">BBH")
GATEWAY_HEADER = Struct(">BBHIII")

_U16_MAX = 0xFFFF
_U32_MASK = 0xFFFF_FFFF
_V2_AUDIO, _V2_JSON = 0, 1
_BY_VERSION = {2: Framing.V2, 3: Framing.V3}
_BY_HEADER = {"2": Framing.V2, "3": Framing.V3}


def choose_framing(
    dialect: Dialect, hello_version: int, headers: Mapping[str, str], query: Mapping[str, str]
) -> Framing:
    """Find the framing a client speaks.

    In lumi, `version` is the protocol's version and only the header picks the framing.

    Args:
        dialect: the client's.
        hello_version: `version` of its hello.
        headers: of its upgrade request, names in lower case.
        query: of its URL.
    """
    if query.get("from") == "mqtt_gateway":
        return Framing.GATEWAY
    by_header = _BY_HEADER.get(headers.get("protocol-version", "").strip(), Framing.V1)
    if dialect is Dialect.XIAOZHI:
        return _BY_VERSION.get(hello_version, by_header)
    return by_header


def pack(framing: Framing, frame: AudioFrame) -> bytes:
    """Lay out one packet as a binary frame. Timestamp and sequence number wrap at 32 bits.

    Raises:
        LocalProtocolError: the packet does not fit the framing's length field.
    """
    payload = frame.payload
    if framing is Framing.V1:
        return payload
    size = len(payload)
    timestamp = frame.timestamp_ms & _U32_MASK
    if framing is Framing.V2:
        return V2_HEADER.pack(2, _V2_AUDIO, 0, timestamp, size) + payload
    if size > _U16_MAX:
        raise LocalProtocolError(
            f"a packet of {size} bytes does not fit a {framing} frame (at most {_U16_MAX})"
        )
    if framing is Framing.V3:
        return V3_HEADER.pack(0, 0, size) + payload
    return GATEWAY_HEADER.pack(1, 0, size, frame.sequence & _U32_MASK, timestamp, size) + payload


def unpack(framing: Framing, data: bytes) -> AudioFrame | str:
    """Read a binary frame: a packet, or (v2 only) the text of a JSON message. An empty frame is 'end of audio'.

    Raises:
        FrameError: `bad_message`, naming the header's field.
    """
    if framing is Framing.V1 or not data:
        return AudioFrame(data)
    if framing is Framing.V2:
        return _unpack_v2(data)
    if framing is Framing.V3:
        return _unpack_v3(data)
    return _unpack_gateway(data)


def _unpack_v2(data: bytes) -> AudioFrame | str:
    payload = _after(V2_HEADER, data, Framing.V2)
    version, kind, _, timestamp_ms, size = V2_HEADER.unpack_from(data)
    _expect(Framing.V2, "version", version, 2)
    _expect(Framing.V2, "payload_size", size, len(payload))
    if kind == _V2_AUDIO:
        return AudioFrame(payload, timestamp_ms)
    if kind != _V2_JSON:
        raise _broken(Framing.V2, f"type is {kind}; accepted: 0 (audio) or 1 (JSON)")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise _broken(Framing.V2, "its JSON is not UTF-8", ErrorCode.BAD_JSON) from error


def _unpack_v3(data: bytes) -> AudioFrame:
    payload = _after(V3_HEADER, data, Framing.V3)
    kind, _, size = V3_HEADER.unpack_from(data)
    _expect(Framing.V3, "type", kind, 0)
    _expect(Framing.V3, "payload_size", size, len(payload))
    return AudioFrame(payload)


def _unpack_gateway(data: bytes) -> AudioFrame:
    payload = _after(GATEWAY_HEADER, data, Framing.GATEWAY)
    kind, _, _, sequence, timestamp_ms, size = GATEWAY_HEADER.unpack_from(data)
    _expect(Framing.GATEWAY, "type", kind, 1)
    # The u16 before it says the same, where the packet is that short; gateways fill in this one.
    _expect(Framing.GATEWAY, "packet length", size, len(payload))
    return AudioFrame(payload, timestamp_ms, sequence)


def _after(header: Struct, data: bytes, framing: Framing) -> bytes:
    if len(data) < header.size:
        raise _broken(
            framing, f"it has {len(data)} bytes; accepted: a header of {header.size} bytes, then the payload"
        )
    return data[header.size :]


def _expect(framing: Framing, name: str, value: int, accepted: int) -> None:
    if value != accepted:
        raise _broken(framing, f"{name} is {value}; accepted here: {accepted}")


def _broken(framing: Framing, problem: str, code: ErrorCode = ErrorCode.BAD_MESSAGE) -> FrameError:
    return FrameError(code, f"binary frame ({framing}): {problem}")
