import asyncio
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from tests.server.doubles import HELLO

from lumi.client.client import connect
from lumi.config import Config
from lumi.config.serving import LimitSettings, LogSettings, ServerSettings, StoreSettings
from lumi.errors import ConfigError, ConnectFailed, LumiError, NetworkUnavailable
from lumi.server.metrics import Metrics
from lumi.server.server import Server
from lumi.server.tls import LOOK_EVERY_S, Tls, open_tls, own_names
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad


def config(folder: Path, **server: Any) -> Config:
    given: dict[str, Any] = {
        "port": 0,
        "tls_port": 0,
        "drain_s": 1.0,
        "data_dir": folder,
        "tls": "local",
    } | server
    return Config(
        server=ServerSettings(**given),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False),
        limits=LimitSettings(hello_s=1.0),
    )


def serving(folder: Path, **server: Any) -> Server:
    engines = {"vad": ScriptedVad(), "stt": ScriptedStt(), "llm": ScriptedLlm(), "tts": ScriptedTts()}
    return Server(config(folder, **server), **engines)  # type: ignore[arg-type]


@pytest.mark.real
async def test_one_application_on_two_ports(tmp_path):
    async with serving(tmp_path) as server, aiohttp.ClientSession() as http:
        trust = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
        plain, safe = f"http://127.0.0.1:{server.port}", f"https://localhost:{server.tls.port}"
        for base in (plain, safe):
            async with http.get(f"{base}/tls", ssl=trust) as answer:
                assert await answer.json() == {"port": server.tls.port, "authority": "/lumi-ca.crt"}
            async with http.get(f"{base}/lumi-ca.crt", ssl=trust) as answer:
                assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
                assert await answer.read() == (tmp_path / "tls" / "ca.pem").read_bytes()
            async with http.ws_connect(base, ssl=trust, headers={"Origin": base}) as ws:
                await ws.send_json(HELLO)
                assert (await ws.receive_json())["type"] == "hello"
        async with http.post(
            f"{safe}/xiaozhi/ota/", ssl=trust, headers={"Device-Id": "a"}, json={}
        ) as answer:
            assert (await answer.json())["websocket"]["url"].startswith("wss://localhost:")
        assert b'lumi_tls_handshakes_total{outcome="done"}' in server.metrics.text()


@pytest.mark.real
async def test_our_client_trusts_the_authority_that_it_is_given_and_no_other(tmp_path):
    async with serving(tmp_path) as server:
        url = f"wss://127.0.0.1:{server.tls.port}/"
        with pytest.raises(ConnectFailed, match=r"does not trust \([^(\[]+\): .* --ca FILE"):
            async with connect(url, reconnect=None):
                pass
        async with connect(url, ca=tmp_path / "tls" / "ca.pem", reconnect=None) as client:
            assert (await client.chat("hi")).content == "You said: hi. That is all."


@pytest.mark.real
async def test_a_tls_hello_on_the_plain_port_is_a_bad_request(tmp_path, caplog):
    async with serving(tmp_path, tls="off") as server:
        assert server.tls.port is None
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
        assert b" 400 " in await reader.read()
        writer.close()
        async with aiohttp.ClientSession() as http, http.get(server.page_url + "tls") as answer:
            assert await answer.json() is None
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.real
async def test_a_port_that_is_taken_is_named_before_anything_is_told(tmp_path):
    async with serving(tmp_path / "a") as first:
        with pytest.raises(ConfigError) as caught:
            async with serving(tmp_path / "b", tls_port=first.tls.port):
                pass
    assert caught.value.key == "server.tls_port"


@pytest.mark.real
async def test_files_that_are_missing_are_named_before_anything_starts(tmp_path):
    with pytest.raises(ConfigError, match=r"tls_cert: .*cannot be read"):
        async with serving(tmp_path, tls="files", tls_cert=tmp_path / "no", tls_key=tmp_path / "no"):
            pass


class Scripted:
    """Certificates that are renewed, or cannot be, as told."""

    authority: bytes | None = None

    def __init__(self) -> None:
        self.next: list[ssl.SSLContext | LumiError | None] = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)]

    def refresh(self) -> ssl.SSLContext | None:
        given = self.next.pop(0) if self.next else None
        if isinstance(given, LumiError):
            raise given
        return given


async def test_a_certificate_is_exchanged_while_the_server_runs_and_a_bad_one_is_not_taken(tmp_path):
    scripted = Scripted()
    tls = Tls(config(tmp_path), Metrics(), scripted)
    first = tls._context
    new = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    wrong = ConfigError("server.tls_cert", "has expired")
    scripted.next = [None, wrong, NetworkUnavailable("no files"), new]
    task = asyncio.create_task(tls.run())
    await asyncio.sleep(3.5 * LOOK_EVERY_S)
    assert tls._context is first
    await asyncio.sleep(LOOK_EVERY_S)
    assert tls._context is new
    task.cancel()
    assert [route.path for route in tls.routes()] == ["/tls"], "somebody else's authority is not ours to give"


async def test_without_tls_there_is_nothing_of_it(tmp_path):
    tls = open_tls(config(tmp_path, tls="off"), Metrics(), lambda: 0.0)
    await tls.run()
    (about,) = tls.routes()
    answer = await about.handler(make_mocked_request("GET", "/tls"))
    assert isinstance(answer, web.Response)
    assert answer.text == "null", "who asks learns it, and no browser complains of an error"
    async with tls.serving(asyncio.Protocol):
        assert tls.port is None


def test_without_tls_nothing_that_makes_certificates_is_loaded():
    program = "import sys, lumi.server.app; print('cryptography' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert out.strip() == "False"


def test_a_server_is_called_by_its_name_and_by_where_it_listens():
    assert {"localhost", "127.0.0.1", "::1", "192.0.2.7"} <= set(own_names("192.0.2.7"))
    assert [name for name in own_names("127.0.0.1") if name.endswith(".local")]


@pytest.mark.real
def test_tls_on_the_standard_loop_ends_as_cleanly_as_on_the_fast_one(tmp_path):
    async def converse() -> str:
        async with serving(tmp_path) as server:
            url = f"wss://127.0.0.1:{server.tls.port}/"
            async with connect(url, ca=tmp_path / "tls" / "ca.pem", reconnect=None) as client:
                return (await client.chat("hi")).content

    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        assert runner.run(converse()) == "You said: hi. That is all."
