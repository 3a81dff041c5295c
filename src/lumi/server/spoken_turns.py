"""The spoken turns of one session, one at a time, and what waits to be said after them.

    idle ──▶ hearing ──▶ answering ──▶ idle        a voice turn: nothing is owed to the client while it is only heard
    idle ───────────────▶ answering ──▶ idle       typed words, a notice

A turn is its id: whatever a turn that is no longer the present one still has to say is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from uuid import uuid4

from lumi.engines.base import Speaker
from lumi.protocol.messages import Message
from lumi.server.kit import Kit
from lumi.server.log import Subject, logger
from lumi.server.notices import Notice, Notices
from lumi.server.outbox import Outbox
from lumi.server.response_generator import ResponseGenerator
from lumi.server.services import Services
from lumi.server.turn_log import write_down
from lumi.voice.dialogue import Dialogue
from lumi.voice.events import (
    Ending,
    Heard,
    ReplyDone,
    SentenceAudio,
    SentenceEnded,
    SentenceRestarted,
    SentenceStarted,
    SpeakingStarted,
    SpeechEvent,
    Stage,
    StageFailed,
    ToolUsed,
    TurnEnded,
    TurnEvent,
)
from lumi.voice.mouth import Mouth
from lumi.voice.turn import Announcement, Source, Turn, Typed
from lumi.voice.utterance import Utterance

LONGEST_PAUSE_S = 2.0
"""A client that stops sending sound in the middle of a cough does not silence the answer for good."""

log = logger(Subject.VOICE)


class Phase(StrEnum):
    IDLE = "idle"
    HEARING = "hearing"
    ANSWERING = "answering"


@dataclass(slots=True)
class Present:
    """The turn that is going on."""

    id: str
    phase: Phase
    listen_id: str | None
    turn: Turn | None = None
    task: asyncio.Task[None] | None = None
    started: bool = False
    """`tts start` has gone out."""
    unheard: bool = False
    """The client has gone: its answer will wait for it in writing."""
    reply: str | None = None
    """The whole answer, once it is made."""
    tools: list[str] = field(default_factory=list)
    """Those that were called for it, and how that went."""
    notice: Notice | None = None
    """What it says, if that was not asked for."""


class Watcher(Protocol):
    """Whoever owns the turns."""

    def may_speak(self) -> bool:
        """Whether a notice may be spoken now: nobody holds a button down, and somebody is there."""
        ...

    def turn_over(self) -> None:
        """No turn goes on, and no notice waits that may be spoken."""
        ...

    def settled(self, turn_id: str) -> None:
        """A turn's words stand in the dialogue as they will stay."""
        ...


