"""A board with a camera: it is told where to send its pictures and with what, and gets words for what is to be seen."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from tests.flows.scripted import CONFIG, scripted_lumi

from lumi.config import Config
from lumi.config.serving import ServerSettings
from lumi.config.vision import VisionSettings
from lumi.errors import ConnectionRefused
from lumi.testing import FakeDevice
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.openai_server import OpenAiServer
from lumi.transport.websocket import connect

pytestmark = pytest.mark.real

HOUSE_TOKEN = "open-sesame"
NAME = "aa:bb:cc:dd:ee:ff"


def settings(directory: Path, service: OpenAiServer, **server: Any) -> Config:
    vision = VisionSettings(base_url=service.base_url)
    serving = ServerSettings(port=0, drain_s=0.2, data_dir=directory, **server)
    return CONFIG.model_copy(update={"server": serving, "vision": vision})


async def told(device: FakeDevice, tools: ScriptedDeviceTools) -> dict[str, str]:
    """What MCP's `initialize` says of pictures."""
    await device.hello(features={"mcp": True})
    async with asyncio.timeout(5):
        while not tools.asked:  # noqa: ASYNC110 - the double only notes what comes
            await asyncio.sleep(0.01)
    vision: dict[str, str] = tools.asked[0]["params"]["capabilities"]["vision"]
    return vision


async def explained(vision: dict[str, str], token: str | None = None) -> tuple[int, dict[str, Any]]:
    """Post a picture to the very address, as boards do."""
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("question", "What do you see?")
    form.add_field("file", io.BytesIO(b"\xff\xd8\xff\xe0" + bytes(50)), filename="camera.jpg")
    shown = vision["token"] if token is None else token
    headers = {"Device-Id": NAME} | ({"Authorization": f"Bearer {shown}"} if shown else {})
    async with (
        aiohttp.ClientSession() as http,
        http.post(vision["url"], data=form, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_board_sends_its_picture_to_the_address_it_was_told_with_the_pass_it_was_told(
    tmp_path: Path,
) -> None:
    async with OpenAiServer(answers={"What do you see?": "A red cup."}) as service:
        config = settings(tmp_path, service, token=SecretStr(HOUSE_TOKEN))
        async with scripted_lumi(config) as server:
            tools = ScriptedDeviceTools({"self.camera.take_photo": lambda _: "taken"})
            headers = {"Device-Id": NAME, "Authorization": f"Bearer {HOUSE_TOKEN}"}
            link = await connect(server.url, headers=headers)
            async with FakeDevice(link, tools=tools) as device:
                vision = await told(device, tools)
                assert vision["url"] == f"{server.page_url}mcp/vision/explain"
                assert await explained(vision) == (
                    200,
                    {"success": True, "action": "RESPONSE", "response": "A red cup."},
                )
                assert [(await explained(vision, token))[0] for token in ("", "wrong")] == [401, 401]
                with pytest.raises(ConnectionRefused):
                    await connect(server.url, headers={"Authorization": f"Bearer {vision['token']}"})
                await server.registry.grant(NAME)
                await server.registry.revoke(NAME)
                assert (await explained(vision))[0] == 403, "shut out"
        assert len(service.of("chat")) == 1


async def test_in_an_open_house_the_address_is_enough(tmp_path: Path) -> None:
    tools = ScriptedDeviceTools()
    async with (
        OpenAiServer(answers={"What do you see?": "A red cup."}) as service,
        scripted_lumi(settings(tmp_path, service)) as server,
        FakeDevice(await connect(server.url), tools=tools) as device,
    ):
        vision = await told(device, tools)
        assert vision["token"] == ""
        assert (await explained(vision))[0] == 200
