"""A token in the hello: every kind of it, at every kind of house, from a web page and from anything else, over a real socket."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.server.log import TRACE
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.server.server import Server
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad

pytestmark = pytest.mark.real

DAY_S = 24 * 3600.0
STATIC = "static-token-of-this-test"
WRONG = ("any", "\x00é", "x.1700000000", "Bearer x")
HOUSES: dict[str, dict[str, Any]] = {
    "open": {},
    "pairing": {"pairing": True},
    "static": {"token": STATIC},
    "allowed": {"allow": ("its-own-name",)},
}
PAGE = "http://127.0.0.1:9"
NO_TOKEN = {
    ("open", False): "in as its-own-name",
    ("open", True): "in as its-own-name",
    ("pairing", False): "guest",
    ("pairing", True): "guest",
    ("static", False): "HTTP 401",
    ("static", True): "refused, 4401",
    ("allowed", False): "HTTP 401",
    ("allowed", True): "refused, 4401",
}
"""As it is without a token anywhere."""


class House:
    """A server, what is shown to it, and whether that comes by a proxy, so that nobody is trusted for being here."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self.server = server
        self._http = http
        self.tokens: dict[str, str] = {}

    async def knock(self, *, page: bool, query: str = "", device: str = "", **hello: Any) -> str:
        """What becomes of a client with this hello."""
        headers = {"X-Forwarded-For": "192.0.2.7"} | ({"Origin": PAGE} if page else {})
        headers |= {"Device-Id": device, "Client-Id": "c"} if device else {}
        try:
            ws = await self._http.ws_connect(self.server.url + query, headers=headers)
        except aiohttp.WSServerHandshakeError as refusal:
            return f"HTTP {refusal.status}"
        async with ws:
            await ws.send_json({"id": "h", "type": "hello", "device_id": "its-own-name"} | hello)
            answer = await ws.receive_json()
            if answer["type"] == "error":
                assert answer["error_code"] == "unauthorized"
                await ws.receive()
                return f"refused, {ws.close_code}"
            await ws.send_json({"type": "chat", "id": "c", "content": "hi"})
            while (said := await ws.receive_json())["type"] != "response":
                pass
            return "guest" if "paired" in said["content"] else f"in as {answer['device_id']}"


@asynccontextmanager
async def house(folder: Path, **settings: Any) -> AsyncIterator[House]:
    now = [1_700_000_000.0]
    config = Config(
        server=ServerSettings(port=0, drain_s=0.1, data_dir=folder, **settings),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False),
    )
    engines: dict[str, Any] = {
        "vad": ScriptedVad(), "stt": ScriptedStt(), "llm": ScriptedLlm(), "tts": ScriptedTts()
    }  # fmt: skip
    async with (
        Server(config, wall_clock=lambda: now[0], **engines) as server,
        aiohttp.ClientSession() as http,
    ):
        made, registry = House(server, http), server.registry
        for device in ("aa:bb", "cc:dd"):
            await registry.confirm((await registry.ask(device, "c")).code)
        made.tokens["expired"] = await registry.token_for("aa:bb")
        now[0] += 31 * DAY_S
        made.tokens["valid"] = await registry.token_for("aa:bb")
        made.tokens["revoked"] = await registry.token_for("cc:dd")
        await registry.revoke("cc:dd")
        yield made


@pytest.mark.parametrize(("kind", "page"), [*itertools.product(HOUSES, (False, True))])
async def test_the_matrix(tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, page: bool) -> None:
    caplog.set_level(TRACE, "lumi")
    async with house(tmp_path, **HOUSES[kind]) as here:
        without = NO_TOKEN[kind, page]
        at_the_door = without.startswith("HTTP")
        for nothing in ({}, {"token": ""}, {"token": None}, {"token": "  "}):
            assert await here.knock(page=page, **nothing) == without
        refused = without if kind == "open" or at_the_door else "refused, 4401"
        for token in (*WRONG, here.tokens["expired"], here.tokens["revoked"]):
            assert await here.knock(page=page, token=token) == refused, token
        right = without if kind == "open" or at_the_door else "in as aa:bb"
        assert await here.knock(page=page, token=here.tokens["valid"]) == right
        assert await here.knock(page=page, token=f"Bearer {here.tokens['valid']}") == right
        static = "in as its-own-name" if kind == "static" and page else refused
        assert await here.knock(page=page, token=STATIC) == static
        seen = caplog.text + await told(here.server, tmp_path)
    for secret in (*here.tokens.values(), STATIC, *WRONG[1:]):
        assert secret not in seen
    if kind != "open" and not at_the_door:
        for reason in ("bad_token", "expired_token", "revoked"):
            assert reason in seen


async def told(server: Server, folder: Path) -> str:
    """The refusals, as the household sees them."""
    headers = {"Authorization": f"Bearer {SecretFile(folder / ADMIN_TOKEN).obtain()}"}
    url = f"http://127.0.0.1:{server.port}/api/v1/refusals"
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_the_requests_token_is_the_stronger_one_and_names_do_not_help(tmp_path: Path) -> None:
    async with house(tmp_path, pairing=True, token=STATIC) as here:
        valid, wrong = here.tokens["valid"], "x.1700000000"
        shown = f"?authorization={valid}"
        for page in (False, True):
            assert await here.knock(page=page, query=shown, token=wrong) == "in as aa:bb"
            assert await here.knock(page=page, query=f"?authorization={wrong}", token=valid) == (
                "refused, 4401" if page else "HTTP 401"
            )
            assert await here.knock(page=page, device="ee:ff", token=valid) == "in as aa:bb"
            assert await here.knock(page=page, device="cc:dd", token=valid) == (
                "refused, 4401" if page else "HTTP 403"
            )
            assert await here.knock(page=page, device_id="cc:dd", token=valid) == "refused, 4401"
            keyed = {True: "in as aa:bb", False: "HTTP 401"}[page]
            assert await here.knock(page=page, device="aa:bb", token=valid) == keyed, "it must show its token"


async def test_an_allowed_name_that_only_the_hello_tells_lets_nobody_in(tmp_path: Path) -> None:
    async with house(tmp_path, allow=("its-own-name",)) as here:
        assert await here.knock(page=True) == "refused, 4401"
        assert await here.knock(page=True, device="its-own-name") == "in as its-own-name"
        assert await here.knock(page=True, device="its-own-name", token="any") == "refused, 4401"
