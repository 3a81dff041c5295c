"""Greetings, thanks, names, yes and no, `say that again`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from lumi.skills.skill import Handler, Reply, Request
from lumi.store.base import ListStore

NAME_LIST = "profile.name"
"""The list that keeps what a person wants to be called; no list of a person's own has a dot in its name."""

Confirmation = Callable[[Request, Mapping[str, str]], Awaitable[Reply]]
"""What `yes` does after a question was asked with these values."""

_PLAIN: Mapping[str, tuple[str, str]] = {
    "Greet": ("smalltalk.greet", "happy"),
    "GoodMorning": ("smalltalk.good_morning", "happy"),
    "GoodEvening": ("smalltalk.good_evening", "happy"),
    "GoodNight": ("smalltalk.good_night", "sleepy"),
    "Goodbye": ("smalltalk.goodbye", "happy"),
    "Thanks": ("smalltalk.thanks", "happy"),
    "HowAreYou": ("smalltalk.how_are_you", "happy"),
    "WhoAreYou": ("smalltalk.who_are_you", "confident"),
    "WhoMadeYou": ("smalltalk.who_made_you", "confident"),
    "HowOldAreYou": ("smalltalk.how_old", "winking"),
    "AreYouHuman": ("smalltalk.human", "winking"),
    "Praise": ("smalltalk.praise", "embarrassed"),
    "Love": ("smalltalk.love", "loving"),
    "Sorry": ("smalltalk.sorry", "relaxed"),
    "Complain": ("smalltalk.complain", "sad"),
    "CanYouHear": ("smalltalk.can_hear", "happy"),
    "Bored": ("smalltalk.bored", "thinking"),
    "NeverMind": ("smalltalk.never_mind", "relaxed"),
}


class SmalltalkSkill:
    """`confirmations`: by the response key of the question, what happens when it is answered with yes."""

    def __init__(self, lists: ListStore, confirmations: Mapping[str, Confirmation]) -> None:
        self._lists = lists
        self._confirmations = confirmations

    @property
    def handlers(self) -> Mapping[str, Handler]:
        said: dict[str, Handler] = {
            intent: partial(_say, key=key, emotion=emotion) for intent, (key, emotion) in _PLAIN.items()
        }
        return said | {
            "MyNameIs": self._my_name,
            "WhatIsMyName": self._name,
            "Repeat": self._repeat,
            "Yes": self._yes,
            "No": self._no,
        }

    async def _my_name(self, request: Request) -> Reply | None:
        name = request.slot("name", str)
        if name is None:
            return None
        await self._lists.clear(request.owner, NAME_LIST)
        await self._lists.add(request.owner, NAME_LIST, name)
        return request.say("smalltalk.my_name", "happy", name=name)

    async def _name(self, request: Request) -> Reply:
        names = await self._lists.items(request.owner, NAME_LIST)
        if not names:
            return request.say("smalltalk.name_unknown", "thinking")
        return request.say("smalltalk.name_known", "happy", name=names[-1])

    async def _repeat(self, request: Request) -> Reply:
        if not request.last_said:
            return request.say("smalltalk.nothing_said", "confused")
        return Reply(request.last_said)

    async def _yes(self, request: Request) -> Reply:
        for key, confirmed in self._confirmations.items():
            values = request.wording.asked(key, request.last_said)
            if values is not None:
                return await confirmed(request, values)
        return request.say("smalltalk.yes_to_what", "confused")

    async def _no(self, request: Request) -> Reply:
        asked = any(request.wording.asked(key, request.last_said) is not None for key in self._confirmations)
        return request.say("smalltalk.no_done" if asked else "smalltalk.no_to_what", "relaxed")


async def _say(request: Request, *, key: str, emotion: str) -> Reply:
    return request.say(key, emotion)
