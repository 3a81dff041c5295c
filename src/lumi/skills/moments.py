"""Points in time as they are said, kept apart from the clock: `tomorrow at 8`, `half past nine`, `明天早上八点`.

`parse` reads the words (in `moment_words`); `Moment.after` finds the point that is meant, given the local time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from fractions import Fraction

DEFAULT_HOUR = 9
"""Where only a day is named."""
_WORKING_DAY_FROM = 7
"""`tomorrow at 5` is in the afternoon, `tomorrow at 8` in the morning; what is meant is said in the answer."""


class Half(Enum):
    """Which half of the day an hour from 1 to 12 is in."""

    UNKNOWN = "unknown"
    MORNING = "am"
    NOON = "noon"
    AFTERNOON = "pm"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Moment:
    """What was said. Nothing but `offset_s`, or any of the rest.

    `days` from today; `weekday` 0 is Monday and `weeks` counts calendar weeks ahead (`下周一`: 1), None: the next such
    day; `month`, `day` of a date (`month` None: the next such day of a month).
    """

    offset_s: Fraction | None = None
    days: int | None = None
    weekday: int | None = None
    weeks: int | None = None
    month: int | None = None
    day: int | None = None
    hour: int | None = None
    minute: int = 0
    half: Half = Half.UNKNOWN

    @property
    def has_time(self) -> bool:
        return self.hour is not None or self.offset_s is not None

    @property
    def has_day(self) -> bool:
        return self.days is not None or self.weekday is not None or self.day is not None

    def after(self, now: datetime, *, morning: bool = False) -> datetime | None:
        """The first such point after `now` (with a time zone), or None if it has passed or never comes.

        `morning`: an hour without its half of the day is in the morning (to be woken).
        """
        if self.offset_s is not None:
            return now + timedelta(seconds=float(self.offset_s))
        points = (
            point
            for day in self._dates(now)
            for hour in self._hours(now, day, morning=morning)
            if (point := _at(day, hour, self.minute)) > now
        )
        return min(points, default=None)

    def day_from(self, now: datetime) -> date | None:
        """The first such day, today included, whatever the hour."""
        if not self.has_day:
            return None
        days = (day.date() for day in self._dates(now))
        return min((day for day in days if day >= now.date()), default=None)

    def _dates(self, now: datetime) -> list[datetime]:
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.days is not None:
            return [today + timedelta(days=self.days)]
        if self.weekday is not None:
            return self._weekdays(today, self.weekday)
        if self.day is not None:
            return self._calendar_days(today, self.day)
        return [today, today + timedelta(days=1)]

    def _weekdays(self, today: datetime, weekday: int) -> list[datetime]:
        ahead = weekday - today.weekday()
        if self.weeks is not None:
            return [today + timedelta(days=ahead + 7 * self.weeks)]
        return [today + timedelta(days=ahead % 7), today + timedelta(days=ahead % 7 + 7)]

    def _calendar_days(self, today: datetime, day: int) -> list[datetime]:
        # A year and a bit ahead: the 29th of February may not come within it
        days = (today + timedelta(days=ahead) for ahead in range(367))
        return [point for point in days if point.day == day and self.month in {None, point.month}][:2]

    def _hours(self, now: datetime, day: datetime, *, morning: bool) -> list[int]:
        if self.hour is None:
            return [{Half.AFTERNOON: 15, Half.NIGHT: 20, Half.NOON: 12}.get(self.half, DEFAULT_HOUR)]
        if self.half is not Half.UNKNOWN or not 1 <= self.hour <= 12:
            return [_hour_24(self.hour, self.half)]
        if self.has_day and day.date() != now.date():
            early = morning or _WORKING_DAY_FROM <= self.hour < 12
            return [self.hour % 12 if early else self.hour % 12 + 12]
        return [self.hour % 12] if morning else [self.hour % 12, self.hour % 12 + 12]


def _hour_24(hour: int, half: Half) -> int:
    """Hours of 24 and more are the next day's: twelve at night."""
    if hour > 12 or half is Half.UNKNOWN:
        return hour
    if half is Half.MORNING:
        return hour % 12
    if half is Half.NOON:
        return hour if hour >= 11 else hour + 12
    if half is Half.NIGHT and (hour == 12 or hour < 5):
        return hour % 12 + 24
    return hour % 12 + 12


def _at(day: datetime, hour: int, minute: int) -> datetime:
    return (day + timedelta(days=hour // 24)).replace(hour=hour % 24, minute=minute)


def existing(moment: Moment) -> Moment | None:
    """`None` for hours, minutes and days that no clock or calendar has, or if nothing was named at all."""
    hour_exists = moment.hour is None or (0 <= moment.hour <= 24 and 0 <= moment.minute < 60)
    day_exists = moment.day is None or (1 <= moment.day <= 31 and moment.month in {None, *range(1, 13)})
    return moment if hour_exists and day_exists and moment != Moment() else None
