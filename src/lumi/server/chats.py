"""The typed side of a session: chats are answered one after the other, in the order they came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from lumi.engines.base import ChatMessage, Speaker
from lumi.errors import LumiError, Overloaded, ProtocolError
from lumi.protocol.messages import Chat, Message
from lumi.server.log import Subject, logger
from lumi.server.response_generator import ResponseGenerator
from lumi.server.services import Services
from lumi.voice.dialogue import Dialogue
from lumi.voice.events import ReplyDelta, ReplyDone, Stage, StageFailed, TurnEvent
from lumi.voice.turn import Turn, Typed

RETRY_AFTER_S = 2.0

log = logger(Subject.SESSION)


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
        self._waiting: asyncio.Queue[tuple[Chat, Speaker]] = asyncio.Queue(services.settings.waiting_chats)

    def ask(self, chat: Chat, speaker: Speaker) -> None:
        """Take a chat in.

        Raises:
            Overloaded: as many as may wait are waiting.
        """
        try:
            self._waiting.put_nowait((chat, speaker))
        except asyncio.QueueFull:
            message = f"{self._waiting.maxsize} chats of this session are waiting; send the next when one is answered"
            raise Overloaded(message, retry_after_s=RETRY_AFTER_S) from None

    async def run(self) -> None:
        """Answer for ever."""
        while True:
            chat, speaker = await self._waiting.get()
            await self._guarded(chat, speaker)

    async def _guarded(self, chat: Chat, speaker: Speaker) -> None:
        """One of the loops that guard a turn: whatever happens, the chat gets a response or an error."""
        try:
            text = await self._services.answers.answer(
                self._owner, chat.id, chat.content, lambda: self._make(chat, speaker)
            )
        except ChatFailed as failed:
            await self._post(self._responses.failure(failed.event, chat.id))
        except ProtocolError as error:
            await self._post(self._responses.error(error))
        except Exception:
            log.exception("chat failed", id=chat.id)
            event = StageFailed(chat.id, Stage.TURN, "lumi", "the server made a mistake; its log says more")
            await self._post(self._responses.failure(event, chat.id))
        else:
            await self._post(self._responses.response(chat, text))
            if chat.speak is True:
                self._speak(chat, text)

    async def _make(self, chat: Chat, speaker: Speaker) -> str:
        """Have the answer made by a turn without a voice."""
        answer = Collected()

        async def emit(event: TurnEvent) -> None:
            if isinstance(event, ReplyDelta):
                await self._post(self._responses.delta(chat, event.text))
            answer.take(event)

        def history() -> Sequence[ChatMessage]:
            return self._dialogue.messages()

        self._dialogue.heard_user(chat.id, chat.content)
        services = self._services
        turn = Turn(
            chat.id,
            stt=services.stt,
            llm=services.llm,
            mouth=None,
            emit=emit,
            history=history,
            speaker=speaker,
            settings=services.settings.turn,
        )
        await turn.run(Typed(chat.content))
        if answer.failed is not None:
            self._dialogue.forget(chat.id)
            raise ChatFailed(answer.failed)
        self._dialogue.answered(chat.id, answer.text)
        self._settled(chat.id)
        return answer.text


class Collected:
    """What a written turn came to."""

    def __init__(self) -> None:
        self.text = ""
        self.failed: StageFailed | None = None

    def take(self, event: TurnEvent) -> None:
        if isinstance(event, ReplyDone):
            self.text = event.text
        elif isinstance(event, StageFailed):
            self.failed = event
