"""Speech by sherpa-onnx: VITS voices with a lexicon (Melo, aishell3) and Kokoro, in Mandarin and English.

The model runs in a worker process; `sherpa_stt.py` says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumi.engines.model_folder import model_folder, need_package
from lumi.engines.sherpa_models import NAME, voice_files
from lumi.engines.sherpa_stt import START_TIMEOUT_S
from lumi.engines.worker import WorkerSpec
from lumi.engines.worker_pool import WorkerPool
from lumi.engines.worker_speech import VoiceReport, speech, unpack
from lumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from lumi.engines.base import Voice

USUAL_RATE_HZ = 22_050


class SherpaTts:
    """The `Tts` seam over worker processes; the first `synthesize` (or `start`) starts them.

    A `Voice.name` that is a number picks the model's speaker of that number.

    Args:
        model: the model's folder.
        speaker: number of the speaker.
        speakers: by language (`zh`, `en`), where one speaks it better than another.
        languages: what the model speaks, if known.
        threads: for one clause.
        workers: processes; each holds the model once.

    Raises:
        EngineUnavailable: sherpa-onnx or the model is not here; says how to get it.
        ConfigError: a speaker below 0, or no worker.
    """

    name = NAME
    languages: tuple[str, ...] | None

    def __init__(
        self,
        model: str = "",
        *,
        speaker: int = 0,
        speakers: Mapping[str, int] | None = None,
        languages: Sequence[str] = (),
        threads: int = 2,
        workers: int = 1,
    ) -> None:
        need_package(NAME, "sherpa_onnx")
        files = voice_files(model_folder(NAME, model, "melo-zh-en"))
        by_language = dict(speakers or {})
        if min([speaker, *by_language.values()]) < 0:
            raise ConfigError(f"{NAME}.speaker", "is below 0; speakers are numbered from 0")
        self.languages = tuple(languages) or None
        arguments = {
            "files": dict(files),
            "speaker": speaker,
            "speakers": by_language,
            "threads": threads,
        }
        target = "lumi.engines.sherpa_tts_worker:VoiceService"
        self._pool = WorkerPool(WorkerSpec(NAME, target, arguments, start_timeout_s=START_TIMEOUT_S), workers)
        self.sample_rate_hz = USUAL_RATE_HZ  # until the model is loaded, which is before it gives a sound

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the worker processes that run now."""
        return self._pool.pids

    async def start(self) -> None:
        """Have the model loaded before the first request. Raises `EngineUnavailable`."""
        report: VoiceReport = unpack(await self._pool.start(), VoiceReport)
        self.sample_rate_hz = report.sample_rate_hz

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """PCM pieces of some 170 ms; the first comes when the first clause is made. Raises `EngineError`."""
        await self.start()
        async for piece in speech(self._pool, text, voice):
            yield piece

    async def aclose(self) -> None:
        await self._pool.aclose()
