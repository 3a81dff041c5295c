"""What the user says while there is no line: kept as packets, delivered and answered later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from lumi.audio.format import AudioFormat, Codec
from lumi.client.uplink import Uplink
from lumi.errors import AudioError
from lumi.protocol.handshake import audio_params
from lumi.protocol.messages import AudioFrame, ClientMessage, Listen

MAX_NOTE_S = 60.0
"""The longest note: what a server takes as one utterance, unless it is set otherwise."""

BURST_PACKETS = 50
"""Sent at once: a server's uplink holds 100 packets and drops the oldest beyond."""

NOTE_SPEED = 8.0
"""After the burst, so many times faster than speech: an upper bound that leaves the server time to hear it."""

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


class NoteSender:
    """Delivers notes over the line: `listen start` with `id` and `note`, the packets, `listen stop`.

    As fast as the line allows, which is as fast as `send` returns, and no faster than the server hears: `burst`
    packets at once, then `speed` times real time.

    Args:
        send: puts a message on the line, waits while the peer reads too slowly, raises when there is no line.
        audio: the format this client declared in its hello.
    """

    def __init__(
        self, send: Send, audio: AudioFormat, *, burst: int = BURST_PACKETS, speed: float = NOTE_SPEED
    ) -> None:
        self._send = send
        self._audio = audio
        self._burst = burst
        self._speed = speed

    async def deliver(self, note: VoiceNote) -> None:
        """Returns when all of it is on the line.

        Raises:
            AudioError: it was recorded in another format than this client has declared.
            NotConnected, ConnectionLost: as sending does; the whole note must then go out again.
        """
        if note.audio != self._audio:
            raise AudioError(
                f"this voice note is {described(note.audio)}, but this client sends {described(self._audio)}: "
                "connect with that format to deliver it"
            )
        start = Listen(
            state="start", mode="manual", id=note.id, note=True, audio_params=audio_params(note.audio)
        )
        await self._send(start)
        clock = asyncio.get_running_loop().time
        began_s = clock()
        for number, packet in enumerate(note.packets):
            due_s = began_s + max(0, number - self._burst) * note.frame_ms / 1000 / self._speed
            if due_s > clock():
                await asyncio.sleep(due_s - clock())
            await self._send(AudioFrame(packet, timestamp_ms=number * note.frame_ms, sequence=number))
        await self._send(Listen(state="stop", id=note.id, note=True))


def described(audio: AudioFormat) -> str:
    """A format in words."""
    return f"{audio.codec.value} at {audio.sample_rate_hz} Hz in {audio.frame_ms} ms packets"
