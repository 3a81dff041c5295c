"""The answerer that needs no model: what is asked is understood by templates, and answered by skills."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime

from lumi.engines.base import EmotionHint, Language, LlmEvent, Prompt, Speaker, TextDelta
from lumi.errors import EngineError
from lumi.skills.catalogue import Catalogue, load
from lumi.skills.chance import ChanceSkill
from lumi.skills.clock import ClockSkill, date_text, time_text
from lumi.skills.countdowns import CountdownSkill
from lumi.skills.help import HelpSkill
from lumi.skills.language import language_of
from lumi.skills.lists import CLEAR_QUESTION, ListsSkill
from lumi.skills.recognizer import Candidate, candidates
from lumi.skills.reminders import RemindersSkill
from lumi.skills.services import ServicesSkill
from lumi.skills.skill import Handler, Reply, Request, Skill
from lumi.skills.smalltalk import SmalltalkSkill
from lumi.skills.stories import StoriesSkill
from lumi.skills.sums import SumsSkill
from lumi.skills.timers import TimerService
from lumi.skills.units import UnitsSkill
from lumi.skills.wording import Wording
from lumi.store.base import ListStore

_WARM_UP: tuple[tuple[str, Language], ...] = (
    ("what time is it in Paris", "en"),
    ("how many yards are in a mile", "en"),
    ("巴黎现在几点", "zh"),
    ("一英里等于多少米", "zh"),
)
"""Questions that load every table."""
COMMANDS = frozenset(
    {
        "SetTimer",
        "ListTimers",
        "TimeLeft",
        "CancelTimer",
        "CancelAllTimers",
        "Snooze",
        "Stop",
        "SetAlarm",
        "WakeMe",
    }
)
"""What is done at once, also where a model answers."""
FREE_WORDS = frozenset({"label", "item", "name", "reminder", "list"})
"""Slots that take any words: `set a pasta timer and turn on the light` would fit one."""
_SENTENCE = re.compile(r".+?(?:[。！？]+[”’]?|[.!?]+[”\"’]?(?=\s)|$)\s*", re.DOTALL)


class SkillsLlm:
    """Answers what Lumi can do by itself, in Chinese and English; says so honestly where it did not understand.

    Keeps nothing between two calls: what was asked before is read from the dialogue, the rest is in the stores.

    Args:
        timers: sets, lists and cancels timers; whoever owns it runs it.
        lists: where lists and names are kept.
        clock: UNIX seconds.
        rng: decides coins, dice, and which joke is told.
    """

    name = "skills"

    def __init__(
        self, *, timers: TimerService, lists: ListStore, clock: Callable[[], float], rng: random.Random
    ) -> None:
        self._clock = clock
        self._catalogues: Mapping[Language, Catalogue] = {"en": load("en"), "zh": load("zh")}
        self._wordings = {
            language: Wording(catalogue.responses, rng) for language, catalogue in self._catalogues.items()
        }
        self._help = HelpSkill({language: found.topics for language, found in self._catalogues.items()})
        own_lists = ListsSkill(lists)
        skills: tuple[Skill, ...] = (
            ClockSkill(),
            SumsSkill(),
            UnitsSkill(),
            CountdownSkill(timers),
            RemindersSkill(timers),
            ChanceSkill(rng),
            own_lists,
            StoriesSkill(),
            SmalltalkSkill(lists, {CLEAR_QUESTION: own_lists.clear_confirmed}),
            ServicesSkill(),
            self._help,
        )
        self._handlers: dict[str, Handler] = {}
        for skill in skills:
            self._handlers |= skill.handlers

    @property
    def catalogues(self) -> Mapping[Language, Catalogue]:
        """What is understood, by language."""
        return self._catalogues

    @property
    def intents(self) -> frozenset[str]:
        """The names of all intents that are answered."""
        return frozenset(self._handlers)

    def warm_up(self) -> None:
        """Parse all templates now rather than with the first question; plain CPU work, fit for a thread."""
        for text, language in _WARM_UP:
            for _ in candidates(text, self._catalogues[language]):
                pass
            time_text(datetime.now(UTC), language, "")
            date_text(datetime.now(UTC), language, "")

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """An emotion first, then one delta for each sentence of the answer."""
        answer = await self.answer(prompt)
        yield EmotionHint(answer.emotion)
        for sentence in _SENTENCE.findall(answer.text):
            yield TextDelta(sentence)

    async def answer(self, prompt: Prompt) -> Reply:
        """The whole answer to the last message.

        Raises:
            EngineError: tools were called for it already, by a model that broke off: nothing is to be done twice.
        """
        if prompt.messages and prompt.messages[-1].role == "tool":
            raise EngineError(self.name, "cannot go on where another model broke off", retryable=False)
        text = prompt.messages[-1].content if prompt.messages else ""
        language = language_of(text, prompt.speaker.language)
        for candidate in candidates(text, self._catalogues[language]):
            reply = await self._handlers[candidate.intent](self._request(prompt, text, language, candidate))
            if reply is not None:
                return reply
        return self._help.not_understood(self._request(prompt, text, language, Candidate("", {})))

    async def command(self, prompt: Prompt) -> Reply | None:
        """The answer, if the last message is an exact command of ours (`stop`, `set a timer for five minutes`)."""
        text = prompt.messages[-1].content if prompt.messages else ""
        language = language_of(text, prompt.speaker.language)
        for candidate in candidates(text, self._catalogues[language]):
            if candidate.intent not in COMMANDS or FREE_WORDS & candidate.slots.keys():
                return None  # its best meaning is a question, or words of the user's own: the model may know better
            reply = await self._handlers[candidate.intent](self._request(prompt, text, language, candidate))
            if reply is not None:
                return reply
        return None

    async def perform(self, intent: str, slots: Mapping[str, object], speaker: Speaker) -> Reply | None:
        """Do what an intent stands for, with slots that are already read; None: they make no sense for it."""
        language: Language = "zh" if speaker.language.startswith("zh") else "en"
        request = self._request(Prompt((), speaker), "", language, Candidate(intent, slots))
        return await self._handlers[intent](request)

    def _request(self, prompt: Prompt, text: str, language: Language, candidate: Candidate) -> Request:
        return Request(
            text=text,
            language=language,
            speaker=prompt.speaker,
            intent=candidate.intent,
            slots=candidate.slots,
            now=self._clock(),
            wording=self._wordings[language],
            before=tuple(prompt.messages[:-1]),
        )

    async def aclose(self) -> None:
        """Nothing is held."""
