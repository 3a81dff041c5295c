import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.doubles import HELLO, Caller

from lumi.config import Config
from lumi.config.devices import DeviceSettings
from lumi.config.serving import LimitSettings, LogSettings, ServerSettings, StoreSettings
from lumi.errors import ConfigError, EngineUnavailable, StoreError
from lumi.server.server import Server
from lumi.store.memory import MemoryStore
from lumi.store.recordings import Closed, Recordings, read
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.transport.memory import memory_link_pair

pytestmark = pytest.mark.real


def config(**server: Any) -> Config:
    return Config(
        server=ServerSettings(**{"port": 0, "drain_s": 1.0} | server),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False),
    )


def scripted(**engines: Any) -> dict[str, Any]:
    return {"vad": ScriptedVad(), "stt": ScriptedStt(), "llm": ScriptedLlm(), "tts": ScriptedTts()} | engines


class SlowStart(ScriptedStt):
    """Loads when it is told to, or fails."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.failure: Exception | None = None
        self.closed = False
        self.languages = ("en",)

    async def start(self) -> None:
        await self.go.wait()
        if self.failure is not None:
            raise self.failure


async def test_a_server_answers_over_a_socket_and_over_a_link():
    async with Server(config(), **scripted()) as server, aiohttp.ClientSession() as http:
        assert server.url == f"ws://127.0.0.1:{server.port}/"
        async with http.ws_connect(server.url) as ws:
            await ws.send_json(HELLO)
            assert (await ws.receive_json())["type"] == "hello"
            await ws.send_json({"type": "chat", "id": "c", "content": "hi"})
            assert (await ws.receive_json())["content"] == "You said: hi. That is all."
        client, link = memory_link_pair()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.gateway.serve(link))
            assert (await Caller(client).greet())["type"] == "hello"
            await client.close()


async def test_hellos_are_answered_before_the_engines_have_loaded():
    stt = SlowStart()
    async with Server(config(), **scripted(stt=stt)) as server, aiohttp.ClientSession() as http:
        assert server.health == "starting"
        async with http.get(server.page_url + "healthz") as answer:
            assert answer.status == 503
        async with http.ws_connect(server.url) as ws:
            await ws.send_json(HELLO)
            assert (await ws.receive_json())["type"] == "hello"
        assert server.unheard_languages == ("Chinese",)
        stt.go.set()
        await server.wait_ready()
        assert server.health == ""
        async with http.get(server.page_url + "healthz") as answer:
            assert answer.status == 200


async def test_an_engine_that_cannot_load_is_named_and_makes_the_server_unfit():
    stt = SlowStart()
    stt.failure = EngineUnavailable("slow", "install it")
    stt.go.set()
    async with Server(config(), **scripted(stt=stt)) as server:
        with pytest.raises(EngineUnavailable, match="install it"):
            await server.wait_ready()
        assert server.health == "slow: install it"


async def test_leaving_says_goodbye():
    async def rest(ws: aiohttp.ClientWebSocketResponse) -> tuple[Any, aiohttp.WSMessage]:
        return await ws.receive_json(), await ws.receive()

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        async with Server(config(), **scripted()) as server:
            ws = await http.ws_connect(server.url)
            await ws.send_json(HELLO)
            await ws.receive_json()
            hearing = tasks.create_task(rest(ws))
        goodbye, close = await hearing
        assert (goodbye["type"], goodbye["reason"]) == ("goodbye", "server going away")
        assert (close.type, close.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.ws_connect(server.url)
    assert server.health == "draining"


async def test_what_was_given_is_not_closed():
    store = MemoryStore()
    async with Server(config(), store=store, **scripted()):
        pass
    assert not await store.timers.of("d")


async def test_a_second_server_on_the_same_port_is_told_what_to_do():
    async with Server(config(), **scripted()) as server:
        with pytest.raises(ConfigError, match=f"{server.port} is in use"):
            async with Server(config(port=server.port), **scripted()):
                pass


async def test_old_answers_are_forgotten_by_the_wall_clock(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lumi.server.retention.EVERY_S", 0.01)
    failures = [StoreError("the disk is full")]
    forgotten: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    class Answers:
        async def forget_before(self, created_at: float) -> int:
            if failures:
                raise failures.pop()
            if not forgotten.done():
                forgotten.set_result(created_at)
            return 0

    store = MemoryStore()
    store.answers = Answers()  # type: ignore[assignment]
    async with Server(config(), store=store, wall_clock=lambda: 100_000.0, **scripted()):
        assert await forgotten == 100_000.0 - 24 * 3600


async def test_a_push_reaches_the_device():
    async with Server(config(), **scripted()) as server, aiohttp.ClientSession() as http:
        assert not await server._push("dev", "ring", kind="timer", notice_id="n", due_at=1.0)
        async with http.ws_connect(server.url) as ws:
            await ws.send_json(HELLO | {"features": {"notify": True}})
            await ws.receive_json()
            assert await server._push("dev", "ring", kind="timer", notice_id="n", due_at=1.0)
            notify = await ws.receive_json()
            assert (notify["type"], notify["id"], notify["text"]) == ("notify", "n", "ring")


async def test_what_others_count_is_shown():
    async with Server(config(), **scripted()) as server, aiohttp.ClientSession() as http:
        async with http.ws_connect(server.url) as ws:
            await ws.send_json(HELLO)
            await ws.receive_json()
            async with http.get(server.page_url + "metrics") as answer:
                counts = (await answer.text()).splitlines()
        assert {"lumi_sessions 1.0", "lumi_links 1.0", "lumi_frames_late 0.0", "lumi_cache_bytes 0.0"} <= set(
            counts
        )


async def test_a_device_that_is_to_be_recorded_is(tmp_path: Path):
    recording = {"tape": DeviceSettings(match=("*",), record=True), "shy": DeviceSettings(record=False)}
    settings = config(data_dir=tmp_path).model_copy(update={"devices": recording})
    async with Server(settings, **scripted()) as server, aiohttp.ClientSession() as http:
        for device in ("shy", "kitchen"):
            async with http.ws_connect(server.url) as ws:
                await ws.send_json(HELLO | {"device_id": device})
                assert (await ws.receive_json())["type"] == "hello"
    ((path, header),) = Recordings(tmp_path / "recordings").all()
    assert header.device_id == "kitchen"
    assert isinstance(read(path).entries[-1], Closed)


async def test_while_it_drains_it_is_not_well():
    async def health(http: aiohttp.ClientSession, page: str) -> tuple[int, str]:
        async with http.get(f"{page}healthz") as answer:
            return answer.status, (await answer.json())["status"]

    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
        server = Server(config(), **scripted())
        await server.__aenter__()
        await server.wait_ready()
        ws = await http.ws_connect(server.url)  # does not read, so its line takes a while to close
        await ws.send_json(HELLO)
        assert await health(http, server.page_url) == (200, "ready")
        leaving = tasks.create_task(server.__aexit__(None, None, None))
        await asyncio.sleep(0)
        assert await health(http, server.page_url) == (503, "draining")
        await leaving
        await ws.close()


async def test_a_device_that_has_had_its_engine_time_is_told_so_over_the_wire_and_over_http():
    limits = LimitSettings(engine_minutes_per_hour=0.0005)
    settings = config().model_copy(update={"limits": limits})
    llm = ScriptedLlm(delay_s=0.05)
    async with Server(settings, **scripted(llm=llm)) as server, aiohttp.ClientSession() as http:
        async with http.ws_connect(server.url) as ws:
            await ws.send_json(HELLO)
            await ws.receive_json()
            await ws.send_json({"type": "chat", "id": "1", "content": "hi"})
            assert (await ws.receive_json())["type"] == "response"
            await ws.send_json({"type": "chat", "id": "2", "content": "hi"})
            error = await ws.receive_json()
            assert (error["error_code"], error["id"]) == ("rate_limited", "2")
            assert 3500 < error["retry_after"] <= 3600
        form = aiohttp.FormData({"question": "what is this"})
        form.add_field("image", b"\xff\xd8\xff", filename="x.jpg")
        headers = {"Device-Id": str(HELLO["device_id"])}
        async with http.post(f"{server.page_url}mcp/vision/explain", data=form, headers=headers) as answer:
            assert answer.status == 429
            assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        counts = server.metrics.text().decode()
    assert llm.calls == 1
    assert "lumi_over_engine_time_total 2.0" in counts
    assert 0.049 < float(counts.split('lumi_engine_seconds_total{kind="llm"} ')[1].split()[0]) < 1.0
