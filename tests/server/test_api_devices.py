from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from openapi_spec_validator import validate

from lumi.config.serving import ServerSettings
from lumi.server.admin import Admin
from lumi.server.api_console import ConsoleApi
from lumi.server.api_devices import DevicesApi
from lumi.server.api_pushes import PushesApi
from lumi.server.audit import AuditLog
from lumi.server.bells import Bells
from lumi.server.household import Household
from lumi.server.metrics import Metrics
from lumi.server.openapi import document
from lumi.server.port import listening
from lumi.server.pushes import Locale, Pushes
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import SecretFile
from lumi.server.tokens import Judgement
from lumi.store.memory import MemoryStore

pytestmark = pytest.mark.real


async def nobody(device_id: str, text: str, *, kind: str, notice_id: str, due_at: float) -> bool:
    raise AssertionError(f"{notice_id} ({kind}) rings at {due_at} on {device_id}: {text}")


class Api:
    def __init__(self, path: Path) -> None:
        self.registry = DeviceRegistry(MemoryStore(), lambda: 1_700_000_000.0, SecretFile(path / "s"))
        self.audit = AuditLog(Metrics(), lambda: 0.0)
        self.dismissed: list[str] = []
        household = Household(self.registry, lambda device_id: device_id == "here", self.dismissed.append)
        self.secret = SecretFile(path / "admin")
        admin, bells = Admin(self.secret, self.audit), Bells(MemoryStore(), lambda: 0.0, nobody)
        pushes = Pushes(household, (), bells.timers, lambda: 0.0, lambda _: Locale("en", "UTC"))
        self.api = DevicesApi(household, admin, self.audit, "1.2.3")
        seen: Any = None  # nobody looks at what goes on here
        console = ConsoleApi(seen, admin, self.registry, "1.2.3")
        self.routes = [*console.routes(), *PushesApi(pushes, admin).routes(), *self.api.routes()]
        self.base = ""
        self.http: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, body: Any = None, token: str | None = None, **options: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.secret.obtain() if token is None else token}"}
        async with self.http.request(
            method, f"{self.base}/api/v1/{path}", json=body, headers=headers, **options
        ) as answer:
            text = await answer.text()
            return answer.status, msgspec.json.decode(text) if text else None


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[Api]:
    made = Api(path)
    app = web.Application()
    app.add_routes(made.routes)
    async with listening(app, ServerSettings(port=0)) as port, aiohttp.ClientSession() as http:
        made.base, made.http = f"http://127.0.0.1:{port}", http
        yield made


async def test_a_device_is_let_in_described_and_shut_out(tmp_path):
    async with serving(tmp_path) as api:
        code = (await api.registry.ask("aa:bb", "c", model="box")).code
        assert (await api.call("GET", "devices"))[1]["devices"][0]["state"] == "pending"
        status, device = await api.call("POST", "pairings", {"code": f"{code[:3]} {code[3:]}"})
        assert (status, device["id"], device["state"]) == (200, "aa:bb", "paired")
        status, device = await api.call("PATCH", "devices/aa:bb", {"name": "厨房", "language": "zh"})
        assert (status, device["name"], device["language"]) == (200, "厨房", "zh")
        assert (await api.call("GET", "devices/aa:bb"))[1] == device
        assert (await api.call("POST", "devices/aa:bb/revoke"))[1]["state"] == "revoked"
        assert api.dismissed == ["aa:bb"]
        assert await api.call("DELETE", "devices/aa:bb") == (204, None)
        assert (await api.call("GET", "devices"))[1] == {"devices": []}


async def test_a_device_is_meant_by_its_name_too_if_it_was_let_in_and_no_other_has_it(tmp_path):
    async with serving(tmp_path) as api:
        for device_id in ("aa:bb", "cc:dd"):
            await api.registry.confirm((await api.registry.ask(device_id, "c", name="Kitchen")).code)
        await api.registry.ask("stranger", "c", name="Attic")
        status, answer = await api.call("POST", "devices/kitchen/revoke")
        assert (status, answer["error"]["code"]) == (409, "ambiguous_device")
        assert "aa:bb, cc:dd" in answer["error"]["message"]
        await api.call("PATCH", "devices/cc:dd", {"name": "attic"})
        assert (await api.call("POST", "devices/Attic/revoke"))[1]["id"] == "cc:dd", (
            "who waits may call itself as it likes"
        )
        assert api.dismissed == ["cc:dd"]
        assert (await api.call("GET", "devices/kitchen"))[1]["id"] == "aa:bb"
        await api.call("PATCH", "devices/aa:bb", {"name": "cc:dd"})
        assert (await api.call("GET", "devices/cc:dd"))[1]["id"] == "cc:dd", "an id counts for more"
        assert await api.call("DELETE", "devices/attic") == (204, None)


async def test_a_code_that_nobody_shows_is_none_and_wears_the_others_out(tmp_path):
    async with serving(tmp_path) as api:
        code = (await api.registry.ask("aa:bb", "c")).code
        wrong = "000000" if code != "000000" else "111111"
        for _ in range(5):
            status, answer = await api.call("POST", "pairings", {"code": wrong})
            assert (status, answer["error"]["code"]) == (404, "unknown_code")
        assert (await api.call("POST", "pairings", {"code": code}))[0] == 404


