"""The sound of a recording: each packet decoded, and each side of a conversation as one track."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from lumi.audio.format import BYTES_PER_SAMPLE, AudioFormat, Codec
from lumi.audio.resample import Resampler
from lumi.audio.wav import Sound
from lumi.client.downlink import Downlink
from lumi.protocol.messages import AudioFrame
from lumi.store.recordings import Agreed, ClientPacket, Line, Recording, ServerPacket, SoundFormat

RATE_HZ = 16_000
LONGEST_PAUSE_MS = 5_000.0
PAUSE_MS = 1_000.0
"""What a pause in which neither side speaks is shortened to, if it is longer than `LONGEST_PAUSE_MS`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One packet, decoded: s16le mono PCM at `RATE_HZ`."""

    entry: ClientPacket | ServerPacket
    pcm: bytes


class Ears:
    """Decodes a recording's packets in order."""

    def __init__(self) -> None:
        self._sides: dict[type[Line], tuple[Downlink, Resampler]] = {}

    def hear(self, entry: Line) -> Piece | None:
        """What a packet sounds like; None: the entry is none, or ends the sound."""
        if isinstance(entry, Agreed):
            self._sides = {ClientPacket: _side(entry.uplink), ServerPacket: _side(entry.downlink)}
        if not isinstance(entry, ClientPacket | ServerPacket) or not entry.packet:
            return None
        side = self._sides.get(type(entry))
        if side is None:
            return None
        decoder, resampler = side
        return Piece(entry, resampler.push(decoder.decode(AudioFrame(entry.packet)).pcm))


def _side(form: SoundFormat) -> tuple[Downlink, Resampler]:
    """Opus is decoded at any rate; a resampler would hold back the last tenth of a second."""
    codec = Codec(form.codec)
    rate_hz = RATE_HZ if codec is Codec.OPUS else form.sample_rate_hz
    return Downlink(AudioFormat(codec, rate_hz, 1, form.frame_ms)), Resampler(rate_hz, RATE_HZ)


def pieces(recording: Recording) -> Iterator[Piece]:
    """All packets, decoded."""
    ears = Ears()
    return (piece for entry in recording.entries if (piece := ears.hear(entry)) is not None)


@dataclass(frozen=True, slots=True)
class Tracks:
    """Both sides, in step; long pauses are shortened in both alike."""

    client: Sound
    server: Sound


def tracks(recording: Recording) -> Tracks:
    """The whole conversation."""
    found: dict[type[Line], bytearray] = {ClientPacket: bytearray(), ServerPacket: bytearray()}
    cut_ms, end_ms = 0.0, 0.0
    for piece in pieces(recording):
        at_ms = piece.entry.at_ms - cut_ms
        if at_ms - end_ms > LONGEST_PAUSE_MS:
            cut_ms += at_ms - end_ms - PAUSE_MS
            at_ms = end_ms + PAUSE_MS
        track = found[type(piece.entry)]
        start = round(at_ms * RATE_HZ / 1000) * BYTES_PER_SAMPLE
        track.extend(bytes(max(0, start - len(track))))  # packets come a little early: then they follow on
        track.extend(piece.pcm)
        end_ms = max(end_ms, len(track) * 1000 / (BYTES_PER_SAMPLE * RATE_HZ))
    longest = max(map(len, found.values()))
    client, server = (bytes(track.ljust(longest, b"\0")) for track in found.values())
    return Tracks(Sound(client, RATE_HZ), Sound(server, RATE_HZ))


def mixed(both: Tracks) -> Sound:
    """Both sides in one track, each at half its loudness."""
    samples = zip(array("h", both.client.pcm), array("h", both.server.pcm), strict=True)
    return Sound(array("h", (one // 2 + other // 2 for one, other in samples)).tobytes(), RATE_HZ)
