"""Speaks by any service that speaks OpenAI's audio speech: OpenAI, Speaches, Kokoro, vLLM, SiliconFlow …"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec

from lumi.audio.sound_stream import SNIFFED_BYTES, Container, container_of, open_stream
from lumi.engines.base import Voice
from lumi.engines.openai_endpoint import NAME, Transport, endpoint, read_options
from lumi.engines.openai_errors import BadAnswer, status_of
from lumi.engines.openai_service import Answer, Service
from lumi.engines.spoken_text import without_markup
from lumi.errors import EngineError, Trouble

DEFAULT_VOICE = "alloy"
"""OpenAI's first; most services know it, as their own or as another name of one of theirs."""

LONGEST_CHARS = 2_000
"""Of one request; OpenAI takes 4096, small models far less well."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_SPOKEN = re.compile(r"[^\W_]")
_SENTENCE_END = re.compile(r"[。！？]|[.!?](?=\s)")
_NAME_KEYS = ("voice_id", "id", "name", "voice")
_TELLS = {
    "zh": re.compile(r"^z[fm]_|zh|cmn|chinese|中", re.IGNORECASE),
    "en": re.compile(r"^[ab][fm]_|(?<![a-z])en(?![a-z])|english", re.IGNORECASE),
}
_NO_SOUND = ("text/", "application/json")

log = logging.getLogger("lumi.tts")


class TtsOptions(Transport, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `tts.options` takes."""

    response_format: Container = Container.PCM
    """What to ask for: pcm, wav, mp3 or opus. What comes is told by its first bytes."""
    rate_hz: int = 24_000
    """Of the service's raw PCM, which does not say; and of what the engine gives."""
    voices: dict[str, str] = msgspec.field(default_factory=dict)
    """Voices by language, where `tts.voice` names none: `{en = "af_heart", zh = "zf_xiaoxiao"}`."""
    instructions: str = ""
    """How to speak, for models that read it."""

    def __post_init__(self) -> None:
        if not 8_000 <= self.rate_hz <= 48_000:
            raise ValueError("rate_hz is 8000 … 48000")


class OpenAiTts:
    """The `Tts` seam over audio speech, streamed.

    Args:
        base_url: the service's; by default OpenAI's.
        api_key: what it wants to see, if anything.
        model: by default the first fitting one that the service lists.
        options: `TtsOptions`.

    Raises:
        ConfigError: one of these is wrong.
        EngineUnavailable: the SDK is not installed.
    """

    name = NAME

    def __init__(self, base_url: str = "", api_key: str = "", model: str = "", **options: Any) -> None:
        self._options = read_options("tts", options, TtsOptions)
        self._service = Service(endpoint("tts", base_url, api_key, model), self._options)
        self.sample_rate_hz = self._options.rate_hz
        self._refused: dict[str, str] = {}
        """Voices that the service does not have, and what is spoken with instead."""

    async def start(self) -> None:
        """Load the SDK, choose a model."""
        await self._service.start()

    async def probe(self) -> None:
        """Whether the service is there, and takes the key. Raises `EngineError`."""
        await self._service.probe()

    async def aclose(self) -> None:
        await self._service.aclose()

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """PCM as it comes; a voice that the service does not have is replaced by one that it has. Raises `EngineError`."""
        for part in parts(without_markup(text)):
            async with aclosing(self._spoken(part, voice)) as speech:
                async for pcm in speech:
                    yield pcm

    async def _spoken(self, text: str, voice: Voice) -> AsyncGenerator[bytes, None]:
        """One request, or as many as it takes to find a voice that the service has."""
        wanted = self._wanted(text, voice)
        first: EngineError | None = None
        async with aclosing(self._candidates(text, wanted)) as names:
            async for name in names:
                try:
                    async with aclosing(self._requested(text, name, voice.speed)) as speech:
                        async for pcm in speech:
                            self._settle(wanted, name)
                            yield pcm
                except EngineError as error:
                    if not is_about_the_voice(error):
                        raise
                    first = first or error
                else:
                    return
        if first is not None:
            raise first

    def _wanted(self, text: str, voice: Voice) -> str:
        language = voice.language or ("zh" if _HAN.search(text) else "en")
        return voice.name or self._options.voices.get(language[:2].lower(), DEFAULT_VOICE)

    def _settle(self, wanted: str, name: str) -> None:
        if name != wanted and wanted not in self._refused:
            log.warning(
                "%s: %s does not have the voice %r; speaking with %r (tts.voice sets another)",
                NAME, self._service.endpoint.where, wanted, name,
            )  # fmt: skip
            self._refused[wanted] = name

    async def _candidates(self, text: str, wanted: str) -> AsyncGenerator[str, None]:
        """What was wanted, the usual one, then one of the service's own."""
        known = self._refused.get(wanted)
        yield known or wanted
        if DEFAULT_VOICE not in {known, wanted}:
            yield DEFAULT_VOICE
        own = choose_voice(await self._own_voices(), "zh" if _HAN.search(text) else "en")
        if own not in {None, known, wanted, DEFAULT_VOICE}:
            yield str(own)

    async def _own_voices(self) -> list[str]:
        """Voices that the service lists, as Kokoro's and Speaches's do; none where it does not."""
        try:
            async with self._service.ask(list_voices, "") as answer:
                return voice_names(msgspec.json.decode(await answer.whole()))
        except EngineError:
            return []

    async def _requested(self, text: str, name: str, speed: float) -> AsyncGenerator[bytes, None]:
        model = await self._service.model()
        options = self._options
        request: dict[str, Any] = {"model": model, "voice": name, "input": text}
        request["response_format"] = options.response_format.value
        if speed != 1.0:
            request["speed"] = speed
        if options.instructions:
            request["instructions"] = options.instructions
        async with self._service.ask(
            lambda client: client.audio.speech.with_streaming_response.create(
                **request, extra_body=options.extra or None
            ),
            model,
        ) as answer:
            if answer.content_type.startswith(_NO_SOUND):
                raise BadAnswer(f"{answer.content_type} instead of sound")
            async with aclosing(self._decoded(answer)) as speech:
                async for pcm in speech:
                    yield pcm

    async def _decoded(self, answer: Answer) -> AsyncGenerator[bytes, None]:
        """Whole samples at the engine's rate. Raises `BadAnswer` where there is no sound at all."""
        head, decoder, spoken = b"", None, False
        async for piece in answer.pieces:
            head += piece
            if decoder is None and len(head) >= SNIFFED_BYTES:
                container = container_of(head, self._options.response_format)
                # The decoders' libraries take a while to load.
                decoder = await asyncio.to_thread(open_stream, container, self.sample_rate_hz)
            if decoder is not None:
                pcm, head = decoder.push(head), b""
                if pcm:
                    spoken = True
                    yield pcm
        rest = decoder.finish() if decoder is not None else b""
        if rest:
            yield rest
        if not (spoken or rest):
            raise BadAnswer("no sound at all")


