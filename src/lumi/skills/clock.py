"""Time, date, weekday: here and elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from lumi.engines.base import Language
from lumi.skills.moments import Moment
from lumi.skills.readers import Place
from lumi.skills.skill import Handler, Reply, Request, zone

_DEFAULT_LOCALES: Mapping[str, str] = {"en": "en_US", "zh": "zh_CN"}
DayText = Callable[[datetime, Language, str], str]
_HALVES_ZH = ((5, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
_DAYS: Mapping[Language, Mapping[int, str]] = {
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow", 2: "the day after tomorrow"},
    "zh": {-1: "昨天", 0: "今天", 1: "明天", 2: "后天"},
}


def locale_for(language: Language, locale: str) -> str:
    """The device's locale where it speaks the answer's language, else that language's usual one."""
    if locale.replace("-", "_").split("_")[0].lower() != language:
        return _DEFAULT_LOCALES[language]
    try:
        return str(Locale.parse(locale, sep="-" if "-" in locale else "_"))
    except (ValueError, UnknownLocaleError):
        return _DEFAULT_LOCALES[language]


def time_text(at: datetime, language: Language, locale: str) -> str:
    """`3:25 PM`, `15:25` where that is usual, `下午3点25分`."""
    if language == "en":
        # CLDR parts `3:25` and `PM` with a narrow space that voices and terminals stumble over
        return format_time(at, "short", locale=locale_for(language, locale)).replace("\u202f", " ")
    half = next(name for before, name in _HALVES_ZH if at.hour < before)
    hour = at.hour if at.hour < 13 else at.hour - 12
    minutes = f"{at.minute}分" if at.minute else "整"
    return f"{half}{hour}点{minutes}"


def date_text(at: date, language: Language, locale: str, *, year: bool = True) -> str:
    """`Wednesday, July 23, 2025`, `2025年7月23日星期三`."""
    if language == "zh":
        return format_date(at, "y年M月d日EEEE" if year else "M月d日EEEE", locale="zh_CN")
    local = locale_for(language, locale)
    if year:
        return format_date(at, "full", locale=local)
    day_first = local not in {"en_US", "en"}
    return format_date(at, "EEEE, d MMMM" if day_first else "EEEE, MMMM d", locale=local)


def weekday_text(at: datetime, language: Language) -> str:
    return format_date(at, "EEEE", locale=_DEFAULT_LOCALES[language])


def moment_text(at: datetime, now: datetime, language: Language, locale: str) -> str:
    """A point in the future as one would say it today: `at 8:00 AM`, `tomorrow at 8:00 AM`, `明天上午8点整`."""
    clock = time_text(at, language, locale).removesuffix("整")
    days = (at.date() - now.date()).days
    named = _DAYS[language].get(days) or date_text(at, language, locale, year=at.year != now.year)
    if language == "zh":
        return f"{'' if days == 0 else named}{clock}"
    if days == 0:
        return f"at {clock}"
    return f"{named} at {clock}" if days in _DAYS[language] else f"on {named} at {clock}"


class ClockSkill:
    """Needs nothing but the request's clock and time zone."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "GetTime": self._time,
            "GetTimeIn": self._time_in,
            "GetUnknownPlace": self._unknown_place,
            "GetDate": self._date,
            "GetWeekday": self._weekday,
            "GetWeekdayOf": self._weekday_of,
            "GetYear": self._year,
            "GetMonth": self._month,
            "GetWeekNumber": self._week,
            "GetDaysUntil": self._days_until,
        }

    async def _time(self, request: Request) -> Reply:
        return request.say(
            "clock.time", time=time_text(request.local_now, request.language, request.speaker.locale)
        )

    async def _time_in(self, request: Request) -> Reply | None:
        place = request.slot("place", Place)
        if place is None:
            return None
        here = request.local_now
        there = here.astimezone(zone(place.timezone))
        clock = time_text(there, request.language, request.speaker.locale)
        if there.date() == here.date():
            return request.say("clock.time_in", place=place.name, time=clock)
        day = weekday_text(there, request.language)
        return request.say("clock.time_in_day", place=place.name, time=clock, day=day)

    async def _unknown_place(self, request: Request) -> Reply:
        return request.say("clock.unknown_place", "confused", place=request.slots.get("label", ""))

    async def _date(self, request: Request) -> Reply:
        return self._day(request, "date", date_text)

    async def _weekday(self, request: Request) -> Reply:
        return self._day(request, "weekday", lambda at, language, _: weekday_text(at, language))

    def _day(self, request: Request, key: str, text: DayText) -> Reply:
        ahead = int(str(request.slots.get("days", 0)))
        at = request.local_now + timedelta(days=ahead)
        tense = ("past", "now", "future")[(ahead > 0) - (ahead < 0) + 1]
        day = _DAYS[request.language][ahead]
        shown = text(at, request.language, request.speaker.locale)
        return request.say(f"clock.{key}_{tense}", day=day[:1].upper() + day[1:], date=shown)

    async def _weekday_of(self, request: Request) -> Reply | None:
        moment = request.slot("moment", Moment)
        at = None if moment is None else moment.day_from(request.local_now)
        if at is None:
            return None
        shown = date_text(at, request.language, request.speaker.locale)
        return request.say("clock.weekday_of", date=shown)

    async def _year(self, request: Request) -> Reply:
        return request.say("clock.year", year=request.local_now.year)

    async def _month(self, request: Request) -> Reply:
        locale = _DEFAULT_LOCALES[request.language]
        return request.say("clock.month", month=format_date(request.local_now, "LLLL", locale=locale))

    async def _week(self, request: Request) -> Reply:
        return request.say("clock.week", week=request.local_now.isocalendar().week)

    async def _days_until(self, request: Request) -> Reply | None:
        now = request.local_now
        moment = request.slot("moment", Moment)
        at = None if moment is None else moment.day_from(now)
        if at is None:
            return None
        days = (at - now.date()).days
        shown = date_text(at, request.language, request.speaker.locale)
        return request.say("clock.days_until_one" if days == 1 else "clock.days_until", days=days, date=shown)