async def test_tokens_are_made_and_taken_back(tmp_path):
    async with serving(tmp_path) as api:
        status, answer = await api.call("POST", "devices/program/token")
        assert status == 200
        assert api.registry.judge(answer["token"], None) == (Judgement.VALID, "program")
        assert (await api.call("POST", "devices/program/rotate"))[0] == 200
        assert api.registry.judge(answer["token"], None) == (Judgement.VOID, "program")
        await api.call("POST", "devices/program/revoke")
        assert (await api.call("POST", "devices/program/token"))[0] == 404
        assert (await api.call("POST", "devices/a%7Cb/token"))[0] == 404


@pytest.mark.parametrize("token", ["", "wrong", "Bearer"])
async def test_nobody_comes_in_without_the_token_not_even_from_this_machine(tmp_path, token):
    async with serving(tmp_path) as api:
        for method, path in (("GET", "devices"), ("POST", "pairings"), ("DELETE", "devices/x")):
            status, answer = await api.call(method, path, token=token)
            assert (status, answer["error"]["code"]) == (401, "unauthorized")
        assert len(api.audit.latest) == 3
        assert api.secret.obtain() not in repr(api.audit.latest)


async def test_a_token_in_the_address_does_not_count_nor_one_whose_file_others_may_read(tmp_path):
    async with serving(tmp_path) as api:
        secret = api.secret.obtain()
        async with api.http.get(f"{api.base}/api/v1/devices?authorization={secret}") as answer:
            assert answer.status == 401
        api.secret.path.chmod(0o644)
        assert (await api.call("GET", "devices", token=secret))[0] == 401
        api.secret.path.unlink()
        assert (await api.call("GET", "devices", token=secret))[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "devices/unknown", None, 404, "unknown_device"),
        ("PATCH", "devices/unknown", {"name": "x"}, 404, "unknown_device"),
        ("DELETE", "devices/unknown", None, 404, "unknown_device"),
        ("PATCH", "devices/x", {"nmae": "x"}, 422, "bad_request"),
        ("PATCH", "devices/x", {"language": "fr"}, 422, "bad_request"),
        ("POST", "pairings", {"code": 123456}, 422, "bad_request"),
        ("POST", "pairings", None, 400, "bad_json"),
        ("POST", "devices", None, 404, "not_found"),
        ("GET", "nothing", None, 404, "not_found"),
    ],
)
async def test_every_mistake_is_named_in_json(tmp_path, method, path, body, status, code):
    async with serving(tmp_path) as api:
        got, answer = await api.call(method, path, body)
        assert (got, answer["error"]["code"]) == (status, code)
        assert answer["error"]["message"]


@pytest.mark.parametrize(
    ("body", "encoding", "code"),
    [
        (b'{"name": "\xff"}', "identity", "bad_json"),
        (b'{"name": "\\ud800"}', "identity", "bad_json"),
        (b"no gzip", "gzip", "bad_body"),
    ],
)
async def test_a_body_that_is_no_text_is_named_too(tmp_path, body, encoding, code):
    async with serving(tmp_path) as api:
        headers = {"Authorization": f"Bearer {api.secret.obtain()}", "Content-Encoding": encoding}
        async with api.http.patch(
            f"{api.base}/api/v1/devices/x",
            data=body,
            headers=headers,
            skip_auto_headers=["Content-Type"],
        ) as answer:
            told = await answer.json()
        assert (answer.status, told["error"]["code"]) == (400, code)


@pytest.mark.parametrize("device_id", ["%00", "a" * 129, "%20x"])
async def test_no_token_is_made_for_a_name_that_no_device_can_show(tmp_path, device_id):
    async with serving(tmp_path) as api:
        status, answer = await api.call("POST", f"devices/{device_id}/token")
        assert (status, answer["error"]["code"]) == (404, "unknown_device")
        assert (await api.call("GET", "devices"))[1] == {"devices": []}


async def test_who_was_refused_can_be_seen(tmp_path):
    async with serving(tmp_path) as api:
        await api.call("GET", "devices", token="wrong")
        (refusal,) = (await api.call("GET", "refusals"))[1]["refusals"]
        assert (refusal["reason"], refusal["where"]) == ("bad_admin_token", "/api/v1/devices")


async def test_the_description_is_valid_and_tells_of_every_route(tmp_path):
    async with serving(tmp_path) as api:
        async with api.http.get(f"{api.base}/api/v1/openapi.json") as answer:
            told = await answer.json()
        validate(told)
        assert told == msgspec.json.decode(msgspec.json.encode(document("1.2.3")))
        described = {
            (method.upper(), path)
            for path, operations in told["paths"].items()
            for method in operations
            if method != "parameters"
        }
        served = {(route.method, route.path) for route in api.routes if route.method != "*"}
        assert served - {("GET", "/api/v1/openapi.json")} == described
