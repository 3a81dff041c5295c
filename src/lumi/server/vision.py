"""`POST /mcp/vision/explain`: a device sends a question and a picture, and gets words for what is to be seen."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from lumi.engines.base import ChatMessage, Image, Llm, Prompt, Speaker, TextDelta
from lumi.errors import EngineError, LumiError, Trouble
from lumi.server.audit import AuditLog
from lumi.server.auth import JUDGEMENTS, REFUSALS, Doorkeeper, Standing, Verdict
from lumi.server.generations import Lease
from lumi.server.identity import shown_token
from lumi.server.log import Subject, logger
from lumi.server.vision_pass import PATH, VisionPasses
from lumi.transport.base import LinkInfo
from lumi.transport.websocket import request_info
from lumi.voice.deadline import within
from lumi.voice.events import Stage
from lumi.voice.language import language_of
from lumi.voice.phrases import excuse

LARGEST_BYTES = 5 * 1024 * 1024
LONGEST_QUESTION_BYTES = 32 * 1024

ACCEPTED = "JPEG, PNG, GIF, BMP, TIFF or WEBP of at most 5 MB"
BLIND = (
    "the configured language model cannot look at pictures; set one that can: vision.base_url and vision.model "
    "(LUMI_VISION__BASE_URL, LUMI_VISION__MODEL), or an OpenAI-compatible llm.engine"
)
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_STATUSES = {Trouble.BUSY: 503, Trouble.SLOW: 504, Trouble.REFUSED: 422, Trouble.SPENT: 429}

log = logger(Subject.HTTP)


class NotLookedAt(LumiError):
    """A request that gets no answer, with its HTTP status."""

    def __init__(self, status: int, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Asked:
    """What came."""

    question: str
    image: Image


def media_type(data: bytes) -> str | None:
    """What kind of picture it is, by its first bytes: what the sender calls it is not believed."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


@dataclass(frozen=True, slots=True)
class VisionDesk:
    """Answers the endpoint.

    Args:
        doorkeeper: says who may come in.
        passes: says whose pass is shown.
        lease: who looks for a device, and how things hold for it.
        audit: where refusals are noted.
    """

    doorkeeper: Doorkeeper
    passes: VisionPasses
    lease: Callable[[str], Lease]
    audit: AuditLog

    def routes(self) -> list[web.RouteDef]:
        return [web.post(PATH, self.explain)]

    async def explain(self, request: web.Request) -> web.Response:
        """200 with the words, or a status and what was wrong; always JSON."""
        info = request_info(request)
        try:
            device_id = self._admitted(info)
            text = await self._look(device_id, await read(request))
        except NotLookedAt as problem:
            log.warning("picture not explained", status=problem.status, error=str(problem))
            after = problem.retry_after_s
            headers = {} if after is None else {"Retry-After": str(max(1, math.ceil(after)))}
            body = {"success": False, "message": str(problem)}
            return web.json_response(body, status=problem.status, headers=headers)
        return web.json_response({"success": True, "action": "RESPONSE", "response": text})

    def _admitted(self, info: LinkInfo) -> str:
        """Whose request it is. Where anything has to be shown it is a token: no name stands for one here."""
        admission = self.doorkeeper.judge(info)
        verdict, device_id = admission.verdict, admission.device_id or ""
        if verdict is Verdict.BAD_TOKEN:
            judgement, device_id = self.passes.judge(shown_token(info))
            revoked = self.doorkeeper.standing(info, device_id) is Standing.REVOKED
            verdict = Verdict.REVOKED if revoked else JUDGEMENTS[judgement]
        elif verdict is Verdict.WELCOME and not shown_token(info):
            is_open = self.doorkeeper.standing(info, device_id) is Standing.OPEN
            verdict = Verdict.WELCOME if is_open else Verdict.NO_TOKEN
        if verdict is not Verdict.WELCOME:
            self.audit.refused(verdict, info, device_id)
            raise NotLookedAt(*REFUSALS.get(verdict, REFUSALS[Verdict.NO_TOKEN]))
        return device_id

    async def _look(self, device_id: str, asked: Asked) -> str:
        with self.lease(device_id) as kit:
            llm, timeout_s = kit.eyes or kit.llm, kit.settings.vision_timeout_s
            if not getattr(llm, "sees_images", False):
                raise NotLookedAt(501, BLIND)
            language = language_of(asked.question, kit.settings.language)
            return await _seen(llm, device_id, asked, language, timeout_s)


async def _seen(llm: Llm, device_id: str, asked: Asked, language: str, timeout_s: float) -> str:
    message = ChatMessage("user", asked.question, images=(asked.image,))
    prompt = Prompt((message,), Speaker(device_id=device_id, language=language))
    try:
        async with asyncio.timeout(timeout_s):
            text = await _words(llm, prompt, timeout_s)
    except TimeoutError:
        slow = EngineError(llm.name, "took too long", trouble=Trouble.SLOW)
        raise NotLookedAt(504, excuse(Stage.LLM, slow, language)) from None
    except EngineError as error:
        log.warning("engine failed", engine=error.engine, trouble=str(error.trouble), error=str(error))
        status = _STATUSES.get(error.trouble, 502)
        said = excuse(Stage.LLM, error, language)
        if error.trouble is Trouble.REFUSED:
            said += " (If it cannot look at pictures, set vision.model to one that can.)"
        raise NotLookedAt(status, said, error.retry_after_s) from error
    if not text:
        raise NotLookedAt(502, "the model looked at it and said nothing; try again")
    return text


async def _words(llm: Llm, prompt: Prompt, timeout_s: float) -> str:
    text = ""
    async with aclosing(within(llm.reply(prompt), engine=llm.name, timeout_s=timeout_s)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                text += event.text
    return text.strip()


async def read(request: web.Request) -> Asked:
    """Take the form in, part by part, never more than it may have.

    Raises:
        NotLookedAt: it is none, or something in it is missing, too large or no picture.
    """
    if request.content_type != "multipart/form-data":
        raise NotLookedAt(400, "send multipart/form-data with `question` and then the picture")
    try:
        question, picture = await _parts(MultipartReader(request.headers, request.content))
    except (ValueError, HttpProcessingError, web.RequestPayloadError) as error:
        raise NotLookedAt(400, f"the form is broken: {error}") from error
    if not question:
        raise NotLookedAt(400, "`question` is missing: say what you want to know about the picture")
    if not picture:
        raise NotLookedAt(400, f"the picture is missing: send it after `question`; accepted: {ACCEPTED}")
    kind = media_type(picture)
    if kind is None:
        raise NotLookedAt(415, f"this is no picture that is known here; accepted: {ACCEPTED}")
    return Asked(question, Image(picture, kind))


async def _parts(form: MultipartReader) -> tuple[str, bytes]:
    """Question and picture, empty where there is none. Raises `ValueError` where the form is broken."""
    question, picture = "", b""
    async for part in form:
        if isinstance(part, BodyPartReader) and part.name == "question":
            question = (await _part(part, LONGEST_QUESTION_BYTES)).decode(errors="replace").strip()
        elif isinstance(part, BodyPartReader) and (part.filename or part.name in {"file", "image"}):
            picture = await _part(part, LARGEST_BYTES)
    return question, picture


async def _part(part: BodyPartReader, limit: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk():
        data += chunk
        if len(data) > limit:
            raise NotLookedAt(413, f"`{part.name}` is larger than {limit // 1024} KB; accepted: {ACCEPTED}")
    return bytes(data)
