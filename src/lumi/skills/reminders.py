"""Reminders and alarms: for a moment, not for a length of time."""

from __future__ import annotations

from collections.abc import Mapping

from lumi.skills.clock import moment_text
from lumi.skills.moments import Moment
from lumi.skills.readers import Reminder
from lumi.skills.ring_words import second_person
from lumi.skills.skill import Handler, Reply, Request
from lumi.skills.timers import MAX_PER_OWNER, TimerService, TooManyTimers

ASK_WHEN = "reminders.when"
ASK_ALARM = "reminders.alarm_when"
ASK_WHAT = "reminders.what"


class RemindersSkill:
    def __init__(self, timers: TimerService) -> None:
        self._timers = timers

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "SetReminder": self._reminder,
            "SetReminderAt": self._reminder_at,
            "AskReminder": self._ask_what,
            "SetAlarm": self._alarm,
            "WakeMe": self._wake,
            "AskAlarm": self._ask_alarm,
            "AskEvery": self._every,
            "BareMoment": self._bare,
        }

    async def _reminder(self, request: Request) -> Reply | None:
        """`remind me to call mum at 8`; without a time it asks for one."""
        asked = request.slot("reminder", Reminder)
        if asked is None:
            return None
        label = second_person(asked.label, request.language)
        if asked.moment is None:
            return request.say(ASK_WHEN, "thinking", label=label)
        return await self._keep(request, "reminder", asked.label, asked.moment)

    async def _reminder_at(self, request: Request) -> Reply | None:
        """`明天早上八点提醒我开会`: the moment first."""
        moment, label = request.slot("moment", Moment), request.slot("label", str)
        return (
            None if moment is None or label is None else await self._keep(request, "reminder", label, moment)
        )

    async def _ask_what(self, request: Request) -> Reply:
        return request.say(ASK_WHAT, "thinking")

    async def _ask_alarm(self, request: Request) -> Reply:
        return request.say(ASK_ALARM, "thinking")

    async def _alarm(self, request: Request) -> Reply | None:
        moment = request.slot("moment", Moment)
        return (
            None
            if moment is None
            else await self._keep(request, "timer", request.slot("label", str) or "", moment)
        )

    async def _wake(self, request: Request) -> Reply | None:
        moment = request.slot("moment", Moment)
        return None if moment is None else await self._keep(request, "timer", "", moment, morning=True)

    async def _every(self, request: Request) -> Reply:
        """`every day at 8`: said plainly, rather than set once and thought set for ever."""
        return request.say("reminders.every", "embarrassed")

    async def _bare(self, request: Request) -> Reply | None:
        """`tomorrow at 8`, as the answer to `when?`."""
        moment = request.slot("moment", Moment)
        if moment is None:
            return None
        if request.wording.asked(ASK_ALARM, request.last_said) is not None:
            return await self._keep(request, "timer", "", moment)
        asked = request.wording.asked(ASK_WHEN, request.last_said)
        return None if asked is None else await self._keep(request, "reminder", asked["label"], moment)

    async def _keep(
        self, request: Request, kind: str, label: str, moment: Moment, *, morning: bool = False
    ) -> Reply:
        now = request.local_now
        at = moment.after(now, morning=morning)
        if at is None:
            return request.say("reminders.passed", "confused")
        shown = moment_text(at, now, request.language, request.speaker.locale)
        try:
            await self._timers.add(
                request.owner, at.timestamp(), kind=kind, label=label, language=request.language
            )
        except TooManyTimers:
            return request.say("timers.too_many", "sad", most=MAX_PER_OWNER)
        except ValueError:
            return request.say("timers.out_of_range", "confused")
        key = "reminders.set" if kind == "reminder" else "reminders.alarm_set"
        return request.say(key, "happy", at=shown, label=second_person(label, request.language))
