"""The way to the sound card: miniaudio, which is an extra, loaded when it is first needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from lumi.errors import AudioDeviceError

STANDARD_ERROR = 2
INSTALL = "pip install 'lumi-assistant[mic]'"


def load_miniaudio() -> ModuleType:
    """The sound library.

    Raises:
        AudioDeviceError: it is not installed; says how to.
    """
    try:
        return import_module("miniaudio")
    except ImportError as error:
        raise AudioDeviceError(f"microphone and speaker need the package miniaudio: {INSTALL}") from error


def open_device(kind: str, *, null: bool = False, **options: Any) -> Any:
    """Open a `CaptureDevice` or `PlaybackDevice`, mono, 16 bits.

    Args:
        kind: the class's name in miniaudio.
        options: further arguments of that class.
        null: use the backend that records silence and plays to nobody (for tests).

    Raises:
        AudioDeviceError: there is no such device here, or it cannot be opened.
    """
    audio = load_miniaudio()
    what = "microphone" if kind == "CaptureDevice" else "loudspeaker"
    backends = [audio.Backend.NULL] if null else []
    try:
        with _quiet():
            device = getattr(audio, kind)(nchannels=1, backends=backends, app_name="lumi", **options)
    except audio.MiniaudioError as error:
        raise AudioDeviceError(
            f"no {what} can be opened here ({error.args[0]}): plug one in, or use --wav files"
        ) from error
    # Where there is no sound card at all miniaudio falls back to its null backend without a word.
    if device.backend == "Null" and not null:
        device.close()
        raise AudioDeviceError(f"this machine has no {what}: plug one in, or use `lumi say --wav FILE`")
    return device


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what the system's sound library writes to standard error while it looks for a card: dozens of lines."""
    try:
        kept = os.dup(STANDARD_ERROR)
    except OSError:  # there is no standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(nowhere)
        os.close(kept)
