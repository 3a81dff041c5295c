"""Recognition by faster-whisper: many languages, words when one has finished speaking.

The model runs in a worker process, where its seconds of work do not hold up the server's own threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumi.engines.model_folder import model_folder, need_package
from lumi.engines.worker import WorkerSpec
from lumi.engines.worker_pool import WorkerPool
from lumi.engines.worker_speech import transcripts
from lumi.errors import ConfigError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from lumi.engines.base import Speaker, Transcript

NAME = "whisper"
START_TIMEOUT_S = 120.0
ANSWER_TIMEOUT_S = 120.0
"""One window of half a minute on a slow machine."""
FILES = ("config.json", "model.bin", "tokenizer.json")
"""Without any of these the library would go and look in the network."""


class WhisperStt:
    """The `Stt` seam over worker processes; the first `transcribe` (or `start`) starts them.

    Args:
        model: the model's folder, as CTranslate2 has it.
        language: `auto`, `speaker` (the language the speaker prefers), or a code such as `zh`.
        languages: what the model knows, if known.
        prompt: words in the manner that is wished for, e.g. Chinese ones with punctuation.
        beam: how many guesses are followed at once; 1 is quickest.
        compute: CTranslate2's type of numbers; `int8` is quick and small.
        threads: for one utterance.
        workers: processes; each holds the model once.

    Raises:
        EngineUnavailable: faster-whisper or the model is not here; says how to get it.
        ConfigError: no worker, or a beam below 1.
    """

    name = NAME
    languages: tuple[str, ...] | None

    def __init__(
        self,
        model: str = "",
        *,
        language: str = "auto",
        languages: Sequence[str] = (),
        prompt: str = "",
        beam: int = 1,
        compute: str = "int8",
        threads: int = 2,
        workers: int = 1,
    ) -> None:
        need_package(NAME, "faster_whisper")
        folder = model_folder(NAME, model, "whisper-base")
        _complete(folder)
        if beam < 1:
            raise ConfigError(f"{NAME}.beam", f"is {beam}; at least 1 guess is needed")
        self.languages = tuple(languages) or None
        arguments = {
            "model": str(folder),
            "language": language,
            "prompt": prompt,
            "beam": beam,
            "compute": compute,
            "threads": threads,
        }
        spec = WorkerSpec(
            NAME,
            "lumi.engines.whisper_worker:WhisperService",
            arguments,
            start_timeout_s=START_TIMEOUT_S,
            answer_timeout_s=ANSWER_TIMEOUT_S,
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


def _complete(folder: Path) -> None:
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise EngineUnavailable(
            NAME,
            f"{folder} lacks {', '.join(missing)} of a CTranslate2 model; lumi models list shows models that fit",
        )
