"""Against a stand-in that keeps to the public reference of Home Assistant's REST API, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from lumi.config.tools import HomeAssistantSettings
from lumi.engines.base import Speaker, ToolCall
from lumi.errors import NetworkError, ToolError, ToolUnanswered
from lumi.tools import home_assistant
from lumi.tools.home_assistant import HomeAssistant

pytestmark = pytest.mark.real

TOKEN = "a-long-lived-token"
SPEAKER = Speaker(device_id="d")
SETTINGS = HomeAssistantSettings()


def entity(entity_id: str, state: str, name: str, **attributes: Any) -> dict[str, Any]:
    return {
        "entity_id": entity_id,
        "state": state,
        "attributes": {"friendly_name": name, **attributes},
        "last_changed": "2026-01-05T09:30:00+00:00",
        "last_updated": "2026-01-05T09:30:00+00:00",
        "context": {"id": "01", "parent_id": None, "user_id": None},
    }


class House:
    """Home Assistant, as far as its REST reference goes."""

    def __init__(self) -> None:
        self.states = {
            one["entity_id"]: one
            for one in (
                entity("light.kitchen", "off", "Kitchen light", supported_color_modes=["onoff"]),
                entity("light.hall", "on", "Hall light"),
                entity("sensor.outside", "21.5", "Outside temperature", unit_of_measurement="°C"),
                entity("lock.front", "locked", "Front door"),
                entity("person.mum", "home", "Mum"),
            )
        }
        self.asked: list[tuple[str, Any]] = []
        self.wait_s = 0.0
        self.garbled = False

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/api/states", self.all),
                web.get("/api/states/{entity}", self.one),
                web.post("/api/services/{domain}/{service}", self.service),
            ]
        )
        return application

    def refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401, text="401: Unauthorized")
        return web.Response(text="<html>") if self.garbled else None

    async def all(self, request: web.Request) -> web.Response:
        return self.refused(request) or web.json_response(list(self.states.values()))

    async def one(self, request: web.Request) -> web.Response:
        found = self.states.get(request.match_info["entity"])
        if found is None:
            return web.json_response({"message": "Entity not found."}, status=404)
        return self.refused(request) or web.json_response(found)

    async def service(self, request: web.Request) -> web.Response:
        refused = self.refused(request)
        if refused is not None:
            return refused
        await asyncio.sleep(self.wait_s)
        data = await request.json()
        service = request.match_info["service"]
        self.asked.append((f"{request.match_info['domain']}.{service}", data))
        if service not in {"turn_on", "turn_off", "unlock"}:
            return web.Response(status=400, text="400: Bad Request")
        found = self.states[data["entity_id"]]
        state = {"turn_on": "on", "turn_off": "off", "unlock": "unlocked"}[service]
        changed = [found] if found["state"] != state else []
        found["state"] = state
        return web.json_response(changed)


@asynccontextmanager
async def at_home(token: str = TOKEN) -> AsyncIterator[tuple[House, HomeAssistant]]:
    house = House()
    runner = web.AppRunner(house.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    home = HomeAssistant(f"http://127.0.0.1:{port}/", token, SETTINGS.entities, SETTINGS.guarded)
    try:
        yield house, home
    finally:
        await home.aclose()
        await runner.cleanup()


async def use(home: HomeAssistant, name: str, **arguments: Any) -> str:
    return (await home.call(ToolCall("1", name, json.dumps(arguments)), SPEAKER)).text


async def test_things_are_found_by_words():
    async with at_home() as (_, home):
        assert await use(home, "find_entities", words="light kitchen") == "light.kitchen (Kitchen light): off"
        everything = await use(home, "find_entities")
        assert "sensor.outside (Outside temperature): 21.5 °C" in everything
        assert "person.mum" not in everything, "what is not exposed is not seen"
        assert "nothing found" in await use(home, "find_entities", words="dungeon")


async def test_there_may_be_very_many():
    async with at_home() as (house, home):
        house.states |= {f"light.{n}": entity(f"light.{n}", "on", f"Lamp {n}") for n in range(500)}
        text = await use(home, "find_entities", words="lamp")
        assert len(text.splitlines()) == home_assistant.MOST_LISTED + 1
        assert text.endswith("440 more; use more words")


async def test_a_state_is_told():
    async with at_home() as (_, home):
        told = await use(home, "get_state", entity_id="sensor.outside")
        assert told.startswith("sensor.outside (Outside temperature): 21.5 °C")


async def test_a_thing_is_switched():
    async with at_home() as (house, home):
        done = await use(
            home, "call_service", entity_id="light.kitchen", service="turn_on", data={"brightness_pct": 40}
        )
        assert done == "done; now: light.kitchen (Kitchen light): on"
        assert house.asked == [("light.turn_on", {"brightness_pct": 40, "entity_id": "light.kitchen"})]
        again = await use(home, "call_service", entity_id="light.kitchen", service="turn_on")
        assert again == "done; nothing changed its state"


async def test_data_cannot_reach_another_thing():
    async with at_home() as (house, home):
        await use(
            home,
            "call_service",
            entity_id="light.hall",
            service="turn_off",
            data={"entity_id": "lock.front", "area_id": "cellar", "x": 1},
        )
        assert house.asked[0][1] == {"entity_id": "light.hall", "x": 1}


async def test_a_lock_needs_the_tool_that_asks():
    async with at_home() as (house, home):
        with pytest.raises(ToolError, match=r"lock.front is guarded; use call_guarded_service"):
            await use(home, "call_service", entity_id="lock.front", service="unlock")
        assert house.asked == []
        assert {spec.name: spec.confirm for spec in await home.specs(SPEAKER)} == {
            "find_entities": False,
            "get_state": False,
            "call_service": False,
            "call_guarded_service": True,
        }
        assert "unlocked" in await use(home, "call_guarded_service", entity_id="lock.front", service="unlock")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("get_state", {"entity_id": "light.attic"}, "no such entity or service"),
        ("get_state", {"entity_id": "person.mum"}, "there is no entity 'person.mum'"),
        ("get_state", {}, "there is no entity"),
        ("get_state", {"entity_id": "light.x/../../config"}, "there is no entity"),
        ("call_service", {"entity_id": "light.hall", "service": "explode"}, "answered 400"),
        ("dance", {"entity_id": "light.hall"}, "no such tool"),
    ],
)
async def test_what_cannot_be_done_is_said(name: str, arguments: Any, said: str):
    async with at_home() as (_, home):
        with pytest.raises(ToolError, match=said):
            await use(home, name, **arguments)


async def test_a_wrong_token_is_said():
    async with at_home("wrong") as (_, home):
        with pytest.raises(ToolError, match=r"refuses the token \(home_assistant.token\)"):
            await use(home, "find_entities")


async def test_an_answer_that_is_none_is_said():
    async with at_home() as (house, home):
        house.garbled = True
        with pytest.raises(ToolError, match="what is no answer") as looked:
            await use(home, "find_entities")
        assert not isinstance(looked.value, ToolUnanswered), "looking changes nothing"
        with pytest.raises(ToolUnanswered, match="may or may not have been done"):
            await use(home, "call_service", entity_id="light.kitchen", service="turn_on")


async def test_a_home_that_is_not_there_is_said():
    home = HomeAssistant("http://127.0.0.1:1", TOKEN, SETTINGS.entities, SETTINGS.guarded)
    with pytest.raises(ToolError, match="cannot be reached"):
        await use(home, "find_entities")
    await home.aclose()


async def test_a_home_that_is_lost_in_the_middle(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(home_assistant, "REQUEST_S", 0.3)
    async with at_home() as (house, home):
        house.wait_s = 2
        with pytest.raises(NetworkError, match="may or may not have been done"):
            await use(home, "call_service", entity_id="light.kitchen", service="turn_on")
