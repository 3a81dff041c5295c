"""`lumi push`: have a device say something; now, at a time, or when it is back. And what waits: listed, taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lumi.commands.console import Console
from lumi.commands.devices import place
from lumi.commands.find import AUTO, the_one_server
from lumi.commands.household import Devices, devices, server_at
from lumi.commands.running import DONE
from lumi.errors import ConfigError

COMMAND = "lumi push"
PUSHES = "/api/v1/pushes"
SPOKEN = {
    "spoken": ("{device} 正在播报。", "{device} says it now."),
    "scheduled": ("{device} 将在 {at} 播报。（{id}）", "{device} will say it at {at}. ({id})"),
    "waiting": (
        "{device} 不在线，等它回来时播报。（{id}）",
        "{device} is away, or was not spoken to yet; it will say it when it is back. ({id})",
    ),
}


@dataclass(frozen=True, slots=True)
class Where:
    """Which household. Without `url`: this machine's."""

    config: Path | None = None
    url: str | None = None
    token: str | None = None
    ca: Path | None = None


@asynccontextmanager
async def household(where: Where) -> AsyncIterator[Devices]:
    """The household to speak to.

    Raises:
        LumiError: there is no such server, or a setting is wrong.
    """
    if where.url is not None:
        url = await the_one_server() if where.url == AUTO else where.url
        yield server_at(url, where.token, where.ca)
    else:
        async with devices(where.config, command=COMMAND) as here:
            yield here


async def push(
    console: Console, where: Where, device: str, text: str, at: str | None, after: str | None
) -> int:
    """`lumi push DEVICE TEXT`."""
    now = datetime.now().astimezone()
    body: dict[str, Any] = {"text": text}
    if at is not None and after is not None:
        raise ConfigError(COMMAND, "say --at or --in, not both")
    if at is not None:
        body["at"] = moment(at, now).isoformat()
    if after is not None:
        body["in_s"] = seconds(after)
    async with household(where) as devices_there:
        answer = await devices_there.call("POST", place(device, "say"), body)
    console.result(answer)
    zh, en = SPOKEN[answer["status"]]
    filled = {"device": answer["device_id"], "id": answer["id"], "at": shown(answer["due_at"], now)}
    console.write(console.words(zh=zh.format(**filled), en=en.format(**filled)))
    return DONE


async def waiting(console: Console, where: Where) -> int:
    """`lumi push --list`."""
    async with household(where) as devices_there:
        found = (await devices_there.call("GET", PUSHES))["pushes"]
    console.result({"pushes": found})
    if not found:
        console.write(console.words(zh="没有等待播报的留言。", en="Nothing waits to be said."))
    now = datetime.now().astimezone()
    for one in found:
        console.write(f"{one['id']}  {one['device_id']}  {_when(console, one, now)}  {one['text']}")
    return DONE


async def cancel(console: Console, where: Where, push_id: str) -> int:
    """`lumi push --cancel ID`."""
    async with household(where) as devices_there:
        await devices_there.call("DELETE", f"{PUSHES}/{quote(push_id, safe='')}")
    console.result({"cancelled": push_id})
    console.write(console.words(zh="已取消。", en="Taken back."))
    return DONE


def moment(text: str, now: datetime) -> datetime:
    """When `--at` is: `18:30` is the next one of the clock, else an ISO time; without a zone, in that of `now`.

    Raises:
        ConfigError: it is neither.
    """
    try:
        clock = time.fromisoformat(text) if len(text) <= len("18:30:00") and ":" in text else None
        if clock is None:
            at = datetime.fromisoformat(text)
            return at if at.tzinfo else at.astimezone()
    except ValueError as error:
        problem = f"{text!r} is no time; e.g. 18:30, or 2026-01-31T18:30"
        raise ConfigError("--at", problem) from error
    today = datetime.combine(now.date(), clock).astimezone()
    return today if today > now else datetime.combine(now.date() + timedelta(days=1), clock).astimezone()


def seconds(text: str) -> float:
    """How long `--in` is: `90`, `10m`, `1h30m`, `two hours`, `十分钟`.

    Raises:
        ConfigError: it is no length of time.
    """
    from lumi.skills.durations import parse

    found: float | Fraction | None
    try:
        found = float(text)
    except ValueError:
        found = None if text.lstrip().startswith("-") else parse(text, "en") or parse(text, "zh")
    if found is None or not isfinite(found) or found < 0:
        raise ConfigError("--in", f"{text!r} is no length of time; e.g. 10m, 1h30m, 90 (seconds)")
    return float(found)


def shown(due_at: float, now: datetime) -> str:
    """A time as it is shown here; the day too unless it is today."""
    at = datetime.fromtimestamp(due_at, now.tzinfo)
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M:%S}"


def _when(console: Console, one: Mapping[str, Any], now: datetime) -> str:
    if one["status"] == "waiting":
        return console.words(zh="等设备回来", en="when it is back")
    return shown(one["due_at"], now)
