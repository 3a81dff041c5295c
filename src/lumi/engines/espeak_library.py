"""The part of espeak-ng's C interface that Lumi uses. Imported in the worker process only: the library is GPL-3,
keeps one global state and is not safe for threads.

Source: `speak_lib.h` of espeak-ng 1.52.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SYNCHRONOUS = 2
"""`AUDIO_OUTPUT_SYNCHRONOUS`: sound goes to the callback, and `espeak_Synth` returns when it is done."""
CHARS_UTF8 = 1
DONT_EXIT = 0x8000
"""`espeakINITIALIZE_DONT_EXIT`: without it a missing data folder ends the process."""
PIECE_MS = 60
OK = 0

SYNTH_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Parameter(IntEnum):
    RATE = 1
    """Words a minute, 80 … 450."""


class EspeakLibrary:
    """One loaded library with its one voice.

    Raises:
        OSError: it cannot be loaded, or finds no voice data.
    """

    def __init__(self, library: Path, data: Path) -> None:
        self._lib = ctypes.CDLL(str(library))
        rate_hz = self._lib.espeak_Initialize(SYNCHRONOUS, PIECE_MS, str(data).encode(), DONT_EXIT)
        if rate_hz <= 0:
            raise OSError(f"espeak-ng finds no voice data in {data}")
        self.sample_rate_hz = int(rate_hz)
        self._sink: Callable[[bytes], None] | None = None
        # Kept: the library holds only a pointer to it.
        self._callback = SYNTH_CALLBACK(self._on_samples)
        self._lib.espeak_SetSynthCallback(self._callback)

    def set_voice(self, name: str) -> bool:
        """Whether there is such a voice; if not, the present one stays."""
        return bool(self._lib.espeak_SetVoiceByName(name.encode()) == OK)

    def set_rate(self, words_a_minute: int) -> None:
        self._lib.espeak_SetParameter(Parameter.RATE, words_a_minute, 0)

    def speak(self, text: str, sink: Callable[[bytes], None]) -> None:
        """Synthesise; `sink` gets PCM pieces of up to `PIECE_MS` while it goes on."""
        encoded = text.encode()
        self._sink = sink
        try:
            code = self._lib.espeak_Synth(encoded, len(encoded) + 1, 0, 0, 0, CHARS_UTF8, None, None)
        finally:
            self._sink = None
        if code != OK:
            raise OSError(f"espeak-ng cannot speak {text!r} (error {code})")

    def _on_samples(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int | None) -> int:
        if samples and count > 0 and self._sink is not None:
            self._sink(ctypes.string_at(samples, 2 * count))
        return 0
