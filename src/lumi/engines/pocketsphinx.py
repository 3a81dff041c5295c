"""English recognition by PocketSphinx: a command grammar, offline, without a download."""

from __future__ import annotations

import importlib.util
import logging
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec

from lumi.engines.base import Transcript
from lumi.engines.grammar import Grammar
from lumi.engines.pocketsphinx_messages import Recognised, RecogniseRequest, VocabularyReport
from lumi.engines.worker import WorkerSpec
from lumi.engines.worker_pool import WorkerPool
from lumi.errors import ConfigError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from lumi.engines.base import Speaker

NAME = "pocketsphinx"
SPEAKERS_REMEMBERED = 1_000

log = logging.getLogger("lumi.stt")


class PocketsphinxStt:
    """The `Stt` seam over worker processes; the first `transcribe` (or `start`) starts them.

    `grammar` is one, or `module:name` of what makes one (in the worker), or empty: the one that the installed packages
    have for English.

    A final transcript with a confidence of 0.5 or more is a sentence that the grammar or its n-gram knows; one below
    0.4 is a guess of the general English model; an empty one says that there were no words, or none to be trusted.
    Partials have a confidence of 0.0: nobody has judged them.

    Args:
        grammar: as above.
        workers: processes; each needs some 65 MB for the assistant's grammar.
        dictation: whether to guess at what the grammar does not know; 100 MB a worker once it is needed.
        live: so many utterances a worker recognises while they are spoken, at 35 MB each; the others when they end.

    Raises:
        EngineUnavailable: PocketSphinx is not installed.
        ConfigError: `workers` or `live` is not at least one.
    """

    name = NAME
    languages = ("en",)
    """Chinese has no embedded model."""

    def __init__(
        self, grammar: Grammar | str = "", workers: int = 1, *, dictation: bool = True, live: int = 4
    ) -> None:
        if importlib.util.find_spec("pocketsphinx") is None:
            raise EngineUnavailable(
                NAME, "is not installed; install it with: pip install 'lumi-assistant[server]'"
            )
        if live < 1:
            raise ConfigError(f"{NAME}.live", f"is {live}; at least 1 utterance at a time is needed")
        given = {"grammar": _written(grammar)} if isinstance(grammar, Grammar) else {"reference": grammar}
        arguments = {**given, "dictation": dictation, "live": live}
        spec = WorkerSpec(NAME, "lumi.engines.pocketsphinx_worker:PocketsphinxService", arguments)
        self._pool = WorkerPool(spec, workers)
        self._means: OrderedDict[str, str] = OrderedDict()  # bounded: the speaker not heard for longest goes

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the worker processes that run now."""
        return self._pool.pids

    async def start(self) -> VocabularyReport:
        """Have the workers loaded; tells which of the grammar's words cannot be heard. Raises `EngineUnavailable`."""
        report = msgspec.msgpack.decode(await self._pool.start(), type=VocabularyReport)
        if report.left_out:
            log.warning(
                "the recogniser's dictionary lacks: %s; sentences with them are not heard", report.left_out
            )
        return report

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        """See `engines.base.Stt`. Raises `EngineError`."""
        request = RecogniseRequest(self._means.get(speaker.device_id, ""))
        async with await self._pool.open(msgspec.msgpack.encode(request)) as stream:
            async for pcm in audio:
                await stream.send(pcm)
                for said in stream.poll():
                    yield self._transcript(said, speaker)
            stream.end()
            async for said in stream:
                yield self._transcript(said, speaker)

    async def aclose(self) -> None:
        await self._pool.aclose()

    def _transcript(self, said: bytes, speaker: Speaker) -> Transcript:
        heard = msgspec.msgpack.decode(said, type=Recognised)
        if heard.mean and speaker.device_id:
            self._means[speaker.device_id] = heard.mean
            self._means.move_to_end(speaker.device_id)
            while len(self._means) > SPEAKERS_REMEMBERED:
                self._means.popitem(last=False)
        return Transcript(heard.text, heard.confidence, is_final=heard.is_final, language="en")


def _written(grammar: Grammar) -> dict[str, Any]:
    """As JSON can carry it."""
    return {"jsgf": grammar.jsgf, "sentences": grammar.sentences, "words": sorted(grammar.words)}
