"""Which of a service's models to use where the settings name none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Kind = Literal["stt", "llm", "tts"]

_HEARS = re.compile(
    r"whisper|transcri|sensevoice|parakeet|canary|paraformer|telespeech|voxtral|moonshine|(?<![a-z])(?:asr|stt)",
    re.IGNORECASE,
)
_SPEAKS = re.compile(
    r"(?<![a-z])tts|kokoro|piper|cosyvoice|orpheus|chatterbox|speech-|melo|xtts|fish|spark", re.IGNORECASE
)
_NO_CHAT = re.compile(
    r"embed|rerank|bge-|moderation|guard|dall-e|image|sora|video|flux|diffusion|realtime|audio|ocr|search"
    r"|davinci|babbage|instruct-0914",
    re.IGNORECASE,
)

FALLBACKS: dict[Kind, str] = {"stt": "whisper-1", "llm": "default", "tts": "tts-1"}
"""For services that do not list what they have: those serve one model, and take any name for it."""


def choose(kind: Kind, models: Sequence[str]) -> str | None:
    """The first model that can do it, in the service's own order; None if there is none at all.

    Names are all that is known of them. Where no name tells, a service that has only one model has it for this.
    """
    fit = [model for model in models if _fits(kind, model)]
    if fit:
        return fit[0]
    return models[0] if len(models) == 1 or (models and kind == "llm") else None


def _fits(kind: Kind, model: str) -> bool:
    if kind == "stt":
        return bool(_HEARS.search(model))
    if kind == "tts":
        return bool(_SPEAKS.search(model)) and not _HEARS.search(model)
    return not (_HEARS.search(model) or _SPEAKS.search(model) or _NO_CHAT.search(model))