class SpokenTurns:
    """Starts, ends and aborts turns; sends what they say through the outbox.

    `post` sends what belongs to a turn beside its speech. Before the first turn, `speak_through` says where speech goes.
    """

    def __init__(
        self,
        device_id: str,
        services: Services,
        responses: ResponseGenerator,
        dialogue: Dialogue,
        post: Callable[[Message], Awaitable[None]],
        watcher: Watcher,
    ) -> None:
        self._device_id = device_id
        self._services = services
        self._responses = responses
        self._dialogue = dialogue
        self._post = post
        self._watcher = watcher
        self._tasks: asyncio.TaskGroup | None = None
        self._present: Present | None = None
        self._notices = Notices(services.unsaid)  # bounded by `room_for_notice`: what does not fit is refused

    def speak_through(self, outbox: Outbox, mouth: Callable[[Kit], Mouth]) -> None:
        """Where speech goes from the next turn on, and how a turn's mouth is made."""
        self._outbox = outbox
        self._mouth = mouth

    def run_in(self, tasks: asyncio.TaskGroup) -> None:
        """Where the turns' tasks live."""
        self._tasks = tasks

    @property
    def phase(self) -> Phase:
        return Phase.IDLE if self._present is None else self._present.phase

    @property
    def turn_id(self) -> str | None:
        return None if self._present is None else self._present.id

    def hear(self, utterance: Utterance, listen_id: str | None, speaker: Speaker) -> None:
        """Begin a voice turn while the user still speaks; ends a turn before it."""
        self.abort()
        self._begin(utterance, Phase.HEARING, listen_id, speaker)

    def commit(self) -> None:
        """The user has finished: from now on the turn owes an answer."""
        if self._present is not None and self._present.phase is Phase.HEARING:
            self._present.phase = Phase.ANSWERING

    def forget(self) -> None:
        """Drop what is only being heard; nothing is sent."""
        if self._present is not None and self._present.phase is Phase.HEARING:
            self._drop(self._present)
            self._next()

    def answer(self, text: str, listen_id: str | None, speaker: Speaker) -> None:
        """Answer typed words aloud; ends a turn before it."""
        self.abort()
        self._begin(Typed(text), Phase.ANSWERING, listen_id, speaker)

    @property
    def room_for_notice(self) -> bool:
        """Whether one more may wait."""
        return len(self._notices) < self._services.settings(self._device_id).waiting_notices

    def announce(self, notice: Notice) -> None:
        """Say something of our own, after what is going on. Whoever can refuse asks for room first."""
        self._notices.add(notice)
        if self._present is None:
            self._next()

    def abort(self) -> bool:
        """End the present turn: no further packet, its one `tts stop` now, and only what was heard stays in the dialogue.

        Whether there was a turn that owed an answer.
        """
        present = self._present
        if present is None:
            return False
        owed = present.phase is Phase.ANSWERING
        if owed and present.started and not present.unheard:
            if present.turn is not None:
                present.turn.interrupted(self._outbox.heard_ms)
            self._dialogue.answered(present.id, self._outbox.heard_text())
        self._drop(present)
        if owed:
            self._watcher.settled(present.id)
            self._outbox.post(self._responses.tts_stop(present.id))
            log.info("turn aborted", turn=present.id)
        return owed

    def pause(self) -> None:
        """Hold the answer back: somebody may be speaking. It goes on by itself if nobody says what it was."""
        self._outbox.pause()
        asyncio.get_running_loop().call_later(LONGEST_PAUSE_S, self._resume_if, self.turn_id)

    def resume(self) -> None:
        """It was nothing: the answer goes on."""
        self._outbox.resume()

    def _resume_if(self, turn_id: str | None) -> None:
        if self.turn_id == turn_id:
            self._outbox.resume()

    def close(self) -> None:
        """End what goes on; no turn begins any more."""
        self._tasks = None
        if self._present is not None:
            self._notices.give_back(self._present.notice, self._outbox.heard_text())
            self._drop(self._present)
        self._notices.clear()

    def detach(self) -> None:
        """The client has gone: what it was saying is lost; what it is owed is made to the end and waits in writing."""
        present = self._present
        if present is None or present.turn is None:
            return
        if present.notice is not None and present.notice.is_said_by(self._outbox.heard_text()):
            present.notice = None
        self._outbox.cut()
        if present.phase is Phase.HEARING:
            self._drop(present)
        else:
            present.unheard = True
            present.turn.mute()

    def next_notice(self) -> None:
        """Nothing else is going on: say what waits."""
        if self._present is None:
            self._next()

    def _drop(self, present: Present) -> None:
        self._present = None
        self._outbox.cut()
        if present.task is not None and present.task is not asyncio.current_task():
            present.task.cancel()

    def _begin(
        self, source: Source, phase: Phase, listen_id: str | None, speaker: Speaker, turn_id: str = ""
    ) -> None:
        if self._tasks is None:  # closed, or not yet running
            return
        present = Present(turn_id or uuid4().hex, phase, listen_id)
        lease = self._services.lease(self._device_id)
        turn = lease.kit.turn(
            present.id,
            mouth=self._mouth(lease.kit),
            emit=lambda event: self._emit(present, event),
            messages=self._dialogue.messages,
            speaker=speaker,
        )
        self._present = present
        present.turn = turn
        present.task = self._tasks.create_task(
            self._guarded(present, turn, source), name=f"turn {present.id}"
        )
        present.task.add_done_callback(lambda _: lease.release())

    async def _guarded(self, present: Present, turn: Turn, source: Source) -> None:
        """One of the loops that guard a turn: whatever happens, it ends with its one `tts stop`."""
        try:
            await turn.run(source)
        except Exception:
            log.exception("turn failed", turn=present.id)
            await self._emit(
                present, StageFailed(present.id, Stage.TURN, "lumi", "the server made a mistake")
            )
            await self._emit(present, TurnEnded(present.id, Ending.FAILED, {}))
        if self._present is present and not present.unheard:
            await self._outbox.played_out()
        if self._present is present:
            await self._close(present)
            self._present = None
            self._watcher.settled(present.id)
            self._next()

    async def _close(self, present: Present) -> None:
        """The turn's last word: its one `tts stop`, or, for a client that has gone, its text."""
        if present.unheard:
            if present.notice is not None and not present.notice.written:
                self._notices.give_back(present.notice)
            elif present.reply is not None:
                await self._post(self._responses.instead_of_speech(present.listen_id, present.reply))
            return
        if not present.started:
            self._outbox.begin(self._responses.tts_start(present.id))
        self._outbox.post(self._responses.tts_stop(present.id))

    def _next(self) -> None:
        """Say the next notice, or tell the session that there is silence."""
        if self._notices and self._watcher.may_speak():
            notice = self._notices.take()
            self._begin(Announcement(notice.text), Phase.ANSWERING, None, notice.speaker, notice.turn_id)
            if self._present is not None:
                self._present.notice = notice
        else:
            self._watcher.turn_over()

    async def _emit(self, present: Present, event: TurnEvent) -> None:
        """Take a turn's event, unless the turn is not the present one any more."""
        if self._present is not present:
            return
        if not isinstance(event, SpeechEvent):
            self._note(present, event)
            for message in self._responses.beside(event, present.listen_id):
                await self._post(message)
        elif not present.unheard:
            await self._speech(present, event)

    async def _speech(self, present: Present, event: SpeechEvent) -> None:
        """What belongs to speech goes out in its order and at its pace."""
        match event:
            case SpeakingStarted():
                present.started = True
                self._outbox.begin(self._responses.tts_start(present.id))
            case SentenceStarted(text=text):
                await self._outbox.sentence(text, self._responses.sentence_start(event))
            case SentenceAudio(packets=packets):
                await self._outbox.packets(packets)
            case SentenceRestarted():
                self._outbox.again()
            case SentenceEnded():
                self._outbox.follow(self._responses.sentence_end(event))

    def _note(self, present: Present, event: TurnEvent) -> None:
        """Keep the dialogue and the log."""
        match event:
            case Heard(transcript=heard) if heard.is_final and heard.text:
                self._dialogue.heard_user(event.turn_id, heard.text)
            case ReplyDone(text=text):
                present.reply = text
                self._dialogue.answered(event.turn_id, text)
            case ToolUsed():
                present.tools.append(f"{event.name}: {event.outcome}")
            case _:
                write_down(event, present.tools)
