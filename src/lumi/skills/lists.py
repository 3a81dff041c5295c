"""Lists that are kept between sessions: shopping, to do, and any other name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lumi.skills.durations import and_join
from lumi.skills.skill import Handler, Reply, Request
from lumi.store.base import ListStore

MAX_ITEMS = 200
MAX_AT_ONCE = 20
MAX_READ = 15
"""Nobody listens to more."""
_AND = {
    "en": re.compile(r"\s*,\s*(?:and\s+)?|\s+and\s+(?:also\s+)?", re.IGNORECASE),
    "zh": re.compile(r"[,、,和与跟及]"),
}
_ARTICLE = re.compile(r"^(?:some|an?|the|more|another)\s+", re.IGNORECASE)
CLEAR_QUESTION = "lists.clear_question"


class ListsSkill:
    def __init__(self, lists: ListStore) -> None:
        self._lists = lists

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {
            "ListAdd": self._add,
            "ListRemove": self._remove,
            "ListRead": self._read,
            "ListClear": self._clear,
            "ListHas": self._has,
            "ListCount": self._count,
        }

    async def _add(self, request: Request) -> Reply | None:
        items, name = self._items(request), self._name(request)
        if not items:
            return None
        present = await self._lists.items(request.owner, name)
        if len(present) + len(items) > MAX_ITEMS:
            return request.say("lists.full", "sad", list=shown_name(name, request), most=MAX_ITEMS)
        known = {item.casefold() for item in present}
        new = [item for item in items if item.casefold() not in known]
        for item in new:
            await self._lists.add(request.owner, name, item)
        key = "lists.added" if new else "lists.already"
        shown = and_join(new or items, request.language)
        return request.say(key, "happy", items=shown, list=shown_name(name, request))

    async def _remove(self, request: Request) -> Reply | None:
        items, name = self._items(request), self._name(request)
        if not items:
            return None
        gone = [item for item in items if await self._take(request.owner, name, item)]
        key = "lists.removed" if gone else "lists.not_on"
        shown = and_join(gone or items, request.language)
        return request.say(key, "happy" if gone else "confused", items=shown, list=shown_name(name, request))

    async def _take(self, owner: str, name: str, item: str) -> bool:
        wanted = item.casefold()
        for present in await self._lists.items(owner, name):
            if present.casefold() == wanted:
                return await self._lists.remove(owner, name, present)
        return False

    async def _read(self, request: Request) -> Reply:
        name = self._name(request)
        items = await self._lists.items(request.owner, name)
        shown = shown_name(name, request)
        if not items:
            return request.say("lists.empty", "neutral", list=shown)
        read = and_join(list(items[:MAX_READ]), request.language)
        if len(items) > MAX_READ:
            return request.say("lists.read_some", list=shown, items=read, count=len(items), read=MAX_READ)
        return request.say(
            "lists.read_one" if len(items) == 1 else "lists.read", list=shown, items=read, count=len(items)
        )

    async def _clear(self, request: Request) -> Reply:
        name = self._name(request)
        count = len(await self._lists.items(request.owner, name))
        if not count:
            return request.say("lists.empty", "neutral", list=shown_name(name, request))
        return request.say(
            CLEAR_QUESTION, "thinking", list=shown_name(name, request), count=counted(count, request)
        )

    async def clear_confirmed(self, request: Request, asked: Mapping[str, str]) -> Reply:
        """The answer to `clear_question` was yes."""
        name = name_of(asked["list"], request)
        gone = await self._lists.clear(request.owner, name)
        return request.say(
            "lists.cleared" if gone else "lists.empty", "happy", list=shown_name(name, request)
        )

    async def _has(self, request: Request) -> Reply | None:
        items, name = self._items(request), self._name(request)
        if not items:
            return None
        present = {item.casefold() for item in await self._lists.items(request.owner, name)}
        key = "lists.is_on" if all(item.casefold() in present for item in items) else "lists.not_on"
        return request.say(key, items=and_join(items, request.language), list=shown_name(name, request))

    async def _count(self, request: Request) -> Reply:
        name = self._name(request)
        count = len(await self._lists.items(request.owner, name))
        return request.say("lists.count", count=counted(count, request), list=shown_name(name, request))

    def _name(self, request: Request) -> str:
        return request.slot("list", str) or "shopping"

    def _items(self, request: Request) -> list[str]:
        parts = _AND[request.language].split(request.slot("item", str) or "")
        items = (_ARTICLE.sub("", part.strip()) for part in parts)
        return list(dict.fromkeys(item for item in items if item))[:MAX_AT_ONCE]


def shown_name(name: str, request: Request) -> str:
    """`shopping list`, `to-do list`, `packing list`; `购物清单`."""
    known = request.wording.all(f"lists.name_{name}") if name in {"shopping", "todo"} else ()
    return known[0] if known else request.wording.say("lists.name_other", name=name)


def name_of(shown: str, request: Request) -> str:
    """The list's own name, from how it was shown."""
    for name in ("shopping", "todo"):
        if shown == shown_name(name, request):
            return name
    suffix = request.wording.say("lists.name_other", name="")
    return shown.removesuffix(suffix)


def counted(count: int, request: Request) -> str:
    return request.wording.say("lists.one_item" if count == 1 else "lists.items", count=count)
