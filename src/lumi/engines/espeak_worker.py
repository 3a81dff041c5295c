"""espeak-ng inside its worker process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import espeakng_loader
import msgspec

from lumi.engines.espeak_library import EspeakLibrary
from lumi.engines.spoken_text import Script, utterances

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumi.engines.spoken_text import Utterance

PIECE_BYTES = 8 * 1024
"""Some 190 ms: fewer, larger pieces cost the server less."""
WORDS_A_MINUTE = 170
SLOWEST, FASTEST = 80, 450
ENGLISH, BRITISH, MANDARIN, CANTONESE = "en-us", "en", "cmn", "yue"
CANTONESE_TAGS = ("yue", "zh-yue", "zh-hk", "zh-mo")
HAN_VOICES = ("cmn", "yue", "zh", "hak")


class SpeakRequest(msgspec.Struct, frozen=True):
    """What goes to the worker: a text and the fields of `engines.base.Voice`."""

    text: str
    name: str = ""
    language: str = ""
    speed: float = 1.0


class EspeakService:
    """Makes jobs; knows the library's present voice, so that it is set only when it changes."""

    report = b""

    def __init__(self) -> None:
        library, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
        self._library = EspeakLibrary(Path(library), Path(data))
        self._present = ("", 0)
        self.speak(
            "ready", voices_for(SpeakRequest("", "", ""), Script.LATIN), WORDS_A_MINUTE
        )  # warms the caches

    def open(self, request: bytes) -> SpeakJob:
        return SpeakJob(self, msgspec.msgpack.decode(request, type=SpeakRequest))

    def speak(self, text: str, voices: tuple[str, ...], rate: int) -> bytes:
        """PCM of one clause in the first of the voices that exists."""
        if self._present != (voices[0], rate):
            any(self._library.set_voice(voice) for voice in voices)
            self._library.set_rate(rate)
            self._present = (voices[0], rate)
        pieces: list[bytes] = []
        self._library.speak(text, pieces.append)
        return b"".join(pieces)


class SpeakJob:
    """One request, clause by clause: a clause takes a few milliseconds, between two others get their turn."""

    def __init__(self, service: EspeakService, request: SpeakRequest) -> None:
        self._service = service
        self._request = request

    def feed(self, piece: bytes) -> Iterator[bytes]:
        raise ValueError(f"a request to speak takes no further pieces ({len(piece)} bytes came)")

    def finish(self) -> Iterator[bytes]:
        for utterance in utterances(self._request.text, self._request.language):
            pcm = self._synthesise(utterance)
            for start in range(0, len(pcm), PIECE_BYTES):
                yield pcm[start : start + PIECE_BYTES]

    def close(self) -> None:
        """Nothing is held."""

    def _synthesise(self, utterance: Utterance) -> bytes:
        rate = min(max(round(WORDS_A_MINUTE * self._request.speed), SLOWEST), FASTEST)
        return self._service.speak(utterance.text, voices_for(self._request, utterance.script), rate)


def voices_for(request: SpeakRequest, script: Script) -> tuple[str, ...]:
    """espeak-ng's names, best first: the wished-for voice where it speaks this script, then the default one.

    A `name` may be a voice (`en-gb`), a variant (`+f3`), or both (`en-gb+f3`).
    """
    wished, plus, variant = request.name.partition("+")
    wished = BRITISH if wished.lower() == "en-gb" else wished
    if script is Script.HAN:
        cantonese = request.language.lower().startswith(CANTONESE_TAGS)
        default, fits = CANTONESE if cantonese else MANDARIN, wished.lower().startswith(HAN_VOICES)
    else:
        british = request.language.lower().replace("_", "-") == "en-gb"
        default, fits = (
            BRITISH if british else ENGLISH,
            bool(wished) and not wished.lower().startswith(HAN_VOICES),
        )
    names = [wished] * fits + [default]
    return tuple(name + suffix for name in names for suffix in ([plus + variant, ""] if variant else [""]))
