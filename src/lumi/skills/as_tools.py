"""The skills as tools of a model: the same stores, the same bounds, the same words.

A row of the table is a tool: what a model gives is read into the slots of an intent, and the skill does the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import msgspec

from lumi.engines.base import Language, Speaker, ToolCall, ToolResult, ToolSpec
from lumi.errors import ToolError
from lumi.skills.assistant import SkillsLlm
from lumi.skills.moments import Moment
from lumi.skills.readers import READERS, free_text, list_name
from lumi.skills.skill import zone

Given = Mapping[str, Any]
Meant = tuple[str, Mapping[str, object]]
"""An intent and its slots."""


class Unfit(ValueError):
    """What a model gave makes no sense; the text says what is accepted."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool. `read` makes of its arguments what is meant."""

    spec: ToolSpec
    read: Callable[[Given, Language, datetime], Meant]


def _text(description: str, *, required: bool = True) -> tuple[str, str, bool]:
    return "string", description, required


def _offer(
    name: str,
    description: str,
    read: Callable[[Given, Language, datetime], Meant],
    *,
    looks: bool = False,
    **arguments: tuple[str, str, bool],
) -> tuple[str, Offer]:
    schema = {
        "type": "object",
        "properties": {
            key: {"type": kind, "description": what} for key, (kind, what, _) in arguments.items()
        },
        "required": [key for key, (_, _, required) in arguments.items() if required],
        "additionalProperties": False,
    }
    return name, Offer(ToolSpec(name, description, schema, read_only=looks), read)


def _read(slot: str, words: str, language: Language, accepted: str) -> object:
    """By the skills' own reader, in the speaker's language or the other one."""
    other: Language = "en" if language == "zh" else "zh"
    value = READERS[slot](words, language) or READERS[slot](words, other)
    if value is None:
        raise Unfit(f"{words!r} is not understood; accepted: {accepted}")
    return value


def _label(given: Given, key: str = "label") -> dict[str, object]:
    words = given.get(key)
    if not words:
        return {}
    label = free_text(str(words), "en")
    if label is None:
        raise Unfit(f"{key}: at most 120 characters")
    return {"label": label}


def _moment(given: Given, now: datetime) -> Moment:
    """A point in the speaker's own time."""
    try:
        at = datetime.fromisoformat(str(given["at"]))
    except ValueError:
        raise Unfit("at: give a date and time such as 2026-01-31T18:30, in the user's own time") from None
    local = at.astimezone(now.tzinfo) if at.tzinfo else at.replace(tzinfo=now.tzinfo)
    return Moment(offset_s=Fraction(int((local - now).total_seconds())))


def _time(given: Given, language: Language, _now: datetime) -> Meant:
    place = given.get("place")
    if not place:
        return "GetTime", {}
    return "GetTimeIn", {"place": _read("place", str(place), language, "a large city or a country")}


def _timer(given: Given, _language: Language, _now: datetime) -> Meant:
    return "SetTimer", {"duration": Fraction(given["seconds"]).limit_denominator(1000)} | _label(given)


def _cancel_timer(given: Given, _language: Language, _now: datetime) -> Meant:
    return ("CancelAllTimers", {}) if given.get("all") else ("CancelTimer", _label(given))


def _cancel_reminder(given: Given, _language: Language, _now: datetime) -> Meant:
    return ("CancelAllReminders", {}) if given.get("all") else ("CancelReminder", _label(given))


def _reminder(given: Given, _language: Language, now: datetime) -> Meant:
    return "SetReminderAt", _label(given, "text") | {"moment": _moment(given, now)}


def _alarm(given: Given, _language: Language, now: datetime) -> Meant:
    return "SetAlarm", _label(given) | {"moment": _moment(given, now)}


def _list(given: Given, language: Language) -> dict[str, object]:
    named = given.get("list")
    if not named:
        return {}
    name = list_name(str(named), language)
    if name is None:
        raise Unfit(f"list: {named!r} is too long a name for a list")
    return {"list": name}


def _items(intent: str) -> Callable[[Given, Language, datetime], Meant]:
    def read(given: Given, language: Language, _now: datetime) -> Meant:
        item = free_text(str(given["items"]), language)
        if item is None:
            raise Unfit("items: 1 to 120 characters, items parted by commas")
        return intent, {"item": item} | _list(given, language)

    return read


def _of_list(intent: str) -> Callable[[Given, Language, datetime], Meant]:
    return lambda given, language, _now: (intent, _list(given, language))