def parts(text: str) -> Iterator[str]:
    """A text in pieces that fit into a request; nothing, where there is nothing to pronounce."""
    rest = " ".join(text.split())
    while rest:
        cut = len(rest)
        if cut > LONGEST_CHARS:
            ends = [match.end() for match in _SENTENCE_END.finditer(rest, 0, LONGEST_CHARS)]
            cut = ends[-1] if ends else rest.rfind(" ", 1, LONGEST_CHARS) + 1 or LONGEST_CHARS
        part, rest = rest[:cut].strip(), rest[cut:].lstrip()
        if _SPOKEN.search(part):
            yield part


def is_about_the_voice(error: EngineError) -> bool:
    """Whether another voice may be what it takes."""
    status = status_of(error.__cause__)
    return status in {400, 404, 422} and error.trouble not in {Trouble.UNKNOWN_MODEL, Trouble.NO_CREDIT}


class _Listed:
    """An answer of the SDK's that was read as a whole, in the shape of a streamed one."""

    def __init__(self, response: Any) -> None:
        self.headers = response.headers
        self.iter_bytes = response.aiter_bytes


@asynccontextmanager
async def list_voices(client: Any) -> AsyncIterator[Any]:
    """The request that is not in OpenAI's API."""
    import httpx2

    yield _Listed(await client.get("/audio/voices", cast_to=httpx2.Response))


def voice_names(listed: Any) -> list[str]:
    """Names in a list of voices: texts or objects, bare or under `voices` or `data`."""
    if isinstance(listed, dict):
        listed = listed.get("voices") or listed.get("data") or []
    if not isinstance(listed, list):
        return []
    names = [
        entry if isinstance(entry, str) else next((entry[key] for key in _NAME_KEYS if key in entry), None)
        for entry in listed
        if isinstance(entry, str | dict)
    ]
    return [name for name in names if isinstance(name, str)]


def choose_voice(names: list[str], language: str) -> str | None:
    """The first voice for a language, as far as names tell (Kokoro's begin `zf_`, `af_`; others contain `zh`, `en-`)."""
    fits = [name for name in names if _TELLS[language].search(name)]
    return next(iter(fits or names), None)
