"""sherpa-onnx's voices inside their worker process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sherpa_onnx

from lumi.engines.heard_sound import language_of
from lumi.engines.sherpa_models import KOKORO
from lumi.engines.spoken_job import SpokenJob, bounded, pcm_of
from lumi.engines.worker_speech import SpeakRequest, VoiceReport, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lumi.engines.spoken_text import Utterance


class VoiceService:
    """Makes one job for each text; the model is shared."""

    def __init__(
        self, files: Mapping[str, str], speaker: int, speakers: Mapping[str, int], threads: int
    ) -> None:
        config = sherpa_onnx.OfflineTtsConfig(
            model=_model(files, threads), rule_fsts=files["rule_fsts"], max_num_sentences=1
        )
        if not config.validate():
            raise ValueError("sherpa-onnx cannot use this model; its own words stand above")
        self._tts = sherpa_onnx.OfflineTts(config)
        self._speaker, self._speakers = speaker, speakers
        self.report = pack(VoiceReport(self._tts.sample_rate, max(self._tts.num_speakers, 1)))

    def open(self, request: bytes) -> SpokenJob:
        return SpokenJob(unpack(request, SpeakRequest), self.synthesise)

    def synthesise(self, clause: Utterance, request: SpeakRequest) -> bytes:
        """PCM of one clause."""
        sid = self.speaker(clause.text, request.name)
        made: Any = self._tts.generate(clause.text, sid=sid, speed=bounded(request.speed))
        return pcm_of(made.samples)

    def speaker(self, clause: str, name: str) -> int:
        """The number that was asked for, else the language's, else the usual one; one that there is not becomes 0."""
        wished = int(name) if name.isdecimal() else self._speakers.get(language_of(clause), self._speaker)
        return wished if wished < max(self._tts.num_speakers, 1) else 0


def _model(files: Mapping[str, str], threads: int) -> Any:
    names = ("model", "tokens", "lexicon")
    paths = {name: files[name] for name in names}
    if files["type"] == KOKORO:
        kokoro = sherpa_onnx.OfflineTtsKokoroModelConfig(**paths, voices=files["voices"])
        return sherpa_onnx.OfflineTtsModelConfig(kokoro=kokoro, num_threads=threads)
    vits = sherpa_onnx.OfflineTtsVitsModelConfig(**paths)
    return sherpa_onnx.OfflineTtsModelConfig(vits=vits, num_threads=threads)
