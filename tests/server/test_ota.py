from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from lumi.config.serving import ServerSettings
from lumi.server.audit import AuditLog
from lumi.server.auth import Doorkeeper, Rules
from lumi.server.firmware import Firmware
from lumi.server.metrics import Metrics
from lumi.server.origins import Origins
from lumi.server.ota import Ota, OtaSettings
from lumi.server.port import listening
from lumi.server.registry import MOST_PENDING, PENDING_SHARE, DeviceRegistry
from lumi.server.secret_file import SecretFile
from lumi.server.tokens import Judgement
from lumi.store.memory import MemoryStore
from lumi.transport.base import LinkInfo
from lumi.transport.websocket import request_info

pytestmark = pytest.mark.real

NAMES = {"Device-Id": "aa:bb", "Client-Id": "c"}
BODY = {"application": {"version": "1.0"}, "board": {"type": "box-3", "name": "kitchen"}}
PROXIED = {"X-Forwarded-For": "192.0.2.7"}
"""As a device elsewhere would come; this machine itself need show nothing."""


def elsewhere(request: web.Request) -> LinkInfo:
    """As if a request came over the network."""
    return replace(request_info(request), remote="192.0.2.7")


class Place:
    def __init__(self, path: Path, rules: Rules) -> None:
        self.registry = DeviceRegistry(MemoryStore(), lambda: 1_700_000_000.25, SecretFile(path / "s"))
        self.audit = AuditLog(Metrics(), lambda: 0.0)
        self.ota = Ota(
            Doorkeeper(rules, Origins(), self.registry),
            self.registry,
            self.audit,
            Firmware(path),
            OtaSettings(lambda: "fallback:1", lambda _: "Asia/Shanghai"),
            lambda: 1_700_000_000.25,
        )
        self.base = ""
        self.http: aiohttp.ClientSession

    async def ask(self, *, path: str = "/xiaozhi/ota/", body: Any = BODY, **headers: str) -> tuple[int, Any]:
        names = NAMES | PROXIED | {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in names.items() if value}
        async with self.http.post(self.base + path, json=body, headers=given) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            return answer.status, await answer.json()


@asynccontextmanager
async def place(path: Path, **rules: Any) -> AsyncIterator[Place]:
    made = Place(path, Rules(**rules))
    app = web.Application()
    app.add_routes(made.ota.routes())
    async with listening(app, ServerSettings(port=0)) as port, aiohttp.ClientSession() as http:
        made.base, made.http = f"http://127.0.0.1:{port}", http
        yield made


async def test_where_nobody_must_authenticate_a_device_is_told_where_to_go(tmp_path):
    async with place(tmp_path) as here:
        status, answer = await here.ask()
        assert status == 200
        assert answer == {
            "server_time": {"timestamp": 1_700_000_000_250, "timezone_offset": 480},
            "firmware": {"version": "1.0", "url": ""},
            "websocket": {"url": here.base.replace("http", "ws") + "/xiaozhi/v1/", "token": ""},
        }
        assert await here.ask(path="/xiaozhi/ota") == (200, answer)
        assert (await here.ask(Client_Id=""))[0] == 200
        assert (await here.ask(path="/xiaozhi/ota/activate"))[0] == 200


async def test_browsers_may_ask_too_and_a_person_is_told_what_this_is(tmp_path):
    async with place(tmp_path) as here:
        async with here.http.options(here.base + "/xiaozhi/ota/") as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Headers"] == "content-type, device-id, client-id"
            assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        async with here.http.get(here.base + "/xiaozhi/ota/") as answer:
            assert "ws://127.0.0.1" in await answer.text()
        headers = {"Host": "evil host/<script>"}
        async with here.http.get(here.base + "/xiaozhi/ota/", headers=headers) as answer:
            assert "ws://fallback:1/xiaozhi/v1/" in await answer.text()


async def test_an_unknown_device_is_shown_a_code_and_gets_its_token_once_that_was_confirmed(tmp_path):
    async with place(tmp_path, pairing=True) as here:
        status, answer = await here.ask(Accept_Language="zh-CN")
        assert status == 200
        assert answer["websocket"]["token"] == ""
        activation = answer["activation"]
        assert activation["message"] == f"配对: {activation['code']}"
        assert activation["challenge"]
        assert (await here.ask(path="/xiaozhi/ota/activate"))[0] == 202
        assert (await here.ask())[1]["activation"]["code"] == activation["code"]
        device = await here.registry.confirm(activation["code"])
        assert device is not None
        assert (device.model, device.name) == ("box-3", "kitchen")
        assert (await here.ask(path="/xiaozhi/ota/activate"))[0] == 200
        answer = (await here.ask())[1]
        assert "activation" not in answer
        judgement, owner = here.registry.judge(answer["websocket"]["token"], None)
        assert (judgement, owner) == (Judgement.VALID, "aa:bb")


