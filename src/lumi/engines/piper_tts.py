"""Speech by Piper: one voice a model, quick enough for small machines.

The model runs in a worker process: Piper comes under the GPL, and espeak-ng within it keeps global state.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lumi.engines.model_folder import first, model_folder, need_package
from lumi.engines.worker import WorkerSpec
from lumi.engines.worker_pool import WorkerPool
from lumi.engines.worker_speech import speech
from lumi.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from lumi.engines.base import Voice

NAME = "piper"
START_TIMEOUT_S = 60.0
SELF_SUFFICIENT = ("espeak", "text")
"""Kinds of phonemes that need nothing further; the others fetch data from the network when they first speak."""


class PiperTts:
    """The `Tts` seam over worker processes; the first `synthesize` (or `start`) starts them.

    A `Voice.name` picks one of the model's speakers, by name or number.

    Args:
        model: the model's folder: an `.onnx` file and its `.onnx.json`.
        speaker: name or number of the speaker, where the model has several.
        languages: what the model speaks, if known; else what its `.json` says.
        workers: processes; each holds the model once.

    Raises:
        EngineUnavailable: piper-tts or the model is not here, or cannot be read; says how to get it.
        ConfigError: no worker.
    """

    name = NAME
    languages: tuple[str, ...] | None

    def __init__(
        self, model: str = "", *, speaker: str | int = "", languages: Sequence[str] = (), workers: int = 1
    ) -> None:
        need_package(NAME, "piper")
        path, settings = _read(model_folder(NAME, model, "piper-zh-huayan"))
        self.sample_rate_hz = int(settings["audio"]["sample_rate"])
        spoken = settings.get("language", {}).get("family", "")
        self.languages = tuple(languages) or ((spoken,) if spoken else None)
        arguments = {"model": path, "speaker": str(speaker)}
        target = "lumi.engines.piper_worker:PiperService"
        self._pool = WorkerPool(WorkerSpec(NAME, target, arguments, start_timeout_s=START_TIMEOUT_S), workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the worker processes that run now."""
        return self._pool.pids

    async def start(self) -> None:
        """Have the model loaded before the first request. Raises `EngineUnavailable`."""
        await self._pool.start()

    def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """PCM pieces of some 190 ms; the first comes when the first clause is made. Raises `EngineError`."""
        return speech(self._pool, text, voice)

    async def aclose(self) -> None:
        await self._pool.aclose()


def _read(folder: Path) -> tuple[str, dict[str, Any]]:
    """The model's path and what its `.json` says."""
    path = first(folder, "*.onnx")
    if not path:
        raise EngineUnavailable(NAME, f"{folder} holds no .onnx file; lumi models list shows voices that fit")
    try:
        with open(f"{path}.json", encoding="utf-8") as file:  # noqa: PTH123 - the name is the model's and more
            settings: dict[str, Any] = json.load(file)
        int(settings["audio"]["sample_rate"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineUnavailable(NAME, f"{path}.json is not there or not a voice's ({error})") from error
    kind = settings.get("phoneme_type", "espeak")
    if kind not in SELF_SUFFICIENT:
        raise EngineUnavailable(
            NAME,
            f"{path} is a voice whose phonemes ('{kind}') need data that Piper would fetch while it speaks; choose "
            "one of the catalogue: lumi models list",
        )
    return path, settings
