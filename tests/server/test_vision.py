"""Pictures over a real socket: the stand-in looks at them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from tests.server.doubles import counted

from lumi.config import Config
from lumi.config.engines import LlmSettings
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.config.vision import VisionSettings
from lumi.server.server import Server
from lumi.server.vision import LARGEST_BYTES, media_type
from lumi.server.vision_pass import PATH
from lumi.testing import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad
from lumi.testing.openai_faults import Fault
from lumi.testing.openai_server import OpenAiServer

JPEG = b"\xff\xd8\xff\xe0" + bytes(100)


@asynccontextmanager
async def house(*, token: str = "", **settings: Any) -> AsyncIterator[tuple[Server, aiohttp.ClientSession]]:
    config = Config(
        server=ServerSettings(port=0, drain_s=0.1, token=SecretStr(token) if token else None),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False, level="error"),
        **settings,
    )
    given: dict[str, Any] = {"vad": ScriptedVad(), "stt": ScriptedStt(), "tts": ScriptedTts()}
    if "llm" not in settings:
        given["llm"] = ScriptedLlm()
    async with Server(config, **given) as server, aiohttp.ClientSession() as http:
        await server.wait_ready()
        yield server, http


def form(picture: bytes | None = JPEG, question: str | None = "What is this?") -> aiohttp.FormData:
    data = aiohttp.FormData(default_to_multipart=True)
    if question is not None:
        data.add_field("question", question)
    if picture is not None:
        data.add_field("file", io.BytesIO(picture), filename="camera.jpg", content_type="image/jpeg")
    if question is None and picture is None:
        data.add_field("nothing", "at all")
    return data


async def explained(
    server: Server, http: aiohttp.ClientSession, data: Any = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    url = server.page_url.rstrip("/") + PATH
    async with http.post(url, data=form() if data is None else data, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.real
async def test_the_configured_model_looks() -> None:
    async with OpenAiServer(answers={"What is this?": "A red cup."}) as service:
        llm = LlmSettings(engine="openai", base_url=service.base_url)
        async with house(llm=llm) as (server, http):
            status, body = await explained(server, http)
            assert (status, body) == (200, {"success": True, "action": "RESPONSE", "response": "A red cup."})
            (asked,) = service.of("chat")
            parts = asked.body["messages"][-1]["content"]
            assert parts[0] == {"type": "text", "text": "What is this?"}
            assert parts[1]["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/4")
            large = JPEG + bytes(LARGEST_BYTES - len(JPEG))
            assert (await explained(server, http, form(large)))[0] == 200


@pytest.mark.real
async def test_a_model_of_its_own_looks() -> None:
    async with OpenAiServer() as service:
        vision = VisionSettings(base_url=service.base_url, model=service.script.models[0])
        async with house(vision=vision) as (server, http):
            assert (await explained(server, http))[0] == 200


@pytest.mark.real
async def test_a_model_that_cannot_look_is_owned_up_to_with_the_mend() -> None:
    async with house() as (server, http):
        status, body = await explained(server, http)
        assert (status, body["success"]) == (501, False)
        assert "vision.model" in body["message"]


@pytest.mark.real
async def test_nobody_is_let_in_by_a_name_alone() -> None:
    async with house(token="let-me-in") as (server, http):
        refused = await explained(server, http, **{"Device-Id": "aa:bb:cc:dd:ee:ff", "Client-Id": "x"})
        assert refused[0] == 401
        assert "Bearer" in refused[1]["message"]
        assert (await explained(server, http, Authorization="Bearer wrong"))[0] == 401
        assert (await explained(server, http, Authorization="Bearer let-me-in"))[0] == 501
        evil = await explained(server, http, Authorization="Bearer let-me-in", Origin="https://evil.example")
        assert evil[0] == 403
        for reason in ("no_token", "bad_token", "bad_origin"):
            assert counted(server.metrics, f'lumi_refused_total{{reason="{reason}"}} 1.0')


@pytest.mark.real
@pytest.mark.parametrize(
    ("data", "status", "word"),
    [
        ({"question": "x"}, 400, "multipart"),
        (form(None), 400, "picture is missing"),
        (form(question=None), 400, "`question` is missing"),
        (form(None, None), 400, "`question` is missing"),
        (form(b"no picture"), 415, "JPEG, PNG"),
        (form(JPEG + bytes(LARGEST_BYTES)), 413, "5 MB"),
        (form(question="x" * 40_000), 413, "question"),
    ],
)
async def test_what_makes_no_sense_is_told(data: Any, status: int, word: str) -> None:
    async with house() as (server, http):
        answered, body = await explained(server, http, data)
        assert (answered, body["success"]) == (status, False)
        assert word in body["message"]


@pytest.mark.real
async def test_a_form_that_breaks_off_is_told() -> None:
    async with house() as (server, http):
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        for body in (b"", b"--b\r\nContent-Disposition: form-data; name=question\r\n\r\nhi", b"nonsense"):
            assert (await explained(server, http, body or b"--", **headers))[0] == 400


@pytest.mark.real
@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.BUSY, 503), (Fault.UNAUTHORIZED, 502), (Fault.DROP, 502), (Fault.HALF, 502), (Fault.SILENT, 504)],
)
async def test_what_fails_is_told_by_kind(fault: Fault, status: int) -> None:
    async with OpenAiServer() as service:
        patience_s = 1 if fault is Fault.SILENT else 30  # the others answer in their own time
        vision = VisionSettings(base_url=service.base_url, timeout_s=patience_s)
        async with house(vision=vision) as (server, http):
            service.break_("chat", fault)
            answered, body = await explained(server, http, form(question="这是什么"))
            assert (answered, body["success"]) == (status, False)
            assert "语言模型" in body["message"]
            service.mend()
            assert (await explained(server, http))[0] == 200


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (JPEG, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nxx", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"GIF87a", "image/gif"),
        (b"BM1234", "image/bmp"),
        (b"II*\x00", "image/tiff"),
        (b"MM\x00*", "image/tiff"),
        (b"RIFF1234WEBPVP8 ", "image/webp"),
        (b"RIFF1234WAVE", None),
        (b"%PDF-1.4", None),
    ],
)
def test_pictures_are_known_by_their_first_bytes(head: bytes, kind: str | None) -> None:
    assert media_type(head) == kind
