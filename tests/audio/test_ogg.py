import struct

import pytest

from lumi.audio.ogg import OggPackets
from lumi.errors import CorruptAudio


def page(table: bytes, body: bytes) -> bytes:
    return b"OggS" + struct.pack("<BBqIII", 0, 0, 0, 1, 0, 0) + bytes([len(table)]) + table + body


def test_packets_come_whole_however_the_bytes_are_cut() -> None:
    long = bytes(range(256)) * 3
    stream = page(bytes([3, 0]), b"abc") + page(bytes([255, 255]), long[:510])
    stream += page(bytes([255, 3, 2]), long[510:] + b"xy")
    for size in (1, 7, 28, len(stream)):
        ogg = OggPackets()
        found = [packet for at in range(0, len(stream), size) for packet in ogg.push(stream[at : at + size])]
        assert found == [b"abc", b"", long, b"xy"]


def test_what_is_no_ogg_is_told_at_once() -> None:
    with pytest.raises(CorruptAudio, match="no Ogg page"):
        OggPackets().push(b"<html>")
