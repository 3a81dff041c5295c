"""sherpa-onnx's recognisers inside their worker process."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import sherpa_onnx

from lumi.engines.heard_sound import (
    LONGEST_BYTES,
    RATE_HZ,
    is_silent,
    language_of,
    samples_of,
    windows,
    words_of,
)
from lumi.engines.sherpa_models import SENSE_VOICE
from lumi.engines.worker_speech import Said, pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lumi.engines.worker_main import Job

TAIL_S = 0.6
"""Silence after the last sound, so that a streaming model gets its look ahead."""
UNSAID = "nospeech"


class RecogniserService:
    """Makes one job for each utterance; the model is shared."""

    report = b""

    def __init__(self, files: Mapping[str, str], language: str, threads: int) -> None:
        paths = {name: path for name, path in files.items() if name != "type"}
        self._streaming = files["type"] != SENSE_VOICE
        self._recogniser: Any
        if self._streaming:
            self._recogniser = sherpa_onnx.OnlineRecognizer.from_transducer(**paths, num_threads=threads)
        else:
            self._recogniser = sherpa_onnx.OfflineRecognizer.from_sense_voice(
                **paths, num_threads=threads, language=language, use_itn=True
            )

    def open(self, request: bytes) -> Job:  # noqa: ARG002 - the seam's shape; the model has its language already
        return StreamingJob(self._recogniser) if self._streaming else WholeJob(self._recogniser)


class WholeJob:
    """Collects an utterance, and recognises it when it has ended."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._pcm = bytearray()  # bounded: LONGEST_BYTES

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self._pcm += piece[: LONGEST_BYTES - len(self._pcm)]
        return iter(())

    def finish(self) -> Iterator[bytes]:
        said: list[Said] = []
        for window in windows(bytes(self._pcm)):
            if not is_silent(window):
                said.append(self._recognise(window))
                yield b""  # let the others have their turn
        yield pack(joined([one for one in said if one.text]))

    def close(self) -> None:
        self._pcm.clear()

    def _recognise(self, pcm: bytes) -> Said:
        stream = self._recogniser.create_stream()
        stream.accept_waveform(RATE_HZ, samples_of(pcm))
        self._recogniser.decode_stream(stream)
        heard = stream.result
        language = heard.lang.strip("<|>")
        if language == UNSAID:
            return Said("")
        text = words_of(heard.text)
        return Said(
            text, confidence(heard.ys_log_probs) if text else 0.0, language=language or language_of(text)
        )


class StreamingJob:
    """Recognises while one speaks; tells what it has so far when that changes."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._stream = recogniser.create_stream()
        self._told = ""
        self._half = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        data = self._half + piece
        whole = len(data) & ~1
        self._half = data[whole:]
        self._stream.accept_waveform(RATE_HZ, samples_of(data[:whole]))
        yield from self._decode()
        text = words_of(self._recogniser.get_result(self._stream))
        if text and text != self._told:
            self._told = text
            yield pack(Said(text, is_final=False, language=language_of(text)))

    def finish(self) -> Iterator[bytes]:
        self._stream.accept_waveform(RATE_HZ, samples_of(bytes(2 * int(TAIL_S * RATE_HZ))))
        self._stream.input_finished()
        yield from self._decode()
        heard = self._recogniser.get_result_all(self._stream)
        text = words_of(heard.text)
        yield pack(Said(text, confidence(heard.ys_probs) if text else 0.0, language=language_of(text)))

    def close(self) -> None:
        self._stream = None

    def _decode(self) -> Iterator[bytes]:
        """One step for each chunk that is complete: between two, others get their turn, and a cancel is seen."""
        while self._recogniser.is_ready(self._stream):
            self._recogniser.decode_stream(self._stream)
            yield b""


def confidence(log_probabilities: Sequence[float]) -> float:
    """The geometric mean of the tokens' probabilities; 1.0 where the model does not tell them."""
    if not log_probabilities:
        return 1.0
    mean = sum(log_probabilities) / len(log_probabilities)
    return min(1.0, math.exp(min(mean, 0.0)))


def joined(parts: Sequence[Said]) -> Said:
    """The windows of one utterance as one transcript."""
    if not parts:
        return Said("")
    space = "" if parts[0].language in {"zh", "yue", "ja"} else " "
    lowest = min(part.confidence for part in parts)
    return Said(space.join(part.text for part in parts), lowest, language=parts[0].language)
