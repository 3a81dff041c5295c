from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.ends import FUZZ

from lumi.errors import FrameError, LocalProtocolError
from lumi.protocol.dialect import Dialect
from lumi.protocol.frames import Framing, choose_framing, pack, unpack
from lumi.protocol.messages import AudioFrame, ErrorCode

PACKET = b"\x11\x22\x33"
V2 = bytes.fromhex("0002 0000 00000000 0000003c 00000003") + PACKET
V3 = bytes.fromhex("00 00 0003") + PACKET
GATEWAY = bytes.fromhex("01 00 0003 00000007 0000003c 00000003") + PACKET


@pytest.mark.parametrize(
    ("framing", "frame", "data"),
    [
        (Framing.V1, AudioFrame(PACKET), PACKET),
        (Framing.V2, AudioFrame(PACKET, 60), V2),
        (Framing.V3, AudioFrame(PACKET), V3),
        (Framing.GATEWAY, AudioFrame(PACKET, 60, 7), GATEWAY),
    ],
)
def test_the_layout_is_byte_for_byte(framing, frame, data):
    assert pack(framing, frame) == data
    assert unpack(framing, data) == frame


def test_v2_may_carry_json():
    text = '{"type":"ping","x":"语"}'
    data = (
        bytes.fromhex("0002 0001 00000000 00000000") + len(text.encode()).to_bytes(4, "big") + text.encode()
    )
    assert unpack(Framing.V2, data) == text


@pytest.mark.parametrize("framing", list(Framing))
def test_an_empty_frame_is_the_end_of_audio(framing):
    assert unpack(framing, b"") == AudioFrame(b"")


@pytest.mark.parametrize("framing", list(Framing))
def test_an_empty_packet_behind_a_header_is_the_end_of_audio(framing):
    unpacked = unpack(framing, pack(framing, AudioFrame(b"")))
    assert isinstance(unpacked, AudioFrame)
    assert unpacked.payload == b""


def test_numbers_wrap_at_32_bits():
    frame = AudioFrame(PACKET, 2**32 + 5, 2**32 + 6)
    assert unpack(Framing.GATEWAY, pack(Framing.GATEWAY, frame)) == AudioFrame(PACKET, 5, 6)
    assert unpack(Framing.V2, pack(Framing.V2, frame)) == AudioFrame(PACKET, 5)


@pytest.mark.parametrize("framing", [Framing.V3, Framing.GATEWAY])
def test_a_packet_too_long_for_the_length_field_is_our_mistake(framing):
    with pytest.raises(LocalProtocolError, match="65536 bytes does not fit"):
        pack(framing, AudioFrame(bytes(65_536)))


@pytest.mark.parametrize(
    ("framing", "data", "says"),
    [
        (Framing.V2, V2[:15], "v2.*15 bytes; accepted: a header of 16 bytes"),
        (Framing.V2, b"\x00\x03" + V2[2:], "version is 3; accepted here: 2"),
        (Framing.V2, V2[:-1], "payload_size is 3; accepted here: 2"),
        (Framing.V2, V2 + b"x", "payload_size is 3; accepted here: 4"),
        (Framing.V2, V2[:2] + b"\x00\x02" + V2[4:], r"type is 2; accepted: 0 \(audio\) or 1 \(JSON\)"),
        (Framing.V3, b"\x00", "v3.*1 bytes"),
        (Framing.V3, b"\x01" + V3[1:], "type is 1; accepted here: 0"),
        (Framing.V3, V3[:-1], "payload_size is 3"),
        (Framing.GATEWAY, GATEWAY[:3], "gateway.*3 bytes"),
        (Framing.GATEWAY, b"\x02" + GATEWAY[1:], "type is 2; accepted here: 1"),
        (Framing.GATEWAY, GATEWAY + b"x", "packet length is 3; accepted here: 4"),
    ],
)
def test_a_broken_header_is_named(framing, data, says):
    with pytest.raises(FrameError, match=says) as caught:
        unpack(framing, data)
    assert caught.value.code == ErrorCode.BAD_MESSAGE


def test_json_in_a_v2_frame_that_is_not_utf8_is_bad_json():
    with pytest.raises(FrameError, match="not UTF-8") as caught:
        unpack(Framing.V2, bytes.fromhex("0002 0001 00000000 00000000 00000001 ff"))
    assert caught.value.code == ErrorCode.BAD_JSON


@pytest.mark.parametrize(
    ("dialect", "version", "headers", "query", "framing"),
    [
        (Dialect.LUMI, 1, {}, {}, Framing.V1),
        (Dialect.LUMI, 3, {}, {}, Framing.V1),
        (Dialect.LUMI, 1, {"protocol-version": "2"}, {}, Framing.V2),
        (Dialect.LUMI, 1, {"protocol-version": " 3 "}, {}, Framing.V3),
        (Dialect.LUMI, 1, {"protocol-version": "9"}, {}, Framing.V1),
        (Dialect.XIAOZHI, 1, {}, {}, Framing.V1),
        (Dialect.XIAOZHI, 1, {"protocol-version": "3"}, {}, Framing.V3),
        (Dialect.XIAOZHI, 2, {"protocol-version": "3"}, {}, Framing.V2),
        (Dialect.XIAOZHI, 3, {}, {}, Framing.V3),
        (Dialect.XIAOZHI, 3, {}, {"from": "mqtt_gateway"}, Framing.GATEWAY),
        (Dialect.LUMI, 1, {}, {"from": "mqtt_gateway"}, Framing.GATEWAY),
        (Dialect.LUMI, 1, {}, {"from": "elsewhere"}, Framing.V1),
    ],
)
def test_the_framing_is_chosen_by_version_header_or_query(dialect, version, headers, query, framing):
    assert choose_framing(dialect, version, headers, query) is framing


u32 = st.integers(0, 2**32 - 1)


@FUZZ
@given(st.sampled_from(Framing), st.binary(max_size=4_000), u32, u32)
def test_what_is_packed_unpacks_to_the_same_packet(framing, payload, timestamp_ms, sequence):
    unpacked = unpack(framing, pack(framing, AudioFrame(payload, timestamp_ms, sequence)))
    assert isinstance(unpacked, AudioFrame)
    assert unpacked.payload == payload
    assert unpacked.timestamp_ms in {timestamp_ms, 0}
    assert unpacked.sequence in {sequence, 0}


@FUZZ
@given(
    st.sampled_from(Framing),
    st.sampled_from([b"", V2[:2], V2[:4], V2[:12], V3[:2], GATEWAY[:4], GATEWAY[:12]]),
    st.binary(max_size=64),
)
def test_any_bytes_unpack_or_are_a_named_error(framing, start, rest):
    try:
        unpacked: object = unpack(framing, start + rest)
    except FrameError as error:
        unpacked = error
    assert isinstance(unpacked, AudioFrame | str | FrameError)
    assert not isinstance(unpacked, FrameError) or ErrorCode(unpacked.code)
