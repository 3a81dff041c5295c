from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.doubles import counted

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.server import front_door
from lumi.server.front_door import registered
from lumi.server.limits import Addresses
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.server.server import Server
from lumi.store.memory import MemoryStore
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad

pytestmark = pytest.mark.real

PROXIED = {"X-Forwarded-For": "192.0.2.7", "Device-Id": "aa:bb", "Client-Id": "c"}
HELLO = {"id": "h", "type": "hello", "version": 1, "transport": "websocket"}


def server(folder: Path, **options: Any) -> Server:
    config = Config(
        server=ServerSettings(port=0, drain_s=1.0, data_dir=folder, pairing=True),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False),
    )
    return Server(
        config, vad=ScriptedVad(), stt=ScriptedStt(), llm=ScriptedLlm(), tts=ScriptedTts(), **options
    )


async def test_a_board_comes_in_from_the_first_question_to_the_first_answer_and_is_shut_out(tmp_path):
    asked: list[str] = []
    waiting = {"on_waiting": lambda _device, code: asked.append(code.code)}
    async with server(tmp_path, **waiting) as here, aiohttp.ClientSession(headers=PROXIED) as http:
        base = f"http://127.0.0.1:{here.port}"
        async with http.post(f"{base}/xiaozhi/ota/", json={}) as answer:
            code = (await answer.json())["activation"]["code"]
        assert asked == [code], "somebody is told"
        admin = {"Authorization": f"Bearer {SecretFile(tmp_path / ADMIN_TOKEN).obtain()}"}
        async with http.post(f"{base}/api/v1/pairings", json={"code": code}, headers=admin) as answer:
            assert answer.status == 200
        async with http.post(f"{base}/xiaozhi/ota/", json={}) as answer:
            told = (await answer.json())["websocket"]
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(told["url"])
        assert caught.value.status == 401, "who was given a token must show it"
        bearer = {"Authorization": f"Bearer {told['token']}"}
        async with http.ws_connect(told["url"], headers=bearer) as ws:
            await ws.send_json(HELLO)
            assert (await ws.receive_json())["device_id"] == "aa:bb"
            await ws.send_json({"type": "chat", "id": "c", "content": "hi"})
            assert (await ws.receive_json())["content"] == "You said: hi. That is all."
            async with http.get(f"{base}/api/v1/devices/aa:bb", headers=admin) as answer:
                assert (await answer.json())["connected"]
            async with http.post(f"{base}/api/v1/devices/aa:bb/revoke", headers=admin) as answer:
                assert answer.status == 200
            await ws.receive()
            assert ws.close_code == 4401
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(told["url"], headers=bearer)
        assert caught.value.status == 403


async def test_an_address_that_is_full_is_told_to_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(front_door, "Addresses", Full)
    async with server(tmp_path) as here, aiohttp.ClientSession() as http:
        async with http.get(here.page_url + "healthz") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "30")
            assert "limits.address_connections" in await answer.text()
        assert counted(here.metrics, 'lumi_refused_total{reason="address_connections"} 1.0')
        assert [refusal.reason for refusal in here.gateway._audit.latest] == ["address_connections"]


class Full(Addresses):
    def enter(self, _: str) -> bool:
        return False


async def test_whoever_was_let_in_is_counted_out(tmp_path, monkeypatch):
    noted = Noted()
    monkeypatch.setattr(front_door, "Addresses", lambda _limit: noted)
    async with server(tmp_path) as here:
        async with aiohttp.ClientSession() as http, http.ws_connect(here.url) as ws:
            await ws.send_json(HELLO)
            await ws.receive_json()
            assert noted.calls == ["enter"]
        async with aiohttp.ClientSession() as http, http.get(here.page_url + "nothing") as answer:
            assert answer.status == 404
    assert noted.calls.count("enter") == noted.calls.count("leave") == 2


class Noted(Addresses):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def enter(self, _: str) -> bool:
        self.calls.append("enter")
        return True

    def leave(self, _: str) -> None:
        self.calls.append("leave")


async def test_a_registration_says_what_is_different_for_a_device():
    registry = DeviceRegistry(MemoryStore(), lambda: 1.0)
    await registry.ask("d", "")
    assert registered(registry, "d") == registered(registry, "unknown")
    await registry.change("d", persona="Be brief.", language="zh", voice="calm")
    said = registered(registry, "d")
    assert (said.persona, said.language, said.voice, said.locale) == ("Be brief.", "zh", "calm", None)
