"""What the operator's view reads, from a real server, held against its own description."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from pydantic import SecretStr

from lumi.config import Config
from lumi.config.devices import DeviceSettings
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.server import load_history
from lumi.server.log import Subject, logger
from lumi.server.openapi import document
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.server.server import Server
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.rehearsal import spoken
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real


class House:
    def __init__(self, server: Server, http: aiohttp.ClientSession, token: str) -> None:
        self.server = server
        self._http = http
        self._token = token

    async def call(self, method: str, path: str, *, token: str | None = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self._token if token is None else token}"}
        url = f"http://127.0.0.1:{self.server.port}/api/v1/{path}"
        async with self._http.request(method, url, headers=headers) as answer:
            return answer.status, await answer.read()

    async def get(self, path: str) -> Any:
        """What is answered, which must be as it is described."""
        status, body = await self.call("GET", path)
        assert status == 200, body
        found = json.loads(body)
        check(f"/api/v1/{path.partition('?')[0]}", found)
        return found

    @asynccontextmanager
    async def device(self, device_id: str) -> AsyncIterator[FakeDevice]:
        link = await connect(self.server.url, {"Device-Id": device_id, "Authorization": "12345678"})
        async with FakeDevice(link, device_id=device_id) as device:
            await device.hello()
            yield device


def check(path: str, answer: Any) -> None:
    described = document("1")
    schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer, schema | {"components": described["components"]})


@asynccontextmanager
async def serving(tmp_path: Path) -> AsyncIterator[House]:
    config = Config(
        server=ServerSettings(port=0, drain_s=0.2, data_dir=tmp_path, tokens=(SecretStr("12345678"),)),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False),
        devices={"kitchen": DeviceSettings(record=True)},
    )
    token = SecretFile(tmp_path / ADMIN_TOKEN).obtain()
    engines: dict[str, Any] = {
        "vad": ScriptedVad(),
        "stt": ScriptedStt(),
        "llm": ScriptedLlm(),
        "tts": ScriptedTts(ms_per_character=5),
    }
    async with Server(config, **engines) as server, aiohttp.ClientSession() as http:
        await server.wait_ready()
        yield House(server, http, token)


async def test_what_goes_on_is_seen(tmp_path: Path):
    async with serving(tmp_path) as house:
        before = await house.get("live")
        assert (before["sessions"], before["turns"], before["health"], before["load"]) == ([], [], "", None)
        async with house.device("kitchen") as device:
            await device.listen("start", mode="manual")
            await device.play(spoken(120))
            live = await house.get("live")
            (session,) = live["sessions"]
            assert session["id"] == device.session_id
            assert (session["device_id"], session["recorded"], session["phase"]) == (
                "kitchen",
                True,
                "listening",
            )
            assert (session["client"], session["uplink"]) == ("lumi", "opus 16000 Hz")
            await device.abort()
            await device.detect("good morning")
            await device.spoken_turn()
        live = await house.get("live?after=1")
        assert live["turn_count"] == 2
        (turn,) = live["turns"]
        assert (turn["number"], turn["kind"], turn["ending"]) == (2, "typed", "done")
        assert live["engines"] == []


async def test_load_problems_and_settings_are_seen(tmp_path: Path):
    async with serving(tmp_path) as house:
        logger(Subject.ENGINE).warning("engine failed", engine="deaf")
        problems = (await house.get("problems"))["problems"]
        assert problems[-1]["values"] == {"engine": "deaf"}
        assert await house.get("load") == {"every_s": load_history.EVERY_S, "samples": []}
        settings = {one["name"]: one for one in (await house.get("settings"))["settings"]}
        assert settings["server.tokens"]["value"] == ["***"]
        assert settings["devices.kitchen.record"]["value"] is True
        assert settings["server.port"]["default"] == 8000
        assert settings["turn.silence_ms"]["about"]
        assert "12345678" not in json.dumps(settings)


async def test_recordings_are_handed_out_and_deleted(tmp_path: Path):
    async with serving(tmp_path) as house:
        async with house.device("kitchen") as device:
            session = device.session_id
            await device.chat("good morning")
            (recording,) = await recordings(house)
            assert (recording["session_id"], recording["device_id"]) == (session, "kitchen")
            status, body = await house.call("GET", f"recordings/{session}")
            assert status == 200
            lines = [json.loads(line) for line in body.splitlines()]
            assert lines[0]["lumi_recording"] == 1
            assert lines[-1]["message"]["content"] == "You said: good morning. That is all."
        assert (await house.call("DELETE", f"recordings/{session}"))[0] == 204
        assert (await house.call("DELETE", f"recordings/{session}"))[0] == 404
        for name in (session, "..%2Flumi.db", "none"):
            status, body = await house.call("GET", f"recordings/{name}")
            assert (status, json.loads(body)["error"]["code"]) == (404, "unknown_recording")


async def recordings(house: House) -> list[dict[str, Any]]:
    await house.server.recorder.flush()
    listed: list[dict[str, Any]] = (await house.get("recordings"))["recordings"]
    return listed


@pytest.mark.parametrize("path", ["live", "load", "problems", "settings", "recordings", "recordings/x"])
async def test_nobody_sees_it_without_the_token(tmp_path: Path, path: str):
    async with serving(tmp_path) as house:
        assert (await house.call("GET", path, token="wrong"))[0] == 401


@pytest.mark.parametrize("path", ["live", "load"])
@pytest.mark.parametrize("after", ["x", "-1", "nan"])
async def test_what_is_no_number_is_named(tmp_path: Path, path: str, after: str):
    async with serving(tmp_path) as house:
        status, body = await house.call("GET", f"{path}?after={after}")
        assert (status, json.loads(body)["error"]["code"]) == (422, "bad_request")
        assert (await house.call("GET", f"{path}?after=inf"))[0] == 200
