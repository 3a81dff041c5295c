"""Conversations of those who speak Wyoming: a text goes in, an answer comes out, with a memory for each conversation."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from lumi.engines.base import Speaker
from lumi.server.chats import Collected
from lumi.server.kit import SessionSettings
from lumi.server.services import Services
from lumi.voice.dialogue import Dialogue
from lumi.voice.events import Heard, TurnEvent
from lumi.voice.phrases import Phrase, phrase
from lumi.voice.turn import Typed

MAX_TALKS = 256
"""Conversations remembered; the one that was silent for longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One text. `talk` names the conversation, `device` who speaks; `language` may be empty."""

    text: str
    talk: str
    device: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it. `failed`: the text is an excuse."""

    text: str
    failed: bool = False


@dataclass(slots=True)
class Talk:
    """One conversation; its texts are answered one after the other. `services` has its tools and what waits for a yes."""

    services: Services
    dialogue: Dialogue = field(default_factory=Dialogue)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Talks:
    """The conversations there are. `new_id` names turns."""

    def __init__(self, services: Services, new_id: Callable[[], str]) -> None:
        self._services = services
        self._new_id = new_id
        self._talks: OrderedDict[str, Talk] = OrderedDict()

    def __len__(self) -> int:
        return len(self._talks)

    async def answer(self, asked: Asked) -> Answered:
        """The answer by the language model; cancelled, it leaves no trace in the conversation."""
        talk = self._talks.pop(asked.talk, None) or Talk(self._services.for_session(()))
        self._talks[asked.talk] = talk
        while len(self._talks) > MAX_TALKS:
            self._talks.popitem(last=False)
        async with talk.turn:
            return await self._take_turn(talk.services, talk.dialogue, asked)

    async def _take_turn(self, services: Services, dialogue: Dialogue, asked: Asked) -> Answered:
        turn_id = self._new_id()
        answer = Collected()

        async def emit(event: TurnEvent) -> None:
            answer.take(event)
            if isinstance(event, Heard):
                dialogue.heard_user(turn_id, event.transcript.text)

        done = False
        try:
            with services.lease(asked.device) as kit:
                speaker = speaker_of(asked, turn_id, kit.settings)
                turn = kit.turn(turn_id, mouth=None, emit=emit, messages=dialogue.messages, speaker=speaker)
                await turn.run(Typed(asked.text))
            done = answer.failed is None
        finally:
            if not done:
                dialogue.forget(turn_id)
        if not done:
            return Answered(phrase(Phrase.LLM_FAILED, speaker.language), failed=True)
        dialogue.answered(turn_id, answer.text)
        return Answered(answer.text)


def speaker_of(asked: Asked, turn_id: str, settings: SessionSettings) -> Speaker:
    """Who speaks, as the engines are told."""
    said = asked.language.lower()[:2]
    return Speaker(
        device_id=asked.device,
        session_id=asked.talk,
        turn_id=turn_id,
        language=said if said in {"zh", "en"} else settings.language,
        locale=settings.locale,
        timezone=settings.timezone,
    )
