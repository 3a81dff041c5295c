"""One client's conversation, whatever connection it comes over: who it is, what was said, what goes on.

Session ──▶ Listening ──▶ SpokenTurns ──▶ Outbox ──▶ the link
        └─▶ Chats ──────────────────────▶ Outbox
"""

from __future__ import annotations

import asyncio
import zoneinfo
from collections.abc import Awaitable, Callable
from dataclasses import replace

from lumi.engines.base import Speaker
from lumi.errors import Overloaded, ProtocolError
from lumi.protocol.dialect import Dialect
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import (
    Abort,
    AudioFrame,
    Chat,
    ClientHello,
    ErrorCode,
    Listen,
    Message,
    Played,
)
from lumi.server.chats import Chats
from lumi.server.listening import Listening
from lumi.server.log import Subject, logger
from lumi.server.outbox import Send
from lumi.server.response_generator import ResponseGenerator
from lumi.server.services import Services, SessionSettings
from lumi.server.spoken_turns import Notice, Phase, SpokenTurns
from lumi.voice.dialogue import Dialogue
from lumi.voice.language import language_of

log = logger(Subject.SESSION)


class Session:
    """Lives in the session manager's task group from `run` to `close`.

    `attach` gives it a way out; without one, what it sends is dropped. `on_present` is called once it may be spoken to:
    at once, or, for firmware, when it first listens.
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
        self._settings = services.settings
        self._speaker = speaker_of(session_id, device_id, hello, services.settings)
        self._send: Send | None = None
        self._on_present = on_present
        self._present = False
        self._responses = ResponseGenerator(session_id, services.wall_clock)
        self._downlink = services.pool.open_downlink(agreement.downlink)
        self._outbox = services.outbox(self._deliver, agreement.downlink)
        mouth = services.mouth(self._downlink, agreement.downlink)
        dialogue = Dialogue(self._settings.persona)
        self._turns = SpokenTurns(
            services, self._responses, dialogue, self._outbox, mouth, self._may_speak, self._turn_over
        )
        self._listening = Listening(services, self._turns, agreement.uplink, lambda: self._speaker)
        self._chats = Chats(
            device_id, services, self._responses, dialogue, self._outbox.post, self._speak_chat
        )
        self._closing = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def audio_busy(self) -> bool:
        """Whether something is spoken or heard, so that the audio format must stay."""
        return self._turns.phase is not Phase.IDLE or self._listening.busy

    @property
    def dropped_frames(self) -> int:
        """Packets that came while nobody listened."""
        return self._listening.dropped_frames

    def attach(self, send: Send) -> None:
        """From now on what is sent goes there. `send` enqueues and never waits."""
        self._send = send
        if self.agreement.dialect is Dialect.LUMI:
            self._came_in()

    def detach(self) -> None:
        """The way out is gone."""
        self._send = None

    def update(self, hello: ClientHello, agreement: Agreement) -> None:
        """A later hello on the same connection."""
        if agreement.uplink != self.agreement.uplink:
            self._listening.reformat(agreement.uplink)
        self.agreement = agreement
        if hello.device_info is not None:
            self._speaker = speaker_of(self.id, self.device_id, hello, self._settings)

    async def run(self) -> None:
        """Live until closed."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._turns.run_in(tasks)
                answering = tasks.create_task(self._chats.run(), name=f"chats {self.id}")
                await self._closing.wait()
                self._turns.close()
                answering.cancel()
        finally:
            self._listening.close()
            self._outbox.close()
            self._downlink.close()
            self._closed.set()

    async def close(self, reason: str = "") -> None:
        """End what goes on and let go of everything; returns when that is done. `run` must have been started."""
        log.debug("session closing", session=self.id, reason=reason)
        self._closing.set()
        await self._closed.wait()

    def chat(self, message: Chat) -> None:
        """A typed turn, answered in writing."""
        self._understand(message.content)
        try:
            self._chats.ask(message, self._speaker)
        except Overloaded as error:
            refusal = ProtocolError(ErrorCode.OVERLOADED, str(error), message_id=message.id)
            self._outbox.post(self._responses.error(refusal, retry_after_s=error.retry_after_s))

    async def listen(self, message: Listen) -> None:
        """The microphone opens or closes, or words come in its place."""
        self._came_in()
        if message.state == "start":
            self._listening.start(message)
        elif message.state == "stop":
            await self._listening.stop()
        elif message.text:
            self._understand(message.text)
            self._listening.drop()
            self._turns.answer(message.text, message.id, self._speaker)

    def abort(self, message: Abort) -> None:
        """End the answer, or forget what is being heard; nothing where neither is."""
        log.debug("abort", session=self.id, reason=message.reason)
        if self._turns.abort():
            self._turns.next_notice()
        else:
            self._listening.drop()
            self._turns.next_notice()

    def played(self, message: Played) -> None:
        if message.turn_id == self._turns.turn_id:
            self._outbox.played(message.ms, final=message.final)

    def audio(self, frame: AudioFrame) -> Awaitable[None] | None:
        """A packet of the user's sound. An empty one ends it: the result is to be awaited then."""
        if not frame.payload:
            return self._listening.end_of_audio()
        self._listening.audio(frame.payload)
        return None

    def push(self, text: str, *, kind: str, notice_id: str, due_at: float) -> bool:
        """Say something of our own: shown at once where the client has `notify`, spoken after what goes on.

        False when there is nobody to hear it, or too much waits; then it was not said.
        """
        if self._send is None or not self._present or self._closing.is_set():
            return False
        language = language_of(text, self._speaker.language)
        if not self._turns.announce(Notice(text, replace(self._speaker, language=language))):
            return False
        self._outbox.post(self._responses.notify(notice_id, kind, text, due_at))
        return True

    def _deliver(self, message: Message | AudioFrame) -> None:
        if self._send is not None:
            self._send(message)

    def _came_in(self) -> None:
        if not self._present:
            self._present = True
            self._on_present(self.device_id)

    def _may_speak(self) -> bool:
        return not self._listening.held

    def _turn_over(self) -> None:
        self._listening.turn_over()

    def _speak_chat(self, chat: Chat, text: str) -> None:
        self._turns.announce(Notice(text, self._speaker, chat.id))

    def _understand(self, text: str) -> None:
        """From now on speak the language the user writes."""
        language = language_of(text, self._speaker.language)
        if language != self._speaker.language:
            self._speaker = replace(self._speaker, language=language)


def speaker_of(session_id: str, device_id: str, hello: ClientHello, settings: SessionSettings) -> Speaker:
    """Who speaks: language, locale and time zone from the device's own words, else from the settings."""
    info = hello.device_info
    locale = (info.locale if info else None) or settings.locale
    locale = locale.replace("-", "_")
    timezone = (info.timezone if info else None) or settings.timezone
    if not _is_timezone(timezone):
        timezone = settings.timezone
    language = locale[:2] if info and info.locale and locale[:2] in {"zh", "en"} else settings.language
    return Speaker(
        device_id=device_id, session_id=session_id, language=language, locale=locale, timezone=timezone
    )


def _is_timezone(name: str) -> bool:
    """Asks for the one zone: a list of all is read from the disk each time, 3 ms before the hello is answered."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
