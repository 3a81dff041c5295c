"""Voice notes: what a client recorded while it had no line, sent as fast as the line allows and answered in writing."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

import msgspec

from lumi.audio.format import AudioFormat
from lumi.audio.hearing import Heard
from lumi.audio.media_pool import MediaPool
from lumi.errors import ProtocolError
from lumi.protocol.messages import ErrorCode
from lumi.voice.endpointing import WINDOW_MS
from lumi.voice.microphone import MAYBE_SPEECH
from lumi.voice.utterance import Utterance

FLUSH_EVERY_PACKETS = 40
"""So many packets are heard before more are read: an uplink drops the oldest beyond a hundred."""


@dataclass(frozen=True, slots=True)
class Note:
    """A whole recording. `id` is that of its `listen`."""

    id: str
    utterance: Utterance


class NoteAnswer(msgspec.Struct, frozen=True):
    """What a note came to, as it is stored."""

    text: str
    confidence: float
    reply: str


class NoteRecording:
    """A note on its way in. Its sound may have a format of its own."""

    def __init__(self, note_id: str, pool: MediaPool, form: AudioFormat, longest_ms: float) -> None:
        self.id = note_id
        self._utterance = Utterance(longest_ms)
        self._longest_ms = longest_ms
        self._uplink = pool.open_uplink(form, self._heard)
        self._packets = 0
        self._too_long = False

    def push(self, packet: bytes) -> Awaitable[None] | None:
        """Take a packet in; now and then the result is to be awaited before the next."""
        self._uplink.push(packet)
        self._packets += 1
        return self._uplink.flush() if self._packets % FLUSH_EVERY_PACKETS == 0 else None

    async def finish(self) -> Note:
        """The whole note.

        Raises:
            ProtocolError: `too_large`.
        """
        await self._uplink.flush()
        self.close()
        if self._too_long:
            message = f"the note is too long; accepted: up to {self._longest_ms / 1000:g} s"
            raise ProtocolError(ErrorCode.TOO_LARGE, message, message_id=self.id)
        self._utterance.end()
        return Note(self.id, self._utterance)

    def close(self) -> None:
        self._uplink.close()

    def _heard(self, heard: Heard) -> None:
        self._utterance.speech_ms += WINDOW_MS * sum(1 for p in heard.speech if p >= MAYBE_SPEECH)
        if not self._utterance.push(heard.pcm):
            self._too_long = True