async def test_another_installation_gets_no_token_of_the_former_one(tmp_path):
    async with place(tmp_path, pairing=True) as here:
        await here.registry.confirm((await here.ask())[1]["activation"]["code"])
        answer = (await here.ask(Client_Id="stranger"))[1]
        assert answer["websocket"]["token"] == ""
        assert answer["activation"]["code"]


async def test_who_was_shut_out_is_told_so(tmp_path):
    async with place(tmp_path, pairing=True) as here:
        await here.registry.confirm((await here.ask())[1]["activation"]["code"])
        await here.registry.revoke("aa:bb")
        for path in ("/xiaozhi/ota/", "/xiaozhi/ota/activate"):
            status, answer = await here.ask(path=path)
            assert (status, answer["error"]["code"]) == (403, "revoked")
        assert [refusal.reason for refusal in here.audit.latest] == ["revoked", "revoked"]


async def test_without_pairing_a_stranger_gets_neither_token_nor_code(tmp_path):
    async with place(tmp_path, tokens=("let-me-in",), allowed=frozenset({"friend"})) as here:
        for name in ("aa:bb", "friend"):
            answer = (await here.ask(Device_Id=name))[1]
            assert answer["websocket"]["token"] == ""
            assert "activation" not in answer
        assert (await here.ask(path="/xiaozhi/ota/activate"))[0] == 202


async def test_too_many_strangers_are_put_off(tmp_path):
    async with place(tmp_path, pairing=True) as here:
        for number in range(MOST_PENDING):
            await here.registry.ask(str(number), "", address=f"192.0.2.{number}")
        status, answer = await here.ask()
        assert (status, answer["error"]["code"]) == (503, "overloaded")
        names = NAMES | PROXIED
        async with here.http.post(here.base + "/xiaozhi/ota/", json=BODY, headers=names) as refused:
            assert int(refused.headers["Retry-After"]) > 0
        assert [refusal.reason for refusal in here.audit.latest] == ["crowded", "crowded"]


async def test_one_address_with_too_many_is_put_off_and_told_why(tmp_path, monkeypatch):
    async with place(tmp_path, pairing=True) as here:
        monkeypatch.setattr("lumi.server.ota.request_info", elsewhere)
        for number in range(PENDING_SHARE):
            assert (await here.ask(Device_Id=str(number)))[0] == 200
        async with here.http.post(here.base + "/xiaozhi/ota/", json=BODY, headers=NAMES | PROXIED) as refused:
            answer = await refused.json()
            assert (refused.status, answer["error"]["code"]) == (429, "rate_limited")
            assert "this address" in answer["error"]["message"]
            assert int(refused.headers["Retry-After"]) > 0
        assert [refusal.reason for refusal in here.audit.latest] == ["address_codes"]


@pytest.mark.parametrize("body", ["{", "[1]", '"text"'])
async def test_what_makes_no_sense_is_refused_with_the_reason(tmp_path, body):
    async with (
        place(tmp_path) as here,
        here.http.post(here.base + "/xiaozhi/ota/", data=body, headers=NAMES) as answer,
    ):
        assert answer.status == 400
        assert "the body is" in (await answer.json())["error"]["message"]


async def test_a_device_without_a_name_is_asked_for_one(tmp_path):
    async with place(tmp_path) as here:
        assert "Device-Id" in (await here.ask(Device_Id=""))[1]["error"]["message"]
        assert (await here.ask(path="/xiaozhi/ota/activate", Device_Id=""))[0] == 400
        assert (await here.ask(Device_Id="", body={"mac_address": "aa:cc"}))[0] == 200
        assert (await here.ask(body={"application": 7, "board": None}))[1]["firmware"]["version"] == ""


async def test_newer_firmware_is_offered_and_can_be_loaded_in_pieces(tmp_path):
    (tmp_path / "box-3_1.1.bin").write_bytes(b"0123456789")
    async with place(tmp_path) as here:
        firmware = (await here.ask())[1]["firmware"]
        assert firmware == {"version": "1.1", "url": f"{here.base}/xiaozhi/ota/firmware/box-3_1.1.bin"}
        async with here.http.get(firmware["url"]) as answer:
            assert await answer.read() == b"0123456789"
        async with here.http.get(firmware["url"], headers={"Range": "bytes=4-6"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"456")
        async with here.http.get(here.base + "/xiaozhi/ota/firmware/s") as answer:
            assert answer.status == 404, "the secret lies in the same directory here"


async def test_a_secret_that_others_may_read_gives_no_token(tmp_path):
    async with place(tmp_path, pairing=True) as here:
        await here.registry.confirm((await here.ask())[1]["activation"]["code"])
        (tmp_path / "s").write_text("x" * 40)
        (tmp_path / "s").chmod(0o644)
        status, answer = await here.ask()
        assert status == 500
        assert str(tmp_path) not in str(answer)
