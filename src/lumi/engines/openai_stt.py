"""Recognises speech by any service that speaks OpenAI's audio transcriptions: OpenAI, Speaches, vLLM, SiliconFlow …

The utterance goes out as one WAV file when it has ended; the words come back at once, or piece by piece where the
service streams them (`stream`).
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from lumi.audio.format import BYTES_PER_SAMPLE, SPEECH_RATE_HZ
from lumi.audio.wav import wav_bytes
from lumi.engines.base import Speaker, Transcript
from lumi.engines.openai_credit import codes_of
from lumi.engines.openai_endpoint import NAME, Transport, endpoint, read_options
from lumi.engines.openai_errors import BadAnswer, BrokeOff, ErrorWithin, code_of, words_of
from lumi.engines.openai_service import Answer, Service, events

SILENT_PEAK = 50
"""Nobody speaks as softly as this; a model given silence makes up words for it."""

SHORTEST_S = 0.1
"""OpenAI refuses what is shorter."""

SPEAKER = "speaker"
CODES = {"english": "en", "chinese": "zh", "mandarin": "zh", "cantonese": "zh", "yue": "zh"}
_EVENT_MARKS = re.compile(r"<\|[^|>]*\|>")
"""What SenseVoice writes before the words: `<|zh|><|NEUTRAL|><|Speech|>`."""


class SttOptions(Transport, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `stt.options` takes."""

    stream: bool = False
    """Ask for the words piece by piece."""
    language: str = SPEAKER
    """Hint: a code (`zh`), `speaker`: the one the user is taken to speak, `auto`: none."""
    response_format: Literal["json", "verbose_json"] = "json"
    """`verbose_json` tells language and confidence, where the model knows it."""
    prompt: str = ""
    """Words to expect: names, places."""
    temperature: float | None = None


class _Segment(msgspec.Struct):
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


class _Logprob(msgspec.Struct):
    logprob: float = 0.0


class _Words(msgspec.Struct):
    """A whole answer."""

    text: str
    language: str | None = None
    segments: list[_Segment] | None = None
    logprobs: list[_Logprob] | None = None


class _Event(msgspec.Struct):
    """A piece of a streamed one; or the whole one, from a service that does not stream."""

    type: str = ""
    delta: str = ""
    text: str | None = None
    language: str | None = None
    segments: list[_Segment] | None = None
    logprobs: list[_Logprob] | None = None
    error: Any = None


class OpenAiStt:
    """The `Stt` seam over audio transcriptions.

    Args:
        base_url: the service's; by default OpenAI's.
        api_key: what it wants to see, if anything.
        model: by default the first fitting one that the service lists.
        options: `SttOptions`.

    Raises:
        ConfigError: one of these is wrong.
        EngineUnavailable: the SDK is not installed.
    """

    name = NAME

    def __init__(self, base_url: str = "", api_key: str = "", model: str = "", **options: Any) -> None:
        self._options = read_options("stt", options, SttOptions)
        self._service = Service(endpoint("stt", base_url, api_key, model), self._options)

    async def start(self) -> None:
        """Load the SDK, choose a model, and load what looks at the sound."""
        await self._service.start()
        await asyncio.to_thread(is_silent, bytes(SPEECH_RATE_HZ))

    async def probe(self) -> None:
        """Whether the service is there, and takes the key. Raises `EngineError`."""
        await self._service.probe()

    async def aclose(self) -> None:
        await self._service.aclose()

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        """Silence is not sent at all. Raises `EngineError`."""
        pcm = bytearray()
        async for piece in audio:
            pcm += piece
        if is_silent(bytes(pcm)):
            yield Transcript("", 0.0)
            return
        model = await self._service.model()
        request: dict[str, Any] = {
            "model": model,
            "file": ("speech.wav", wav_bytes(bytes(pcm), SPEECH_RATE_HZ), "audio/wav"),
        }
        request |= self._fields(speaker)
        async with self._service.ask(
            lambda client: client.audio.transcriptions.with_streaming_response.create(
                **request, extra_body=self._options.extra or None
            ),
            model,
        ) as answer:
            if not self._options.stream:
                yield _whole(await answer.whole())
                return
            async with aclosing(_streamed(answer)) as transcripts:
                async for transcript in transcripts:
                    yield transcript

    def _fields(self, speaker: Speaker) -> dict[str, Any]:
        """What goes along with the sound."""
        options = self._options
        language = {SPEAKER: speaker.language, "auto": ""}.get(options.language, options.language)
        fields = {
            "response_format": options.response_format,
            "language": language,
            "prompt": options.prompt,
            "temperature": options.temperature,
            "stream": options.stream or None,
        }
        return {name: value for name, value in fields.items() if value not in ("", None)}


def is_silent(pcm: bytes) -> bool:
    """Whether there is nothing in it to send."""
    samples = len(pcm) // BYTES_PER_SAMPLE
    if samples < SHORTEST_S * SPEECH_RATE_HZ:
        return True
    import numpy as np

    sound = np.frombuffer(pcm, np.int16, samples)
    return max(int(sound.max()), -int(sound.min())) <= SILENT_PEAK


def _whole(data: bytes) -> Transcript:
    if data.lstrip()[:1] != b"{":
        raise BadAnswer(data[:100].decode(errors="replace") or "nothing at all")
    return _transcript(msgspec.json.decode(data, type=_Words))


async def _streamed(answer: Answer) -> AsyncGenerator[Transcript, None]:
    """Partials as they come, and one final."""
    text = ""
    async with aclosing(events(answer)) as stream:
        async for data in stream:
            if data == b"[DONE]":
                break
            event = msgspec.json.decode(data, type=_Event)
            if event.error or event.type == "error":
                raise ErrorWithin(
                    words_of(event.error) or "error", code_of(event.error), codes_of(event.error)
                )
            if event.type.endswith("text.delta"):
                text += event.delta
                yield Transcript(_cleaned(text), 0.5, is_final=False)
            elif event.text is not None and (event.type.endswith("text.done") or not event.type):
                yield _transcript(_Words(event.text, event.language, event.segments, event.logprobs))
                return
    raise BrokeOff("its end did not come")


def _transcript(words: _Words) -> Transcript:
    text = _cleaned(words.text)
    language = (words.language or "").lower()
    code = CODES.get(language, language[:2]) or None
    return Transcript(text, _confidence(words) if text else 0.0, language=code)


def _cleaned(text: str) -> str:
    return _EVENT_MARKS.sub("", text).strip()


def _confidence(words: _Words) -> float:
    """How sure the service is; 1.0 where it does not say."""
    segments = [part for part in words.segments or () if part.avg_logprob is not None]
    logprobs = [part.avg_logprob or 0.0 for part in segments] or [
        part.logprob for part in words.logprobs or ()
    ]
    if not logprobs:
        return 1.0
    speech = 1 - max((part.no_speech_prob or 0.0 for part in segments), default=0.0)
    return max(0.0, min(1.0, math.exp(sum(logprobs) / len(logprobs)) * speech))
