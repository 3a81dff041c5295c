"""The written side of a session: chats and voice notes are answered one after the other, in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from lumi.engines.base import Speaker, Transcript
from lumi.errors import LumiError, Overloaded, ProtocolError
from lumi.protocol.messages import Chat, Message
from lumi.server.log import Subject, logger
from lumi.server.notes import Note, NoteAnswer
from lumi.server.response_generator import ResponseGenerator
from lumi.server.services import Services
from lumi.voice.dialogue import Dialogue
from lumi.voice.events import Emotion, Heard, ReplyDelta, ReplyDone, Stage, StageFailed, ToolUsed, TurnEvent
from lumi.voice.turn import Typed

RETRY_AFTER_S = 2.0

Question = Chat | Note

NOTE = "note"
"""Stands for a note's sound where its words would stand: the same recording need not sound the same to the last bit."""

log = logger(Subject.SESSION)


def asked(question: Question) -> str:
    """What stands for a question where the same is recognised."""
    return question.content if isinstance(question, Chat) else NOTE


class ChatFailed(LumiError):
    """A chat could not be answered."""

    def __init__(self, event: StageFailed) -> None:
        super().__init__(event.message)
        self.event = event


class Chats:
    """A bounded queue and one worker. What does not fit is refused aloud, never dropped."""

    def __init__(
        self,
        owner: str,
        services: Services,
        responses: ResponseGenerator,
        dialogue: Dialogue,
        post: Callable[[Message], Awaitable[None]],
        speak: Callable[[Chat, str], None],
        settled: Callable[[str], None],
    ) -> None:
        self._owner = owner
        self._services = services
        self._responses = responses
        self._dialogue = dialogue
        self._post = post
        self._speak = speak
        self._settled = settled
        self._most = services.settings(owner).waiting_chats
        # A list, and a future only while asleep: a queue costs 3 KB, and most sessions never chat.
        self._waiting: list[tuple[Question, Speaker, bool]] = []
        self._asleep: asyncio.Future[None] | None = None
        self._open: set[tuple[str, str]] = set()
        """Taken in and not answered yet: id and words."""

    def ask(self, question: Question, speaker: Speaker, *, felt: bool = False) -> None:
        """Take a chat or a note in. One that waits already is answered once: a client whose line breaks again and
        again sends all that is unanswered each time, and would fill the queue with it.

        Args:
            question: what is asked.
            speaker: who asks.
            felt: its client wants to know how the answer is meant.

        Raises:
            Overloaded: as many as may wait are waiting.
        """
        if (question.id, asked(question)) in self._open:
            return
        if len(self._waiting) >= self._most:
            message = f"{self._most} chats of this session are waiting; send the next when one is answered"
            raise Overloaded(message, retry_after_s=RETRY_AFTER_S)
        self._waiting.append((question, speaker, felt))
        self._open.add((question.id, asked(question)))
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            while self._waiting:
                question, speaker, felt = self._waiting.pop(0)
                await self._guarded(question, speaker, felt=felt)
                self._open.discard((question.id, asked(question)))
            self._asleep = asyncio.get_running_loop().create_future()
            await self._asleep

    async def _guarded(self, question: Question, speaker: Speaker, *, felt: bool) -> None:
        """One of the loops that guard a turn: whatever happens, the question gets an answer or an error."""
        try:
            answer = await self._services.answers.answer(
                self._owner, question.id, asked(question), lambda: self._make(question, speaker, felt=felt)
            )
        except ChatFailed as failed:
            event = failed.event
            log.warning(
                "chat not answered",
                id=question.id,
                stage=str(event.stage),
                engine=event.engine,
                error=event.message,
            )
            await self._post(self._responses.failure(failed.event, question.id))
        except ProtocolError as error:
            await self._post(self._responses.error(error))
        except Exception:
            log.exception("chat failed", id=question.id)
            event = StageFailed(
                question.id, Stage.TURN, "lumi", "the server made a mistake; its log says more"
            )
            await self._post(self._responses.failure(event, question.id))
        else:
            await self._tell(question, answer)

    async def _tell(self, question: Question, answer: str) -> None:
        if isinstance(question, Note):
            note = msgspec.json.decode(answer, type=NoteAnswer)
            await self._post(self._responses.note_heard(question.id, note.text, note.confidence))
            await self._post(self._responses.instead_of_speech(question.id, note.reply))
            return
        await self._post(self._responses.response(question, answer))
        if question.speak is True:
            self._speak(question, answer)

    async def _make(self, question: Question, speaker: Speaker, *, felt: bool) -> str:
        """Have the answer made by a turn without a voice."""
        answer = Collected()

        async def emit(event: TurnEvent) -> None:
            answer.take(event)
            if isinstance(event, ReplyDelta) and isinstance(question, Chat):
                await self._post(self._responses.delta(question, event.text))
            elif isinstance(event, Emotion) and felt and isinstance(question, Chat):
                await self._post(self._responses.emotion(event))
            elif isinstance(event, Heard) and event.transcript.is_final and event.transcript.text:
                self._dialogue.heard_user(question.id, event.transcript.text)

        with self._services.lease(self._owner) as kit:
            turn = kit.turn(
                question.id, mouth=None, emit=emit, messages=self._dialogue.messages, speaker=speaker
            )
            await turn.run(Typed(question.content) if isinstance(question, Chat) else question.utterance)
        if answer.tools:
            log.info("chat answered", turn=question.id, tools=answer.tools)
        if answer.failed is not None:
            self._dialogue.forget(question.id)
            raise ChatFailed(answer.failed)
        self._dialogue.answered(question.id, answer.text)
        self._settled(question.id)
        if isinstance(question, Chat):
            return answer.text
        heard = answer.heard
        return msgspec.json.encode(NoteAnswer(heard.text, heard.confidence, answer.text)).decode()


class Collected:
    """What a written turn came to."""

    def __init__(self) -> None:
        self.text = ""
        self.heard = Transcript("", 0.0)
        self.failed: StageFailed | None = None
        self.tools: list[str] = []

    def take(self, event: TurnEvent) -> None:
        if isinstance(event, ReplyDone):
            self.text = event.text
        elif isinstance(event, Heard):
            self.heard = event.transcript
        elif isinstance(event, StageFailed):
            self.failed = event
        elif isinstance(event, ToolUsed):
            self.tools.append(f"{event.name}: {event.outcome}")
