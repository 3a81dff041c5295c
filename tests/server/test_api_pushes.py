"""Words for a device over HTTP; and once from the first request to the spoken sentence, over a restart of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.server.server import Server
from lumi.testing.device import FakeDevice
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real


class House:
    def __init__(self, server: Server, http: aiohttp.ClientSession, token: str) -> None:
        self.server = server
        self._http = http
        self._token = token

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token if token is None else token}"}
        url = f"http://127.0.0.1:{self.server.port}/api/v1/{path}"
        async with self._http.request(method, url, json=body, headers=headers) as answer:
            return answer.status, await answer.json() if await answer.read() else None

    async def say(self, device: str, **body: Any) -> tuple[int, Any]:
        return await self.call("POST", f"devices/{device}/say", body)

    @asynccontextmanager
    async def device(self, device_id: str, **options: Any) -> AsyncIterator[FakeDevice]:
        link = await connect(self.server.url, {"Device-Id": device_id})
        async with FakeDevice(link, device_id=device_id, **options) as device:
            yield device


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[House]:
    """With the store on disk."""
    config = Config(server=ServerSettings(port=0, drain_s=0.2, data_dir=folder), log=LogSettings(file=False))
    engines = {"vad": ScriptedVad(), "stt": ScriptedStt(), "llm": ScriptedLlm(), "tts": ScriptedTts()}
    token = SecretFile(folder / ADMIN_TOKEN).obtain()
    async with Server(config, **engines) as server, aiohttp.ClientSession() as http:  # type: ignore[arg-type]
        yield House(server, http, token)


async def test_what_was_said_to_a_device_that_was_away_is_heard_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        async with house.device("kitchen") as device:
            await device.hello(features={"notify": True})
            status, answer = await house.say("kitchen", text="Hi.")
            assert (status, answer["status"]) == (200, "spoken")
            assert (await device.expect("notify"))["id"] == answer["id"]
            assert (await device.spoken_turn()).packets
            assert (await house.say("kitchen", text="Later.", in_s=3600))[1]["status"] == "scheduled"
        async with house.device("board", dialect="xiaozhi") as board:
            await board.hello()
            waiting = (await house.say("board", text="Psst."))[1]
            assert waiting["status"] == "waiting"
    async with serving(tmp_path) as house:
        listed = (await house.call("GET", "pushes"))[1]["pushes"]
        assert [(one["device_id"], one["text"], one["status"]) for one in listed] == [
            ("board", "Psst.", "waiting"),
            ("kitchen", "Later.", "scheduled"),
        ]
        async with house.device("board", dialect="xiaozhi") as board:
            await board.hello()
            await board.listen("start", mode="auto")
            assert (await board.spoken_turn()).sentences == ["Psst."]
        status, _ = await house.call("DELETE", f"pushes/{listed[1]['id']}")
        assert status == 204
        assert (await house.call("GET", "pushes"))[1] == {"pushes": []}
        status, answer = await house.call("DELETE", f"pushes/{listed[0]['id']}")
        assert (status, answer["error"]["code"]) == (404, "unknown_push")


async def test_every_mistake_is_named_and_nobody_comes_in_without_the_token(tmp_path: Path) -> None:
    async with serving(tmp_path) as house:
        async with house.device("kitchen") as device:
            await device.hello()
        status, answer = await house.say("attic", text="Hi.")
        assert (status, answer["error"]["code"]) == (404, "unknown_device")
        assert "known are: kitchen" in answer["error"]["message"]
        for body, wanted in (
            ({"text": ""}, (422, "bad_request")),
            ({"text": "x", "at": "teatime"}, (422, "bad_request")),
            ({"text": "x" * 1001}, (422, "bad_request")),
            ({"txt": "x"}, (422, "bad_request")),
            (None, (400, "bad_json")),
        ):
            status, answer = await house.call("POST", "devices/kitchen/say", body)
            assert (status, answer["error"]["code"]) == wanted
        for _ in range(25):
            assert (await house.say("kitchen", text="x", in_s=60))[0] == 200
        status, answer = await house.say("kitchen", text="x", in_s=60)
        assert (status, answer["error"]["code"]) == (409, "too_many_waiting")
        for method, path in (
            ("POST", "devices/kitchen/say"),
            ("GET", "pushes"),
            ("DELETE", "pushes/x"),
        ):
            assert (await house.call(method, path, {"text": "x"}, token="wrong"))[0] == 401
