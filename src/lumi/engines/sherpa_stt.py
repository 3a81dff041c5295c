"""Recognition by sherpa-onnx: SenseVoice (Mandarin, Cantonese, English, Japanese, Korean) and streaming transducers.

The model runs in a worker process: the library ends its whole process when it does not like a model, and brings an
onnxruntime of its own. Which kind of model it is, its files tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumi.engines.model_folder import model_folder, need_package
from lumi.engines.sherpa_models import NAME, SENSE_VOICE, SENSE_VOICE_LANGUAGES, recogniser_files
from lumi.engines.worker import WorkerSpec
from lumi.engines.worker_pool import WorkerPool
from lumi.engines.worker_speech import transcripts
from lumi.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from lumi.engines.base import Speaker, Transcript

START_TIMEOUT_S = 120.0
"""A quarter of a gigabyte from a slow disk."""


class SherpaStt:
    """The `Stt` seam over worker processes; the first `transcribe` (or `start`) starts them.

    A streaming model gives partials while one speaks. SenseVoice tells the language it heard; elsewhere the script does.

    Args:
        model: the model's folder.
        language: `auto`, or what SenseVoice is to expect: zh, en, ja, ko or yue.
        languages: what the model knows, where its files do not say it; empty: taken to know all.
        threads: for one utterance.
        workers: processes; each holds the model once.

    Raises:
        EngineUnavailable: sherpa-onnx or the model is not here; says how to get it.
        ConfigError: a language that SenseVoice does not know, or no worker.
    """

    name = NAME
    languages: tuple[str, ...] | None

    def __init__(
        self,
        model: str = "",
        *,
        language: str = "auto",
        languages: Sequence[str] = (),
        threads: int = 2,
        workers: int = 1,
    ) -> None:
        need_package(NAME, "sherpa_onnx")
        files = recogniser_files(model_folder(NAME, model, "sense-voice"))
        known = ("auto", *SENSE_VOICE_LANGUAGES)
        if language not in known:
            raise ConfigError(f"{NAME}.language", f"is {language!r}; accepted: {', '.join(known)}")
        of_kind = SENSE_VOICE_LANGUAGES if files["type"] == SENSE_VOICE else ()
        self.languages = tuple(languages) or of_kind or None
        arguments = {"files": dict(files), "language": language, "threads": threads}
        spec = WorkerSpec(
            NAME,
            "lumi.engines.sherpa_stt_worker:RecogniserService",
            arguments,
            start_timeout_s=START_TIMEOUT_S,
        )
        self._pool = WorkerPool(spec, workers)

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the worker processes that run now."""
        return self._pool.pids

    async def start(self) -> None:
        """Have the model loaded before the first request. Raises `EngineUnavailable`."""
        await self._pool.start()

    def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        """See `engines.base.Stt`. Raises `EngineError`."""
        return transcripts(self._pool, audio, speaker)

    async def aclose(self) -> None:
        await self._pool.aclose()
