"""What was spoken before: packets by engine, voice, text and format, so that nothing is synthesised or encoded twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from lumi.audio.format import AudioFormat

DEFAULT_MAX_BYTES: Final = 32 * 1024 * 1024
"""Some four hours of speech at 16 kHz."""

_ENTRY_BYTES: Final = 400
"""What an entry costs beside its packets' and its text's bytes."""

_PACKET_BYTES: Final = 41
"""What a `bytes` object and the reference to it cost beside what is in it."""


@dataclass(frozen=True, slots=True)
class PacketKey:
    """What decides how a sentence sounds on the wire. `voice` is whatever the engine tells voices apart by."""

    engine: str
    voice: Hashable
    text: str
    format: AudioFormat


class PacketCache:
    """Keeps whole sentences; the least recently spoken go first when it grows beyond `max_bytes`.

    Args:
        max_bytes: bound of the memory it takes, roughly; 0 keeps nothing.
    """

    def __init__(self, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[PacketKey, tuple[tuple[bytes, ...], int]] = OrderedDict()
        self.size_bytes = 0
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: PacketKey) -> tuple[bytes, ...] | None:
        """The sentence's packets, if it was kept."""
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: PacketKey, packets: tuple[bytes, ...]) -> None:
        """Keep a sentence that was spoken to its end. One larger than the whole cache is not kept."""
        size = _ENTRY_BYTES + len(key.text) * 2 + sum(map(len, packets)) + _PACKET_BYTES * len(packets)
        if size > self._max_bytes:
            return
        replaced = self._entries.pop(key, None)
        if replaced is not None:
            self.size_bytes -= replaced[1]
        self._entries[key] = (packets, size)
        self.size_bytes += size
        while self.size_bytes > self._max_bytes:
            _, (_, oldest_bytes) = self._entries.popitem(last=False)
            self.size_bytes -= oldest_bytes

    def clear(self) -> None:
        """Drop everything; the counts go on."""
        self._entries.clear()
        self.size_bytes = 0