def _sum(given: Given, language: Language, _now: datetime) -> Meant:
    return "Calculate", {"sum": _read("sum", str(given["sum"]), language, "a sum such as (3 + 4) * 12")}


def _convert(given: Given, language: Language, _now: datetime) -> Meant:
    quantity = _read("quantity", str(given["quantity"]), language, "a number and a unit such as 5 miles")
    unit = _read("unit", str(given["unit"]), language, "a unit such as kilometers")
    return "Convert", {"quantity": quantity, "unit": unit}


def _plain(intent: str) -> Callable[[Given, Language, datetime], Meant]:
    return lambda _given, _language, _now: (intent, {})


_LABEL = _text("what it is for, in the user's language", required=False)
_WHICH = _text("which, by what it is for; where there is only one, not needed", required=False)
_ALL = ("boolean", "all of them", False)
_AT = _text("date and time in the user's own time, such as 2026-01-31T18:30")
_NAME = _text("name of the list, such as shopping or todo; by default shopping", required=False)
_ITEMS = _text("one or more items, parted by commas")

OFFERS: Mapping[str, Offer] = MappingProxyType(
    dict(
        (
            _offer("get_time", "Tell the time here or in another place.", _time, looks=True,
                   place=_text("a large city or a country", required=False)),
            _offer("get_date", "Tell today's date and weekday.", _plain("GetDate"), looks=True),
            _offer("set_timer", "Set a timer that rings on the user's device.", _timer,
                   seconds=("number", "length in seconds", True), label=_LABEL),
            _offer("list_timers", "List the timers and alarms that run, and what is left of them.", _plain("ListTimers"), looks=True),
            _offer("cancel_timer", "Cancel a timer or an alarm.", _cancel_timer, label=_WHICH, all=_ALL),
            _offer("set_alarm", "Set an alarm that rings on the user's device.", _alarm, at=_AT, label=_LABEL),
            _offer("set_reminder", "Remind the user of something at a time.", _reminder,
                   text=_text("what to remind them of, in their language"), at=_AT),
            _offer("list_reminders", "List the reminders that are set.", _plain("ListReminders"), looks=True),
            _offer("cancel_reminder", "Cancel a reminder.", _cancel_reminder, label=_WHICH, all=_ALL),
            _offer("add_to_list", "Put items on one of the user's lists.", _items("ListAdd"), items=_ITEMS, list=_NAME),
            _offer("remove_from_list", "Take items off one of the user's lists.", _items("ListRemove"), items=_ITEMS, list=_NAME),
            _offer("read_list", "Read one of the user's lists.", _of_list("ListRead"), looks=True, list=_NAME),
            _offer("calculate", "Work out a sum exactly.", _sum, looks=True, sum=_text("such as (3 + 4) * 12")),
            _offer("convert_units", "Convert a quantity into another unit.", _convert, looks=True,
                   quantity=_text("such as 5 miles"), unit=_text("such as kilometers")),
            _offer("flip_coin", "Flip a coin.", _plain("FlipCoin"), looks=True),
        )
    )
)  # fmt: skip


class SkillTools:
    """The `Tools` of the built-in skills.

    Args:
        skills: gives them, once they are loaded.
        clock: UNIX seconds.
    """

    name = "lumi"

    def __init__(self, skills: Callable[[], Awaitable[SkillsLlm]], clock: Callable[[], float]) -> None:
        self._skills = skills
        self._clock = clock

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        del speaker
        return [offer.spec for offer in OFFERS.values()]

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        """The skill's own words, in the speaker's language.

        Raises:
            ToolError: there is no such tool, or its arguments make no sense.
        """
        offer = OFFERS.get(call.name)
        if offer is None:
            raise ToolError(call.name, "there is no such tool")
        language: Language = "zh" if speaker.language.startswith("zh") else "en"
        now = datetime.fromtimestamp(self._clock(), zone(speaker.timezone))
        try:
            intent, slots = offer.read(msgspec.json.decode(call.arguments or "{}"), language, now)
        except (Unfit, KeyError, OverflowError) as error:
            raise ToolError(call.name, str(error)) from error
        reply = await (await self._skills()).perform(intent, slots, speaker)
        if reply is None:
            raise ToolError(call.name, "these arguments make no sense together")
        return ToolResult(reply.text)

    async def aclose(self) -> None:
        """Nothing is held."""
