"""A stand-in for OpenAI-compatible services, written from the public API reference: `/v1/models`, chat completions,
transcriptions, speech; on a real socket, with faults that are switched on and off while it runs.

    async with OpenAiServer(answers={"what time is it": "It is noon."}) as service:
        llm = OpenAiLlm(base_url=service.base_url)
        service.break_("chat", Fault.BUSY)

As a process of its own: `python -m lumi.testing.openai_server --port 11434 --ollama`.
"""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

from lumi.audio.sound_stream import Container
from lumi.testing import openai_faults, openai_script
from lumi.testing.openai_faults import Fault, refusal
from lumi.testing.openai_script import Answers, Json, transcript_events
from lumi.testing.openai_sound import MEDIA_TYPES, encoded, sound_in
from lumi.testing.sounds import peak, tone

What = Literal["models", "chat", "transcriptions", "speech", "voices"]

MODELS = ("gpt-stand-in", "whisper-stand-in", "tts-stand-in")
VOICES = ("alloy", "echo")
QUIET = 50
"""Peak up to which a recording is silence."""

RATE_HZ = 24_000
PIECE_BYTES = 4_801
"""Odd on purpose: samples are cut in two."""

Hear = Callable[[bytes, int], str]
"""PCM and its rate → the words in it."""


@dataclass(slots=True)
class Asked:
    """One request, as it came."""

    what: What
    headers: dict[str, str]
    body: Json
    """JSON; of a form its fields but the file."""
    pcm: bytes = b""
    """Of a transcription: the sound in the WAV that came."""
    outcome: Literal["open", "answered", "closed"] = "open"
    """`closed`: whoever asked left before the end."""


@dataclass(slots=True)
class Script:
    """How the service behaves; may be changed while it runs."""

    answers: Answers = openai_script.echo
    hear: Hear | Sequence[str] = ("what time is it",)
    """Words of recordings: by a function, or in turn, the last again and again. Silence has none."""
    key: str = ""
    """Empty: nobody is asked for one."""
    models: Sequence[str] = MODELS
    voices: Sequence[str] = VOICES
    lists_models: bool = True
    streams: bool = True
    """False: what is asked for as a stream is answered in one piece all the same."""
    slow_s: float = 5.0
    """Of `Fault.SLOW`."""
    piece_s: float = 0.0
    """Between pieces of any answer."""
    ms_per_character: float = 60.0
    """How long its voice takes to say something."""
    torn_bytes: int = 61
    """Length of the pieces that streamed events come in, whatever is in them."""
    language: str = "english"
    faults: dict[str, tuple[Fault, int]] = field(default_factory=dict)
    """By what is asked: the fault, and how many more requests have it."""


