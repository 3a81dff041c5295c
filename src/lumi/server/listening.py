"""One session's listening: the client's sound goes through the media pool to the microphone and starts turns.

What the client's `listen` means depends on what is going on:

| client sends     | while nothing is spoken | while the server answers                                   |
|------------------|-------------------------|------------------------------------------------------------|
| start, auto      | listens                 | remembered: listens after `tts stop` (boards repeat it)     |
| start, manual    | listens                 | a button was pressed: the answer ends, listens              |
| start, realtime  | listens                 | listens: speech ends the answer                             |
| stop             | the utterance is over   | forgets a remembered start; nothing else                    |
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lumi.audio.format import AudioFormat
from lumi.audio.media_pool import Heard
from lumi.engines.base import Speaker
from lumi.protocol.messages import Listen
from lumi.server.services import Services
from lumi.server.spoken_turns import Phase, SpokenTurns
from lumi.voice.interruption import Interruption, Suspicion
from lumi.voice.microphone import Microphone, Mode, State
from lumi.voice.utterance import Utterance


@dataclass(frozen=True, slots=True)
class Remembered:
    """A `listen start` that came while the server was speaking."""

    mode: Mode
    listen_id: str | None


@dataclass(slots=True)
class Guard:
    """Watches one answer for the listener's wish to speak."""

    turn_id: str | None
    interruption: Interruption


class Listening:
    """Owns the microphone and the uplink; begins and commits voice turns."""

    def __init__(
        self, services: Services, turns: SpokenTurns, form: AudioFormat, speaker: Callable[[], Speaker]
    ) -> None:
        self._services = services
        self._turns = turns
        self._speaker = speaker
        self._form = form
        self._uplink = services.pool.open_uplink(form, self._heard)
        endpoint = services.settings(speaker().device_id).endpoint
        self._microphone = Microphone(endpoint, self._begun, self._ended)
        self._mode = Mode.AUTO
        self._listen_id: str | None = None
        self._remembered: Remembered | None = None
        self._guard: Guard | None = None
        self._candidate: Utterance | None = None  # speech during the answer, not yet long enough to end it
        self.dropped_frames = 0
        """Packets that came while nobody listened."""

    @property
    def busy(self) -> bool:
        """Whether something is being heard."""
        return self._microphone.state is not State.CLOSED

    @property
    def held(self) -> bool:
        """The user holds a button down and is about to speak, or speaks."""
        return self.busy and self._microphone.mode is Mode.MANUAL

    def start(self, message: Listen) -> None:
        mode = self._mode if message.mode is None else Mode(message.mode)
        self._mode = mode
        if self._turns.phase is Phase.ANSWERING:
            if mode is Mode.AUTO:
                self._microphone.drop()
                self._remembered = Remembered(mode, message.id)
                return
            if mode is Mode.MANUAL:
                self._turns.abort()
        self._open(mode, message.id)

    async def stop(self) -> None:
        """The client closes the microphone; what it sent before is heard first."""
        self._remembered = None
        await self._uplink.flush()
        self._microphone.close()
        self._turns.next_notice()

    async def end_of_audio(self) -> None:
        """An empty binary frame."""
        if self._mode is Mode.AUTO:
            await self._uplink.flush()
            self._microphone.end_of_audio()

    def audio(self, packet: bytes) -> None:
        """Take a packet in, unless nobody listens."""
        if self._deaf():
            self.dropped_frames += 1
        else:
            self._uplink.push(packet)

    def drop(self) -> None:
        """Forget what is being heard and stop listening; nothing is sent."""
        self._remembered = None
        self._candidate = None
        if self._microphone.mode is Mode.REALTIME and self.busy:
            self._microphone.drop()
            self._microphone.open(Mode.REALTIME)
        else:
            self._microphone.drop()
        self._turns.forget()

    def turn_over(self) -> None:
        """The server has fallen silent."""
        remembered, self._remembered = self._remembered, None
        if remembered is not None:
            self._open(remembered.mode, remembered.listen_id)
        if self._candidate is not None:
            self._interrupt()

    def reformat(self, form: AudioFormat) -> None:
        """The client will send this format from now on; what is being heard in another is dropped."""
        if form == self._form:
            return
        self.drop()
        self._form = form
        self._uplink.close()
        self._uplink = self._services.pool.open_uplink(form, self._heard)

    def close(self) -> None:
        self._microphone.drop()
        self._uplink.close()

    def _open(self, mode: Mode, listen_id: str | None) -> None:
        reopened = self._microphone.state is State.CLOSED or mode is not self._microphone.mode
        if reopened and self._turns.phase is Phase.HEARING:
            self._turns.forget()
        self._listen_id = listen_id
        self._microphone.open(mode)

    def _deaf(self) -> bool:
        if self._microphone.state is State.CLOSED:
            return True
        return self._turns.phase is Phase.ANSWERING and self._microphone.mode is not Mode.REALTIME

    def _heard(self, heard: Heard) -> None:
        """The media pool's word on what was pushed."""
        if self._deaf():
            return
        self._microphone.hear(heard.pcm, heard.speech)
        if self._turns.phase is Phase.ANSWERING:
            self._watch(heard.speech)

    def _watch(self, speech: Sequence[float]) -> None:
        """The microphone is open while the server answers: hold the answer back, go on, or give it up."""
        guard = self._guard
        if guard is None or guard.turn_id != self._turns.turn_id:
            settings = self._services.settings(self._speaker().device_id)
            interruption = Interruption(settings.interruption)
            guard = self._guard = Guard(self._turns.turn_id, interruption)
        before = guard.interruption.suspicion
        guard.interruption.feed(speech)
        suspicion = guard.interruption.suspicion
        if suspicion is Suspicion.CERTAIN:
            self._interrupt()
        elif suspicion is not before:
            act = self._turns.pause if suspicion is Suspicion.HOLD else self._turns.resume
            act()

    def _begun(self, utterance: Utterance) -> None:
        if self._turns.phase is Phase.ANSWERING:
            self._candidate = utterance
        else:
            self._turns.hear(utterance, self._listen_id, self._speaker())

    def _ended(self, utterance: Utterance) -> None:
        if self._candidate is utterance:
            self._candidate = None  # a cough: the answer goes on
        else:
            self._turns.commit()

    def _interrupt(self) -> None:
        """The answer is over; what the listener says is the next utterance."""
        utterance, self._candidate = self._candidate, None
        if utterance is None:
            self._turns.abort()
        else:
            self._turns.hear(utterance, self._listen_id, self._speaker())
