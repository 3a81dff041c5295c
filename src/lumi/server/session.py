"""One client's conversation, whatever connection it comes over: who it is, what was said, what goes on.

Session ──▶ Listening ──▶ SpokenTurns ──▶ Outbox ──▶ the link
        └─▶ Chats ──────────────────────▶ Outbox
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lumi.errors import Overloaded, ProtocolError
from lumi.protocol.handshake import Agreement, audio_format
from lumi.protocol.mcp import VisionAccess
from lumi.protocol.messages import (
    Abort,
    Ack,
    Alert,
    AudioFrame,
    Chat,
    ClientHello,
    ClientIot,
    ErrorCode,
    Listen,
    Mcp,
    Played,
    System,
)
from lumi.server.chats import Chats, Question
from lumi.server.device_tools import DeviceTools
from lumi.server.lifetime import Lifetime
from lumi.server.listening import Listening
from lumi.server.log import Subject, logger
from lumi.server.notes import NoteRecording
from lumi.server.notices import Notice
from lumi.server.outbox import Send
from lumi.server.presence import Presence
from lumi.server.response_generator import ResponseGenerator
from lumi.server.services import Services, SessionVoice
from lumi.server.speaker import speaker_of
from lumi.server.spoken_turns import Phase, SpokenTurns
from lumi.store.base import SessionRecord
from lumi.voice.dialogue import Dialogue
from lumi.voice.language import language_of
from lumi.voice.phrases import Phrase, phrase

log = logger(Subject.SESSION)


class Session:
    """Lives in the session manager's task group from `run` to `close`; its connections come and go.

    `attach` gives it a way out; without one, what it sends is dropped, but for what its client asked to be kept.
    `on_present` is called whenever it may be spoken to: at once, or, for firmware, when it first listens.
    """

    def __init__(
        self,
        session_id: str,
        device_id: str,
        agreement: Agreement,
        hello: ClientHello,
        services: Services,
        on_present: Callable[[str], None] = lambda _device_id: None,
    ) -> None:
        self.id = session_id
        self.device_id = device_id
        self.agreement = agreement
        self._presence = Presence(lambda: on_present(device_id))
        self.device_tools = DeviceTools(session_id, self._presence.send, self._vision)
        """What the device can do, for as long as this session knows it."""
        self._services = services = services.for_session((self.device_tools,))
        self._speaker = speaker_of(session_id, device_id, hello, services.generations.kit(device_id))
        self._responses = ResponseGenerator(session_id, services.wall_clock)
        self._dialogue = Dialogue()
        self._kept_dialogue = services.kept_dialogue(session_id, self._dialogue)
        self._cards = services.card_table(session_id, device_id, self._presence.send)
        self._events = services.event_log(
            session_id, device_id, self._presence.send, kept=agreement.features.resume
        )
        self._turns = SpokenTurns(
            device_id, services, self._responses, self._dialogue, self._events.post, self
        )
        self._voice = self._open_voice()
        self._listening = Listening(services, self._turns, agreement.uplink, lambda: self._speaker)
        self._chats = Chats(
            device_id,
            services,
            self._responses,
            self._dialogue,
            self._events.post,
            self._speak_chat,
            self.settled,
        )
        self._note: NoteRecording | None = None
        self._life = Lifetime()
        self.device_tools.grant(asked=agreement.features.mcp)

    def _vision(self) -> VisionAccess | None:
        return self._services.vision(self.device_id, self.agreement.base_url)

    def _open_voice(self) -> SessionVoice:
        """A way out for speech in the agreed format."""
        voice = self._services.voice(self._presence.send, lambda: self.agreement, self.device_id)
        self._turns.speak_through(voice.outbox, voice.mouth)
        return voice

    @property
    def audio_busy(self) -> bool:
        """Whether something is spoken or heard, so that the audio format must stay."""
        return self._turns.phase is not Phase.IDLE or self._listening.busy

    @property
    def dropped_frames(self) -> int:
        """Packets that came while nobody listened."""
        return self._listening.dropped_frames

    @property
    def kept(self) -> bool:
        """Whether the client asked to find this session again after its connection broke."""
        return self._events.kept

    def can_resume(self, received: int) -> bool:
        """Whether a client that has all events up to `received` misses nothing by coming back to this session."""
        return self._events.can_resume(received)

    def attach(self, send: Send) -> None:
        """From now on what is sent goes there. `send` enqueues and never waits."""
        self._presence.attach(send)
        if not self.agreement.client.waits_for_listen:
            self._presence.come_in()
        self.device_tools.attach()
        self._cards.forget()
        self._show_cards()
        self._turns.next_notice()

    def replay(self, received: int) -> None:
        """Say again what the client has not seen."""
        self._events.replay(received)

    def detach(self) -> None:
        """The way out is gone. What is owed is made to the end and waits, where the client asked for that."""
        self._presence.detach()
        self.device_tools.detach()
        self._drop_note()
        self._listening.drop()
        self._turns.detach()

    def update(self, hello: ClientHello, agreement: Agreement) -> None:
        """A later hello, on the same connection or on a new one."""
        before, self.agreement = self.agreement, agreement
        self.device_tools.grant(asked=agreement.features.mcp)
        if agreement.uplink != before.uplink:  # else what is heard may have a format of its own
            self._listening.reformat(agreement.uplink)
        if agreement.downlink != before.downlink:
            self._voice.close()
            self._voice = self._open_voice()
        if hello.device_info is not None:
            kit = self._services.generations.kit(self.device_id)
            self._speaker = speaker_of(self.id, self.device_id, hello, kit)

    async def touch(self) -> None:
        """The client is here: note it where a server started anew will look."""
        await self._events.record()

    async def restore(self, record: SessionRecord) -> None:
        """Take up what was stored of this session, before anything else."""
        await self._events.restore(record)
        await self._kept_dialogue.restore()

    async def acknowledge(self, message: Ack) -> None:
        """The client has all events up to a number."""
        await self._events.acknowledge(message.seq)

    async def forget(self) -> None:
        """The client will not come back."""
        await self._events.forget()

    async def run(self) -> None:
        """Live until closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._turns.run_in(tasks)
                tasks.create_task(self._events.record(), name=f"record {self.id}")
                answering = tasks.create_task(self._chats.run(), name=f"chats {self.id}")
                await self._life.run(tasks)
                self._turns.close()
                answering.cancel()
        finally:
            self._drop_note()
            self.device_tools.detach()
            self._listening.close()
            self._voice.close()
            self._life.over()

    async def close(self, reason: str = "") -> None:
        """End what goes on and let go of everything; returns when that is done. `run` must have been started."""
        log.debug("session closing", session=self.id, reason=reason, unheard_frames=self.dropped_frames)
        self._cards.close()
        await self._life.end()

    def chat(self, message: Chat) -> None:
        """A typed turn, answered in writing."""
        self._understand(message.content)
        self._ask(message)

    async def listen(self, message: Listen) -> None:
        """The microphone opens or closes, or words come in its place."""
        self._presence.come_in()
        self._presence.listens = True
        if message.state == "start":
            self._start(message)
        elif message.state == "stop":
            await self._stop()
        elif message.text:
            self._understand(message.text)
            self._listening.drop()
            self._turns.answer(message.text, message.id, self._speaker)

    def abort(self, message: Abort) -> None:
        """End the answer, or forget what is being heard; nothing where neither is."""
        log.debug("abort", session=self.id, reason=message.reason)
        if not self._turns.abort():
            self._drop_note()
            self._listening.drop()
        self._turns.next_notice()

    def played(self, message: Played) -> None:
        if message.turn_id == self._turns.turn_id:
            self._voice.outbox.played(message.ms, final=message.final)

    def mcp(self, message: Mcp) -> None:
        """The device answers what was asked of its tools."""
        self.device_tools.mcp(message.payload)

    def iot(self, message: ClientIot) -> None:
        """An older board says what it can do, and how it stands."""
        self.device_tools.iot(message)

    def audio(self, frame: AudioFrame) -> Awaitable[None] | None:
        """A packet of the user's sound. An empty one ends it: the result is to be awaited then."""
        if not frame.payload:
            return self._listening.end_of_audio()
        if self._note is not None:
            return self._note.push(frame.payload)
        self._listening.audio(frame.payload)
        return None

    def _start(self, message: Listen) -> None:
        """Listen, or take a note in."""
        self._drop_note()
        params = message.audio_params
        form = self.agreement.uplink if params is None else audio_format(params, message.id)
        if not (message.note and message.id):
            self._listening.reformat(form)
            self._listening.start(message)
            return
        longest_ms = self._services.settings(self.device_id).endpoint.max_utterance_ms
        self._listening.drop()
        self._note = NoteRecording(message.id, self._services.pool, form, longest_ms)

    async def _stop(self) -> None:
        note, self._note = self._note, None
        if note is None:
            await self._listening.stop()
        else:
            self._ask(await note.finish())

    def _drop_note(self) -> None:
        note, self._note = self._note, None
        if note is not None:
            note.close()

    def _ask(self, question: Question) -> None:
        try:
            self._chats.ask(question, self._speaker, felt=self.agreement.features.emotion)
        except Overloaded as error:
            refusal = ProtocolError(ErrorCode.OVERLOADED, str(error), message_id=question.id)
            self._presence.send(self._responses.error(refusal, retry_after_s=error.retry_after_s))

    async def push(self, text: str, *, kind: str, notice_id: str, due_at: float, code: str = "") -> bool:
        """Say something of our own: shown at once where the client has `notify`, spoken after what goes on.

        False when there is nobody to hear it, or too much waits; then it was not said. True: it will be, or its id is given
        to `services.unsaid` when this session ends before.
        """
        if not self._presence.here or self._life.ending or not self._turns.room_for_notice:
            return False
        speaker = replace(self._speaker, language=language_of(text, self._speaker.language))
        await self._events.post(self._responses.notify(notice_id, kind, text, due_at, code))
        self._turns.announce(Notice(text, speaker, id=notice_id, written=self.kept))
        self._show_cards()
        return True

    def farewell(self) -> bool:
        """Say goodbye aloud, before its line is closed for silence. False: nobody would hear it."""
        wanted = self._presence.here and self._presence.listens and self.agreement.client.farewell
        if wanted:
            words = phrase(Phrase.GOODBYE, self._speaker.language)
            self._turns.announce(Notice(words, self._speaker))
        return wanted

    def instruct(self, message: Alert | System) -> None:
        """Show something on a board, or have it start anew; other clients do not get such messages."""
        self._presence.send(message)

    @property
    def speaking(self) -> bool:
        """Whether an answer is on its way or being spoken."""
        return self._turns.phase is Phase.ANSWERING

    def may_speak(self) -> bool:
        """Whether a notice may be spoken now."""
        return self._presence.here and not self._listening.held

    def turn_over(self) -> None:
        """The server has fallen silent."""
        self._listening.turn_over()

    def settled(self, turn_id: str) -> None:
        """A turn's words stand as they will stay: they belong into the store."""
        if self._events.kept:
            self._life.beside(self._kept_dialogue.keep(turn_id))
        self._show_cards()

    def _show_cards(self) -> None:
        if self.agreement.features.cards:
            self._life.beside(self._cards.show())

    def _speak_chat(self, chat: Chat, text: str) -> None:
        if self._turns.room_for_notice:
            self._turns.announce(Notice(text, self._speaker, chat.id))
        else:  # it was answered in writing all the same
            log.warning("not spoken: too much waits", session=self.id, chat=chat.id)

    def _understand(self, text: str) -> None:
        """From now on speak the language the user writes."""
        self._speaker = replace(self._speaker, language=language_of(text, self._speaker.language))
