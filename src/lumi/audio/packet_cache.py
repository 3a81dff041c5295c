"""Sentences that were spoken before: their packets, ready to be sent again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from lumi.audio.format import AudioFormat

_ENTRY_OVERHEAD_BYTES = 200
_PACKET_OVERHEAD_BYTES = 40


@dataclass(frozen=True, slots=True)
class PacketKey:
    """What makes two spoken sentences the same. `voice` is the engine's own value for a voice."""

    engine: str
    voice: Hashable
    text: str
    audio: AudioFormat


class PacketCache:
    """Keeps what was used last, up to `max_bytes`; the rest is forgotten. Zero bytes: keeps nothing."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[PacketKey, tuple[bytes, ...]] = OrderedDict()
        self.size_bytes = 0
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: PacketKey) -> tuple[bytes, ...] | None:
        """The packets, or None."""
        packets = self._entries.get(key)
        if packets is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return packets

    def put(self, key: PacketKey, packets: tuple[bytes, ...]) -> None:
        """Keep the packets of a whole sentence. One that would fill more than a quarter of the room is not kept."""
        size = _size(key, packets)
        if not packets or size > self._max_bytes // 4:
            return
        if (old := self._entries.pop(key, None)) is not None:
            self.size_bytes -= _size(key, old)
        self._entries[key] = packets
        self.size_bytes += size
        while self.size_bytes > self._max_bytes:
            oldest, gone = self._entries.popitem(last=False)
            self.size_bytes -= _size(oldest, gone)


def _size(key: PacketKey, packets: tuple[bytes, ...]) -> int:
    """Bytes of memory, roughly."""
    return _ENTRY_OVERHEAD_BYTES + len(key.text) * 4 + sum(len(p) + _PACKET_OVERHEAD_BYTES for p in packets)