class OpenAiServer:
    """Listens from entering to leaving. `script` is what it does, `asked` what it was asked.

    Args:
        port: 0 takes a free one.
        ollama: also answer at the addresses by which Ollama is recognised.
        script: fields of `Script`.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, ollama: bool = False, **script: Any
    ) -> None:
        self.script = Script(**script)
        self.asked: list[Asked] = []
        self._host = host
        self._port = port
        self._ollama = ollama
        self._heard = 0
        self._changed = asyncio.Event()
        self._peers: set[object] = set()
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        return f"{self.root_url}/v1"

    @property
    def root_url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def connections(self) -> int:
        """How many there were, in all."""
        return len(self._peers)

    def break_(self, what: What, fault: Fault, *, times: int = 1_000_000) -> None:
        """From now on requests of this kind fail, so many of them."""
        self.script.faults[what] = (fault, times)

    def mend(self) -> None:
        """No more faults."""
        self.script.faults.clear()

    def of(self, what: What) -> list[Asked]:
        """The requests of one kind."""
        return [asked for asked in self.asked if asked.what == what]

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 5.0) -> None:
        """Wait until what was asked, or became of it, is so."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def __aenter__(self) -> Self:
        # A handler is cancelled when its client goes: that is how it is known.
        self._runner = web.AppRunner(self._application(), handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes(
            [
                web.get("/v1/models", self._models),
                web.post("/v1/chat/completions", self._chat),
                web.post("/v1/audio/transcriptions", self._transcriptions),
                web.post("/v1/audio/speech", self._speech),
                web.get("/v1/audio/voices", self._voices),
                web.post("/stand-in/fault", self._switch),
                web.get("/stand-in/asked", self._tell),
            ]
        )
        if self._ollama:
            app.add_routes([web.get("/api/tags", self._tags), web.get("/api/version", self._version)])
        return app

    @asynccontextmanager
    async def _taken(
        self, what: What, request: web.Request, body: Json, pcm: bytes = b""
    ) -> AsyncIterator[Asked]:
        """Note a request, and what becomes of it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(what, headers, body, pcm)
        self.asked.append(asked)
        self._peers.add(request.transport and request.transport.get_extra_info("peername"))
        self._changed.set()
        try:
            yield asked
            asked.outcome = "answered"
        except (asyncio.CancelledError, ConnectionError):
            asked.outcome = "closed"
            raise
        finally:
            self._changed.set()

    def _fault(self, what: What) -> Fault | None:
        fault, times = self.script.faults.get(what, (None, 0))
        if fault is not None and times <= 1:
            del self.script.faults[what]
        elif fault is not None:
            self.script.faults[what] = (fault, times - 1)
        return fault

    async def _checked(self, request: web.Request, asked: Asked, fault: Fault | None) -> web.Response | None:
        """Refuse, where there is reason to."""
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.script.key and shown != self.script.key:
            return refusal(401, f"Incorrect API key provided: {shown}.", "invalid_api_key")
        model = asked.body.get("model")
        if model is not None and self.script.lists_models and model not in self.script.models:
            return refusal(404, f"The model `{model}` does not exist.", "model_not_found")
        return await openai_faults.before(fault, request, self.script.slow_s)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        async with self._taken("models", request, {}) as asked:
            if (refused := await self._checked(request, asked, self._fault("models"))) is not None:
                return refused
            if not self.script.lists_models:
                raise web.HTTPNotFound
            models = [{"id": name, "object": "model", "owned_by": "stand-in"} for name in self.script.models]
            return web.json_response({"object": "list", "data": models})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        async with self._taken("chat", request, body) as asked:
            fault = self._fault("chat")
            if (refused := await self._checked(request, asked, fault)) is not None:
                return refused
            reply = openai_script.reply_to(self.script.answers, body["messages"])
            if not (body.get("stream") and self.script.streams):
                return web.json_response(openai_script.whole(reply, body["model"]))
            events = list(openai_script.chunks(reply, body["model"]))
            return await self._events(request, events, fault)

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        body = {name: value for name, value in form.items() if isinstance(value, str)}
        try:
            pcm, rate_hz = sound_in(form.get("file"))
        except (wave.Error, EOFError) as error:
            return refusal(400, f"Invalid file: {error}.", "invalid_request_error")
        async with self._taken("transcriptions", request, body, pcm) as asked:
            fault = self._fault("transcriptions")
            if (refused := await self._checked(request, asked, fault)) is not None:
                return refused
            text = self._words(pcm, rate_hz)
            if body.get("stream") == "true" and self.script.streams:
                return await self._events(request, transcript_events(text), fault)
            answer = self._transcript(text, body.get("response_format", "json"))
            return await self._streamed(request, "application/json", [answer[:9], answer[9:]], fault)

    def _words(self, pcm: bytes, rate_hz: int) -> str:
        if callable(self.script.hear):
            return self.script.hear(pcm, rate_hz)
        if peak(pcm) <= QUIET:
            return ""
        number, self._heard = self._heard, self._heard + 1
        return self.script.hear[min(number, len(self.script.hear) - 1)]

    def _transcript(self, text: str, form: str) -> bytes:
        answer: Json = {"text": text}
        if form == "verbose_json":
            segment = {"id": 0, "text": text, "avg_logprob": -0.2, "no_speech_prob": 0.01}
            answer |= {"task": "transcribe", "language": self.script.language, "segments": [segment]}
        return json.dumps(answer).encode()

    def _sound(self, body: Json, container: Container) -> bytes:
        spoken_ms = len(body["input"]) * self.script.ms_per_character / float(body.get("speed", 1.0))
        return encoded(tone(spoken_ms, RATE_HZ), RATE_HZ, container)

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        async with self._taken("speech", request, body) as asked:
            fault = self._fault("speech")
            if (refused := await self._checked(request, asked, fault)) is not None:
                return refused
            if body.get("voice") not in self.script.voices:
                return refusal(400, f"Voice {body.get('voice')!r} not found.", "invalid_request_error")
            container = Container(body.get("response_format", "mp3"))
            sound = await asyncio.to_thread(self._sound, body, container)  # minutes of it take a while
            pieces = openai_script.torn(sound, PIECE_BYTES)
            return await self._streamed(request, MEDIA_TYPES[container], pieces, fault)

    async def _voices(self, request: web.Request) -> web.StreamResponse:
        async with self._taken("voices", request, {}) as asked:
            if (refused := await self._checked(request, asked, self._fault("voices"))) is not None:
                return refused
            return web.json_response({"voices": list(self.script.voices)})

    async def _events(
        self, request: web.Request, events: Sequence[Json], fault: Fault | None
    ) -> web.StreamResponse:
        pieces = openai_script.torn(openai_script.on_the_wire(events), self.script.torn_bytes)
        return await self._streamed(request, "text/event-stream", pieces, fault)

    async def _streamed(
        self, request: web.Request, media_type: str, pieces: Iterable[bytes], fault: Fault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": media_type})
        await response.prepare(request)
        async for piece in openai_faults.broken(fault, request, list(pieces)):
            await response.write(piece)
            await asyncio.sleep(self.script.piece_s)
        await response.write_eof()
        return response

    async def _tags(self, _: web.Request) -> web.Response:
        return web.json_response({"models": [{"name": name, "model": name} for name in self.script.models]})

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "0.12.0"})

    async def _switch(self, request: web.Request) -> web.Response:
        """`{"what": "chat", "fault": "busy", "times": 1}` breaks; without a fault, all is mended."""
        body = await request.json()
        if body.get("fault"):
            self.break_(body["what"], Fault(body["fault"]), times=body.get("times", 1_000_000))
        else:
            self.mend()
        return web.json_response({"faults": {what: fault for what, (fault, _) in self.script.faults.items()}})

    async def _tell(self, _: web.Request) -> web.Response:
        """What was asked so far."""
        return web.json_response(
            [{"what": asked.what, "body": asked.body, "outcome": asked.outcome} for asked in self.asked]
        )


if __name__ == "__main__":
    from lumi.testing.openai_command import main

    main()
