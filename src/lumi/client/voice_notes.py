"""What the user says while there is no line: kept as packets, delivered and answered later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from lumi.audio.format import AudioFormat, Codec
from lumi.client.uplink import Uplink
from lumi.errors import AudioError
from lumi.protocol.handshake import audio_params
from lumi.protocol.messages import AudioFrame, ClientMessage, Listen

MAX_NOTE_S = 60.0
"""The longest note: what a server takes as one utterance, unless it is set otherwise."""

Send = Callable[[ClientMessage | AudioFrame], Awaitable[object]]
"""`ConnectionService.send_message`."""


@dataclass(frozen=True, slots=True)
class VoiceNote:
    """A finished recording: packets in `codec`, each `frame_ms` long. `id` is that of its `listen` and its `stt`."""

    id: str
    codec: Codec
    sample_rate_hz: int
    frame_ms: int
    packets: tuple[bytes, ...] = field(repr=False)

    @property
    def audio(self) -> AudioFormat:
        return AudioFormat(self.codec, self.sample_rate_hz, 1, self.frame_ms)

    @property
    def duration_s(self) -> float:
        return len(self.packets) * self.frame_ms / 1000

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.packets))


class NoteRecorder:
    """Makes one note of PCM that comes in pieces of any length.

    Policy when `max_s` is reached: what was said first is kept, the rest is refused aloud.

    Args:
        note_id: the id its transcript and its answer will carry.
        audio: the format this client sends.
        rate_hz: the recording's rate.

    Raises:
        OpusUnavailable: the format is Opus and this machine has none.
    """

    def __init__(self, note_id: str, audio: AudioFormat, rate_hz: int, *, max_s: float = MAX_NOTE_S) -> None:
        self._id = note_id
        self._audio = audio
        self._max_s = max_s
        self._max_packets = round(max_s * 1000 / audio.frame_ms)
        self._uplink = Uplink(audio, rate_hz)
        self._packets: list[bytes] = []

    @property
    def duration_s(self) -> float:
        """Length so far."""
        return len(self._packets) * self._audio.frame_ms / 1000

    def feed(self, pcm: bytes) -> None:
        """Take s16le mono PCM.

        Raises:
            AudioError: the note is full; what it holds can still be finished.
        """
        self._keep(self._uplink.feed(pcm))

    def finish(self) -> VoiceNote:
        """The note; the recorder is closed.

        Raises:
            AudioError: there is no sound in it.
        """
        rest = self._uplink.flush()
        self.close()
        self._packets += rest[: self._max_packets - len(self._packets)]
        if not self._packets:
            raise AudioError("there is no sound in this voice note: nothing to keep")
        audio = self._audio
        return VoiceNote(self._id, audio.codec, audio.sample_rate_hz, audio.frame_ms, tuple(self._packets))

    def close(self) -> None:
        """Let go of the encoder; what was recorded is forgotten unless `finish` was called."""
        self._uplink.close()

    def _keep(self, packets: list[bytes]) -> None:
        room = self._max_packets - len(self._packets)
        self._packets += packets[:room]
        if len(packets) > room:
            raise AudioError(f"a voice note may last {self._max_s:g} s: end it, and say the rest in another")


def record_note(
    note_id: str, pcm: bytes, rate_hz: int, audio: AudioFormat, *, max_s: float = MAX_NOTE_S
) -> VoiceNote:
    """A whole recording as a note.

    Raises:
        AudioError: too long, or nothing in it; nothing is kept.
    """
    recorder = NoteRecorder(note_id, audio, rate_hz, max_s=max_s)
    try:
        recorder.feed(pcm)
        return recorder.finish()
    finally:
        recorder.close()


async def deliver_note(send: Send, note: VoiceNote) -> None:
    """Put a note on the line: `listen start` with `id`, `note` and its own format, the packets, `listen stop`.

    As fast as `send` returns: a server stops reading while it has enough to hear. Answered by a final `stt` and a
    `response` with the note's id.

    Args:
        send: puts a message on the line, waits while the peer reads too slowly.
        note: what was said.

    Raises:
        NotConnected, ConnectionLost: as sending does; the whole note must then go out again.
    """
    params = audio_params(note.audio)
    await send(Listen(state="start", mode="manual", id=note.id, note=True, audio_params=params))
    for number, packet in enumerate(note.packets):
        await send(AudioFrame(packet, timestamp_ms=number * note.frame_ms, sequence=number))
    await send(Listen(state="stop", id=note.id, note=True))
