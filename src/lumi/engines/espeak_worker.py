"""espeak-ng inside its worker process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import espeakng_loader

from lumi.engines.espeak_library import EspeakLibrary
from lumi.engines.spoken_job import SpokenJob
from lumi.engines.spoken_text import Script
from lumi.engines.worker_speech import SpeakRequest, unpack

if TYPE_CHECKING:
    from lumi.engines.spoken_text import Utterance

WORDS_A_MINUTE = 170
SLOWEST, FASTEST = 80, 450
ENGLISH, BRITISH, MANDARIN, CANTONESE = "en-us", "en", "cmn", "yue"
CANTONESE_TAGS = ("yue", "zh-yue", "zh-hk", "zh-mo")
HAN_VOICES = ("cmn", "yue", "zh", "hak")


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

    def open(self, request: bytes) -> SpokenJob:
        return SpokenJob(unpack(request, SpeakRequest), self.synthesise)

    def synthesise(self, clause: Utterance, request: SpeakRequest) -> bytes:
        """PCM of one clause, which takes a few milliseconds."""
        rate = min(max(round(WORDS_A_MINUTE * request.speed), SLOWEST), FASTEST)
        return self.speak(clause.text, voices_for(request, clause.script), rate)

    def speak(self, text: str, voices: tuple[str, ...], rate: int) -> bytes:
        """PCM of one clause in the first of the voices that exists."""
        if self._present != (voices[0], rate):
            any(self._library.set_voice(voice) for voice in voices)
            self._library.set_rate(rate)
            self._present = (voices[0], rate)
        pieces: list[bytes] = []
        self._library.speak(text, pieces.append)
        return b"".join(pieces)


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
