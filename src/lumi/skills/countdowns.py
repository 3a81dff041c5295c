"""Timers: set, listed, how long is left, cancelled, snoozed, silenced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from lumi.skills import durations
from lumi.skills.clock import moment_text
from lumi.skills.durations import and_join, spoken
from lumi.skills.ring_words import is_alarm, second_person
from lumi.skills.skill import Handler, Reply, Request
from lumi.skills.timers import MAX_PER_OWNER, MAX_S, MIN_S, TimerService, TooManyTimers
from lumi.store.base import Timer

SNOOZE_S = 9 * 60.0
ASK_DURATION = "timers.for_how_long"


class CountdownSkill:
    def __init__(self, timers: TimerService) -> None:
        self._timers = timers

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "SetTimer": self._set,
            "AskSetTimer": self._ask,
            "BareDuration": self._bare,
            "ListTimers": self._list,
            "ListReminders": self._list_reminders,
            "TimeLeft": self._left,
            "CancelTimer": self._cancel,
            "CancelReminder": self._cancel_reminder,
            "CancelAllTimers": self._cancel_all,
            "CancelAllReminders": self._cancel_all_reminders,
            "Snooze": self._snooze,
            "Stop": self._stop,
        }

    async def _ask(self, request: Request) -> Reply:
        return request.say(ASK_DURATION, "thinking")

    async def _bare(self, request: Request) -> Reply | None:
        """`five minutes`, as the answer to `for how long?`."""
        if request.wording.asked(ASK_DURATION, request.last_said) is None:
            return None
        return await self._set(request)

    async def _set(self, request: Request) -> Reply | None:
        duration = request.slot("duration", Fraction)
        if duration is None:
            return None
        label = request.slot("label", str) or ""
        if not MIN_S <= duration <= MAX_S:
            return request.say("timers.out_of_range", "confused")
        shown = spoken(float(duration), request.language)
        try:
            await self._timers.add(
                request.owner,
                request.now + float(duration),
                kind="timer",
                label=label,
                language=request.language,
                duration_s=float(duration),
            )
        except TooManyTimers:
            return request.say("timers.too_many", "sad", most=MAX_PER_OWNER)
        return request.say(
            "timers.set_named" if label else "timers.set", "happy", duration=shown, label=label
        )

    async def _of(self, request: Request, kind: str) -> Sequence[Timer]:
        """Those of a kind; only alarms or only countdowns where there are such and the request names them."""
        timers = [timer for timer in await self._timers.of(request.owner) if timer.kind == kind]
        named = request.slots.get("only")
        return [timer for timer in timers if is_alarm(timer) == (named == "alarms")] if named else timers

    async def _list(self, request: Request) -> Reply:
        return self._listed(request, "timers", await self._of(request, "timer"))

    async def _list_reminders(self, request: Request) -> Reply:
        return self._listed(request, "reminders", await self._of(request, "reminder"))

    def _none(self, request: Request, topic: str) -> Reply:
        return request.say("timers.no_alarms" if "only" in request.slots else f"{topic}.none")

    def _listed(self, request: Request, topic: str, timers: Sequence[Timer]) -> Reply:
        if not timers:
            return self._none(request, topic)
        listed = and_join([self._described(request, timer) for timer in timers], request.language)
        key = f"{topic}.list_one" if len(timers) == 1 else f"{topic}.list"
        if "only" in request.slots:
            key = "timers.list_alarms"
        return request.say(key, count=len(timers), timers=listed)

    def _described(self, request: Request, timer: Timer) -> str:
        now = request.local_now
        at = moment_text(
            now.fromtimestamp(timer.due_at, now.tzinfo), now, request.language, request.speaker.locale
        )
        label = second_person(timer.label, request.language)
        if timer.kind == "reminder":
            return request.wording.say("reminders.one", label=label, at=at)
        if is_alarm(timer):
            return request.wording.say("reminders.one_alarm", at=at)
        left = spoken(max(timer.due_at - request.now, 1), request.language)
        name = label or spoken(timer.duration_s, request.language)
        return request.wording.say("timers.one_named" if label else "timers.one", name=name, left=left)

    async def _left(self, request: Request) -> Reply:
        timers = await self._of(request, "timer")
        found = self._matching(request, timers)
        if not timers:
            return request.say("timers.none")
        if not found:
            return request.say("timers.no_such", "confused", label=request.slot("label", str) or "")
        if len(found) > 1:
            return self._listed(request, "timers", found)
        left = spoken(max(found[0].due_at - request.now, 1), request.language)
        return request.say("timers.left", left=left)

    def _matching(self, request: Request, timers: Sequence[Timer]) -> Sequence[Timer]:
        """Those named or as long as the request says; all if it says neither."""
        label = request.slot("label", str)
        if label is None:
            return timers
        seconds = durations.parse(label, request.language)
        if seconds is not None:
            return [timer for timer in timers if timer.duration_s == float(seconds)]
        named = [timer for timer in timers if timer.label.casefold() == label.casefold()]
        return named or [
            timer for timer in timers if timer.label and label.casefold() in timer.label.casefold()
        ]

    async def _cancel(self, request: Request) -> Reply:
        return await self._cancelled(request, "timers", await self._of(request, "timer"))

    async def _cancel_reminder(self, request: Request) -> Reply:
        return await self._cancelled(request, "reminders", await self._of(request, "reminder"))

    async def _cancelled(self, request: Request, topic: str, timers: Sequence[Timer]) -> Reply:
        if not timers:
            rung = self._timers.silence(request.owner)
            return request.say("timers.stopped") if rung else self._none(request, topic)
        found = self._matching(request, timers)
        if not found:
            return request.say("timers.no_such", "confused", label=request.slot("label", str) or "")
        if len(found) > 1:
            which = and_join([self._described(request, timer) for timer in found], request.language)
            return request.say(f"{topic}.which", "thinking", timers=which)
        await self._timers.cancel(found[0])
        return request.say(
            "timers.alarm_cancelled" if is_alarm(found[0]) else f"{topic}.cancelled", "relaxed"
        )

    async def _cancel_all(self, request: Request) -> Reply:
        return await self._all_cancelled(request, "timers", await self._of(request, "timer"))

    async def _cancel_all_reminders(self, request: Request) -> Reply:
        return await self._all_cancelled(request, "reminders", await self._of(request, "reminder"))

    async def _all_cancelled(self, request: Request, topic: str, timers: Sequence[Timer]) -> Reply:
        gone = sum([await self._timers.cancel(timer) for timer in timers])
        if not gone:
            return self._none(request, topic)
        if gone == 1:
            return request.say(
                "timers.alarm_cancelled" if is_alarm(timers[0]) else f"{topic}.cancelled", "relaxed"
            )
        key = "timers.alarms_cancelled" if "only" in request.slots else f"{topic}.cancelled_all"
        return request.say(key, "relaxed", count=gone)

    async def _snooze(self, request: Request) -> Reply:
        duration = request.slot("duration", Fraction)
        duration_s = SNOOZE_S if duration is None else float(duration)
        if not MIN_S <= duration_s <= MAX_S:
            return request.say("timers.out_of_range", "confused")
        try:
            again = await self._timers.snooze(request.owner, duration_s)
        except TooManyTimers:
            return request.say("timers.too_many", "sad", most=MAX_PER_OWNER)
        if again is None:
            return request.say("timers.nothing_rang", "confused")
        return request.say("timers.snoozed", "sleepy", duration=spoken(duration_s, request.language))

    async def _stop(self, request: Request) -> Reply:
        silenced = self._timers.silence(request.owner)
        return request.say("timers.stopped" if silenced else "timers.stop", "relaxed")
