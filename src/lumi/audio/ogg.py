"""Takes Ogg pages apart as they come (RFC 3533): bytes in, the packets of its one stream out."""

from __future__ import annotations

from lumi.errors import CorruptAudio

_HEADER_BYTES = 27
_CAPTURE = b"OggS"


class OggPackets:
    """Pages may come in pieces of any length; a packet may go on over pages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._packet = bytearray()

    def push(self, data: bytes) -> list[bytes]:
        """The packets that are whole now.

        Raises:
            CorruptAudio: this is no Ogg stream.
        """
        self._buffer += data
        packets: list[bytes] = []
        while (page := self._next_page()) is not None:
            packets += self._packets(*page)
        return packets

    def _next_page(self) -> tuple[bytes, bytes] | None:
        """Segment table and body of the next page, if all of it has come."""
        buffer = self._buffer
        if buffer and not _CAPTURE.startswith(bytes(buffer[:4])):
            raise CorruptAudio("no Ogg page where one should begin")
        if len(buffer) < _HEADER_BYTES:
            return None
        body_at = _HEADER_BYTES + buffer[26]
        table = bytes(buffer[_HEADER_BYTES:body_at])
        end = body_at + sum(table)
        if len(table) < buffer[26] or len(buffer) < end:
            return None
        body = bytes(buffer[body_at:end])
        del buffer[:end]
        return table, body

    def _packets(self, table: bytes, body: bytes) -> list[bytes]:
        """A segment shorter than 255 bytes ends a packet."""
        packets, at = [], 0
        for size in table:
            self._packet += body[at : at + size]
            at += size
            if size < 255:
                packets.append(bytes(self._packet))
                self._packet.clear()
        return packets
