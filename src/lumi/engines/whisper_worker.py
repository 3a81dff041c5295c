"""faster-whisper inside its worker process."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from faster_whisper import WhisperModel

from lumi.engines.heard_sound import LONGEST_BYTES, is_silent, samples_of, windows, words_of
from lumi.engines.worker_speech import HearRequest, Said, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AUTO, SPEAKER = "auto", "speaker"
UNSPACED = frozenset({"zh", "ja", "yue", "th"})


class WhisperService:
    """Makes one job for each utterance; the model is shared."""

    report = b""

    def __init__(self, model: str, language: str, prompt: str, beam: int, compute: str, threads: int) -> None:
        self._model = WhisperModel(
            model, device="cpu", compute_type=compute, cpu_threads=threads, local_files_only=True
        )
        self._language = language
        self._options: dict[str, Any] = {
            "beam_size": beam,
            "initial_prompt": prompt or None,
            "temperature": 0.0,
            "condition_on_previous_text": False,
            "without_timestamps": True,
        }

    def open(self, request: bytes) -> WhisperJob:
        return WhisperJob(self, unpack(request, HearRequest).language)

    def hear(self, pcm: bytes, preferred: str) -> tuple[Iterator[Any], str]:
        """Segments, made as they are asked for, and the language."""
        language = preferred if self._language == SPEAKER else self._language
        if language == AUTO or language not in self._model.supported_languages:
            language = ""
        segments, info = self._model.transcribe(samples_of(pcm), language=language or None, **self._options)
        return iter(segments), info.language


class WhisperJob:
    """Collects an utterance, and recognises it when it has ended: a window of half a minute is one step."""

    def __init__(self, service: WhisperService, preferred: str) -> None:
        self._service = service
        self._preferred = preferred
        self._pcm = bytearray()  # bounded: LONGEST_BYTES

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self._pcm += piece[: LONGEST_BYTES - len(self._pcm)]
        return iter(())

    def finish(self) -> Iterator[bytes]:
        segments: list[Any] = []
        language = ""
        for window in windows(bytes(self._pcm)):
            if is_silent(window):
                continue
            heard, found = self._service.hear(window, language or self._preferred)
            language = language or found
            for segment in heard:
                segments.append(segment)
                yield b""  # let the others have their turn
        yield pack(transcript(segments, language))

    def close(self) -> None:
        self._pcm.clear()


def transcript(segments: Sequence[Any], language: str) -> Said:
    """All segments as one; as sure as the least sure of them."""
    space = "" if language in UNSPACED else " "
    text = words_of(space.join(segment.text.strip() for segment in segments))
    if not text:
        return Said("")
    sure = min(math.exp(min(segment.avg_logprob, 0.0)) * (1 - segment.no_speech_prob) for segment in segments)
    return Said(text, min(max(sure, 0.0), 1.0), language=language)
