"""What somebody sends to a device in words: said now, at its time, or when its device is back.

They are timers of the kind `push`, kept and rung with the others; here is what may be sent, to whom, and what became of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError

from lumi.server.household import Conflict, Household, NotThere, UnknownDevice
from lumi.skills.timers import MAX_PER_OWNER, MAX_S, PUSH, TimerService, TooManyTimers
from lumi.store.base import Timer
from lumi.voice.language import language_of

LONGEST_TEXT = 1000
"""Characters: some three minutes of speech."""

JUST_PASSED_S = 60.0
"""A time so little in the past is now: clocks differ."""

PATIENCE_S = 3.0
"""How long a push that is due now may take to reach its device before it is said to wait."""

MOST_LISTED = 1000
MOST_NAMED = 20


class PushRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be said, and when; neither `at` nor `in_s`: now."""

    text: Annotated[str, Meta(pattern=r"\S", max_length=LONGEST_TEXT)]
    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | UnsetType = UNSET
    """ISO 8601; without a zone it is the device's."""
    in_s: Annotated[float, Meta(ge=0, le=MAX_S)] | UnsetType = UNSET


class PushRecord(Struct, frozen=True, kw_only=True):
    """One push, as it is told. Times are UNIX seconds."""

    id: str
    device_id: str
    text: str
    due_at: float
    created_at: float
    status: Literal["spoken", "scheduled", "waiting"]
    """`spoken`: its device has it, and says it after what is being said. `scheduled`: not yet due. `waiting`: for its device."""


class UnknownPush(NotThere):
    """There is none like it (any more)."""

    code = "unknown_push"


@dataclass(frozen=True, slots=True)
class Locale:
    """What is supposed of words and times that do not tell."""

    language: str
    timezone: str


class Pushes:
    """Sends, lists and takes back.

    Args:
        household: knows the devices.
        visitors: ids of those that came without being registered.
        timers: where pushes wait.
        wall_clock: UNIX seconds.
        locale_of: of a device.
        patience_s: how long to wait for a push's first try; 0.0 where nobody rings.
    """

    def __init__(
        self,
        household: Household,
        visitors: Iterable[str],
        timers: TimerService,
        wall_clock: Callable[[], float],
        locale_of: Callable[[str], Locale],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._household = household
        self._visitors = visitors
        self._timers = timers
        self._wall_clock = wall_clock
        self._locale_of = locale_of
        self._patience_s = patience_s

    async def say(self, device: str, request: PushRequest) -> PushRecord:
        """Have a device say something.

        Args:
            device: its id, or its name if no other has the same.
            request: what, and when.

        Raises:
            UnknownDevice: says which are known.
            Conflict: several have this name, the device was shut out, too much waits for it already, or the time has passed or
                is too far ahead.
            ValidationError: the time makes no sense.
            StoreError: it cannot be kept.
        """
        device_id = self._addressee(device)
        text, locale = request.text.strip(), self._locale_of(device_id)
        now = self._wall_clock()
        due_at = _due_at(request, now, locale.timezone)
        language = language_of(text, "zh" if locale.language == "zh" else "en")
        try:
            timer = await self._timers.add(device_id, due_at, kind=PUSH, label=text, language=language)
        except TooManyTimers as error:
            problem = f"{MAX_PER_OWNER} messages wait for {device_id!r} already; take one back first"
            raise Conflict("too_many_waiting", problem) from error
        if due_at > now:
            return _record(timer, "scheduled")
        heard = self._patience_s > 0 and await self._timers.heard(timer, self._patience_s)
        return _record(timer, "spoken" if heard else "waiting")

    async def all(self) -> Sequence[PushRecord]:
        """What is still to be said, soonest first."""
        now = self._wall_clock()
        return [
            _record(timer, "scheduled" if timer.due_at > now else "waiting")
            for timer in await self._timers.all(PUSH, MOST_LISTED)
        ]

    async def cancel(self, push_id: str) -> None:
        """Take one back; raises UnknownPush."""
        for timer in await self._timers.all(PUSH, MOST_LISTED):
            if timer.id == push_id and await self._timers.cancel(timer):
                return
        raise UnknownPush(f"no message {push_id!r} waits (any more); the list of messages has their ids")

    def _addressee(self, wanted: str) -> str:
        """Of those that were let in, the one that is meant; else of the others. Who waits may call itself as it likes."""
        devices = self._household.devices()
        inside = {device.id: device.name for device in devices if device.state == "paired"}
        others = {device.id: "" for device in devices if device.state == "pending"}
        out = {device.id: device.name for device in devices if device.state == "revoked"}
        inside |= {visitor: "" for visitor in self._visitors if visitor not in inside | others | out}
        found = _meant(inside, wanted) or _meant(others, wanted)
        if not found and _meant(out, wanted):
            raise Conflict("shut_out", f"the device {wanted!r} was shut out; let it in again first")
        if not found:
            raise UnknownDevice(f"there is no device {wanted!r}; {_known(inside | others)}")
        if len(found) > 1:
            problem = f"{wanted!r} is the name of several; say one's id: {_ids(found)}"
            raise Conflict("ambiguous_device", problem)
        return found[0]


def _meant(names: dict[str, str], wanted: str) -> list[str]:
    """Ids, by id or name; case does not matter."""
    if wanted in names:
        return [wanted]
    folded = wanted.strip().casefold()
    return [one for one in names if folded and folded in {one.casefold(), names[one].casefold()}]


def _known(names: dict[str, str]) -> str:
    if not names:
        return "no device has been here yet"
    shown = [f"{name} ({one})" if name else one for one, name in names.items()]
    return f"known are: {_ids(shown)}"


def _ids(found: Sequence[str]) -> str:
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return ", ".join(found[:MOST_NAMED]) + more


def _due_at(request: PushRequest, now: float, timezone: str) -> float:
    if request.at is UNSET:
        return now if request.in_s is UNSET else now + request.in_s
    if request.in_s is not UNSET:
        raise ValidationError("Expected `at` or `in_s`, got both")
    try:
        at = datetime.fromisoformat(request.at.upper())
    except ValueError as error:
        problem = f"Expected an ISO 8601 time such as 2026-01-31T18:30+01:00, got {request.at[:40]!r}"
        raise ValidationError(f"{problem} - at `$.at`") from error
    try:
        due_at = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).timestamp()
    except (ValueError, OverflowError, OSError):  # beyond the years that can be counted
        due_at = math.inf
    if not now - JUST_PASSED_S <= due_at <= now + MAX_S:
        raise Conflict("bad_time", "`at` has passed, or is more than 366 days ahead")
    return max(due_at, now)


def _record(timer: Timer, status: Literal["spoken", "scheduled", "waiting"]) -> PushRecord:
    return PushRecord(
        id=timer.id,
        device_id=timer.owner,
        text=timer.label,
        due_at=timer.due_at,
        created_at=timer.created_at,
        status=status,
    )
