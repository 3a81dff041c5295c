"""Home Assistant over its REST API: states to ask for, services to call.

`GET /api/states`, `GET /api/states/<entity>`, `POST /api/services/<domain>/<service>`; each with a bearer token. What is
guarded (locks, gates) has a tool of its own, before which the user is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import msgspec

from lumi.engines.base import Speaker, ToolCall, ToolResult, ToolSpec
from lumi.errors import NetworkError, ToolError, ToolUnanswered
from lumi.tools.permissions import fits

MOST_LISTED = 60
REQUEST_S = 15.0
OTHER_AIMS = {"area_id", "device_id", "floor_id", "label_id", "target"}
"""In a service's data these reach more than the one thing that was asked for and checked."""

_ID = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_ENTITY = {
    "type": "string",
    "description": "the entity's id, such as light.kitchen; find it with find_entities",
}
_SERVICE = {
    "entity_id": _ENTITY,
    "service": {
        "type": "string",
        "pattern": "^[a-z0-9_]+$",
        "description": "such as turn_on, turn_off, toggle, set_temperature",
    },
    "data": {"type": "object", "description": 'further data of the service, such as {"brightness_pct": 40}'},
}


def _schema(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


FIND = ToolSpec(
    "find_entities",
    "Find things in the house (lights, switches, sensors …) by name, room or kind, with their states.",
    _schema({"words": {"type": "string", "description": "words of the name or of the id; empty: all"}}),
    read_only=True,
)
STATE = ToolSpec(
    "get_state",
    "Tell the state of one thing in the house.",
    _schema({"entity_id": _ENTITY}, "entity_id"),
    read_only=True,
)
CALL = ToolSpec(
    "call_service",
    "Switch or set one thing in the house; not locks, gates and alarms.",
    _schema(_SERVICE, "entity_id", "service"),
)
GUARDED = ToolSpec(
    "call_guarded_service",
    "Operate a lock, a gate or an alarm. The user is asked for a yes before it is done.",
    _schema(_SERVICE, "entity_id", "service"),
    confirm=True,
    title="operate a lock, a gate or an alarm",
)


class State(msgspec.Struct):
    """One entity, as Home Assistant tells it."""

    entity_id: str
    state: str
    attributes: dict[str, Any] = {}

    @property
    def name(self) -> str:
        return str(self.attributes.get("friendly_name") or self.entity_id)

    @property
    def line(self) -> str:
        unit = self.attributes.get("unit_of_measurement") or ""
        return f"{self.entity_id} ({self.name}): {self.state}{' ' if unit else ''}{unit}"


class HomeAssistant:
    """Its `Tools`. Keeps one HTTP session, begun with the first call.

    Args:
        url: its address.
        token: a long-lived access token.
        entities: patterns of those that may be seen and used.
        guarded: patterns of those that need a yes.
    """

    name = "home"

    def __init__(self, url: str, token: str, entities: Sequence[str], guarded: Sequence[str]) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._entities = entities
        self._guarded = guarded
        self._session: aiohttp.ClientSession | None = None

    async def specs(self, speaker: Speaker) -> Sequence[ToolSpec]:
        del speaker
        return (FIND, STATE, CALL, GUARDED)

    async def call(self, call: ToolCall, speaker: Speaker) -> ToolResult:
        """Look, or act.

        Raises:
            ToolError: there is no such tool or entity, or Home Assistant will not do it.
            NetworkError: it was lost while it was at it.
        """
        del speaker
        given = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
        if call.name == FIND.name:
            return await self._find(call, str(given.get("words", "")))
        entity = str(given.get("entity_id", ""))
        self._check(call, entity)
        if call.name == STATE.name:
            return await self._state(call, entity)
        if call.name in {CALL.name, GUARDED.name}:
            return await self._act(call, entity, given)
        raise ToolError(call.name, "there is no such tool")

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _check(self, call: ToolCall, entity: str) -> None:
        if not _ID.fullmatch(entity) or not fits(entity, self._entities):
            raise ToolError(call.name, f"there is no entity {entity!r}; find_entities tells which there are")
        if call.name == CALL.name and fits(entity, self._guarded):
            raise ToolError(call.name, f"{entity} is guarded; use {GUARDED.name}, which asks the user first")

    async def _find(self, call: ToolCall, words: str) -> ToolResult:
        payload = await self._ask(call, "GET", "/api/states")
        wanted = words.casefold().split()
        found = [
            state.line
            for state in _read(call, payload, list[State])
            if fits(state.entity_id, self._entities) and all(word in state.line.casefold() for word in wanted)
        ]
        if not found:
            return ToolResult("nothing found; try fewer or other words")
        more = f"\n… and {len(found) - MOST_LISTED} more; use more words" if len(found) > MOST_LISTED else ""
        return ToolResult("\n".join(found[:MOST_LISTED]) + more)

    async def _state(self, call: ToolCall, entity: str) -> ToolResult:
        state = _read(call, await self._ask(call, "GET", f"/api/states/{entity}"), State)
        told = {key: value for key, value in state.attributes.items() if isinstance(value, str | int | float)}
        return ToolResult(f"{state.line} {msgspec.json.encode(told).decode()}")

    async def _act(self, call: ToolCall, entity: str, given: Mapping[str, Any]) -> ToolResult:
        domain = entity.partition(".")[0]
        data = given.get("data") or {}
        body = {key: value for key, value in data.items() if key not in OTHER_AIMS} | {"entity_id": entity}
        payload = await self._ask(call, "POST", f"/api/services/{domain}/{given.get('service')}", body)
        try:
            changed = [state.line for state in _read(call, payload, list[State])]
        except ToolError as error:
            text = "Home Assistant answered what is no answer; it may or may not have been done"
            raise ToolUnanswered(call.name, text) from error
        return ToolResult(
            "done; now: " + "; ".join(changed[:10]) if changed else "done; nothing changed its state"
        )

    async def _ask(
        self, call: ToolCall, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=aiohttp.ClientTimeout(total=REQUEST_S),
            )
        try:
            async with self._session.request(method, self._url + path, json=body) as answer:
                payload = await answer.read()
                if answer.status >= 400:
                    raise ToolError(call.name, _refusal(answer.status, payload))
                return payload
        except aiohttp.ClientConnectorError as error:
            raise ToolError(call.name, f"Home Assistant cannot be reached at {self._url}") from error
        except (TimeoutError, aiohttp.ClientError) as error:
            text = f"Home Assistant was lost while it was at it ({type(error).__name__}); it may or may not have been done"
            raise NetworkError(text) from error


def _refusal(status: int, payload: bytes) -> str:
    if status == 401:
        return "Home Assistant refuses the token (home_assistant.token); make a new one in its profile page"
    if status == 404:
        return "Home Assistant knows no such entity or service"
    return f"Home Assistant answered {status}: {payload[:200].decode(errors='replace')}"


def _read(call: ToolCall, payload: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.MsgspecError as error:
        raise ToolError(call.name, f"Home Assistant answered what is no answer ({error})") from error
