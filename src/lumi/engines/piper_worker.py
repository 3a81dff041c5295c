"""Piper inside its worker process."""

from __future__ import annotations

from pathlib import Path

from piper import PiperVoice, SynthesisConfig

from lumi.engines.spoken_job import SpokenJob, bounded
from lumi.engines.spoken_text import Utterance
from lumi.engines.worker_speech import SpeakRequest, VoiceReport, pack, unpack


class PiperService:
    """Makes one job for each text; the model is shared."""

    def __init__(self, model: str, speaker: str) -> None:
        self._voice = PiperVoice.load(Path(model))
        self._speaker = self._number(speaker)
        self.report = pack(VoiceReport(self._voice.config.sample_rate, self._voice.config.num_speakers))

    def open(self, request: bytes) -> SpokenJob:
        return SpokenJob(unpack(request, SpeakRequest), self.synthesise)

    def synthesise(self, clause: Utterance, request: SpeakRequest) -> bytes:
        """PCM of one clause."""
        number = self._number(request.name)
        settings = SynthesisConfig(
            speaker_id=self._speaker if number is None else number,
            length_scale=self._voice.config.length_scale / bounded(request.speed),
        )
        return b"".join(chunk.audio_int16_bytes for chunk in self._voice.synthesize(clause.text, settings))

    def _number(self, name: str) -> int | None:
        """Of a speaker; None where the model has none of this name."""
        config = self._voice.config
        if name in config.speaker_id_map:
            return config.speaker_id_map[name]
        number = int(name) if name.isdecimal() else -1
        return number if 0 <= number < config.num_speakers else None
