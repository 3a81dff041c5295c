"""One OpenAI-compatible service as an engine sees it: the SDK's client, made when it is first needed, and requests whose
failures are `EngineError`s.

The SDK does not retry (a turn waits for nobody), with one exception of ours: a connection that the service had closed
while it lay in the pool costs a second attempt, before the first byte. Leaving a request closes its connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from lumi.engines import openai_errors
from lumi.engines.openai_endpoint import NAME, Endpoint, Transport
from lumi.engines.openai_models import FALLBACKS, choose
from lumi.engines.server_sent_events import EventReader
from lumi.errors import EngineError, EngineUnavailable

if TYPE_CHECKING:
    from openai import AsyncOpenAI

LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
"""Of an answer that is read as a whole."""

DRAIN_S = 0.1
"""How long the end of an answer that says nothing more is waited for."""

NO_KEY = "none"
"""Shown to services that want no key: without any the SDK refuses to ask, or takes one from the environment."""

NO_LIST = frozenset({404, 405, 501})
"""Answers of a service that does not list its models."""

log = logging.getLogger("lumi.engine")


class Answer:
    """What came back: its kind and its bytes, as they come."""

    def __init__(self, content_type: str, pieces: AsyncIterator[bytes]) -> None:
        self.content_type = content_type.partition(";")[0].strip().lower()
        self.pieces = pieces

    async def whole(self) -> bytes:
        """All of it. Raises `BadAnswer` beyond what an answer can have."""
        data = bytearray()
        async for piece in self.pieces:
            data += piece
            if len(data) > LARGEST_ANSWER_BYTES:
                raise openai_errors.BadAnswer(f"more than {LARGEST_ANSWER_BYTES} bytes")
        return bytes(data)


Call = Callable[["AsyncOpenAI"], AbstractAsyncContextManager[Any]]
"""Opens a request, by one of the SDK's `with_streaming_response` methods."""


class Service:
    """One endpoint, its connection pool, and its model. One for all sessions.

    Raises:
        EngineUnavailable: the SDK is not installed.
    """

    def __init__(self, endpoint: Endpoint, options: Transport) -> None:
        if importlib.util.find_spec("openai") is None:
            raise EngineUnavailable(
                NAME, "its SDK is missing; install it with: pip install 'lumi-assistant[server]'"
            )
        self.endpoint = endpoint
        self.options = options
        self._model = endpoint.model
        self._client: AsyncOpenAI | None = None
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Load the SDK and choose a model. A service that does not answer yet is no reason not to start."""
        try:
            await self.model()
            await self.client()
        except EngineError as error:
            log.warning("%s for %s: %s", NAME, self.endpoint.kind, error)

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def client(self) -> AsyncOpenAI:
        async with self._lock:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make)
            return self._client

    def _make(self) -> AsyncOpenAI:
        """Import and build; takes a second, in a thread."""
        import openai

        to, options = self.endpoint, self.options
        # Nothing that stands in this machine's environment for OpenAI itself may go to another service.
        unsaid: dict[str, Any] = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
        client = openai.AsyncOpenAI(
            api_key=to.api_key or NO_KEY,
            base_url=to.base_url,
            max_retries=0,
            timeout=openai.Timeout(options.timeout_s, connect=options.connect_s),
            default_headers=unsaid | options.headers,
        )
        # The SDK imports its parts when they are first touched.
        _ = (client.models, client.chat.completions, client.audio.speech, client.audio.transcriptions)
        return client

    async def model(self) -> str:
        """The model that is set, else one that the service has. Raises `EngineError`."""
        if not self._model:
            kind, models = self.endpoint.kind, await self._list_models()
            model = choose(kind, models)
            if model is None and models:
                shown = ", ".join(models[:5])
                message = (
                    f"none of the models of {self.endpoint.where} looks fit ({shown} …); set {kind}.model"
                )
                raise EngineError(NAME, message, retryable=False)
            self._model = model or FALLBACKS[kind]
            log.info(
                "%s for %s: no model is set; using %s of %s (%s.model sets another)",
                NAME, kind, self._model, self.endpoint.where, kind,
            )  # fmt: skip
        return self._model

    async def probe(self) -> None:
        """Ask something cheap: whether the service is there, and takes the key. Raises `EngineError`."""
        await self._list_models()

    async def _list_models(self) -> list[str]:
        """What the service has; nothing, where it does not list them."""
        try:
            async with self.ask(lambda client: client.models.with_streaming_response.list(), "") as answer:
                return [model.id for model in msgspec.json.decode(await answer.whole(), type=_Models).data]
        except EngineError as error:
            if openai_errors.status_of(error.__cause__) in NO_LIST:
                return []
            raise

    @asynccontextmanager
    async def ask(self, call: Call, model: str) -> AsyncIterator[Answer]:
        """Make a request; its answer is to be read inside, and leaving closes the request.

        Raises:
            EngineError: whatever goes wrong until the answer has been read.
        """
        client = await self.client()
        began = False
        try:
            async with AsyncExitStack() as stack:
                response = await self._open(stack, client, call)
                began = True
                pieces = response.iter_bytes()
                stack.push_async_callback(pieces.aclose)  # whoever reads it may be cut off between two pieces
                answer = Answer(response.headers.get("content-type", ""), pieces)
                yield answer
                await _drain(answer)
        except openai_errors.raised_by_sdk() as error:
            problem = openai_errors.Problem(self.endpoint, model, self.options.timeout_s, began=began)
            raise problem.translated(error) from error

    @staticmethod
    async def _open(stack: AsyncExitStack, client: AsyncOpenAI, call: Call) -> Any:
        """The answer's beginning."""
        try:
            return await stack.enter_async_context(call(client))
        except openai_errors.raised_by_sdk() as error:
            if not openai_errors.was_stale(error):
                raise
            return await stack.enter_async_context(call(client))


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model] = msgspec.field(default_factory=list)


async def _drain(answer: Answer) -> None:
    """Read what follows the last thing of interest, so that the connection can be used again; if it comes at once."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            async for _ in answer.pieces:
                pass


async def events(answer: Answer) -> AsyncGenerator[bytes, None]:
    """The data of each event of a streamed answer; of one that is plain JSON, all of it.

    Raises:
        BadAnswer: it is neither.
    """
    if answer.content_type == "application/json":
        yield await answer.whole()
        return
    if answer.content_type == "text/html":
        raise openai_errors.BadAnswer("a page for browsers")
    reader = EventReader()
    async for piece in answer.pieces:
        for data in reader.push(piece):
            yield data
    for data in reader.finish():
        yield data
