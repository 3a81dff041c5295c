from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from tests.client import sound_library

from lumi.client.audio_device import load_miniaudio, open_device
from lumi.errors import AudioDeviceError


@pytest.fixture(autouse=True)
def _double(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "miniaudio", sound_library)


def test_a_device_is_mono_and_named():
    device = open_device("CaptureDevice", sample_rate=16_000)
    assert device.options == {"nchannels": 1, "backends": [], "app_name": "lumi", "sample_rate": 16_000}
    assert open_device("PlaybackDevice", null=True).backend == "Null"


def test_what_the_system_s_sound_library_writes_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    def noisy(**options: Any) -> Any:
        os.write(2, b"ALSA lib confmisc.c:855:(parse_card) cannot find card '0'")
        return sound_library.Device(**options)

    monkeypatch.setattr(sound_library, "PlaybackDevice", noisy)
    open_device("PlaybackDevice")
    os.write(2, b"after it")
    assert capfd.readouterr().err == "after it"


def test_without_a_standard_error_it_works_too(monkeypatch: pytest.MonkeyPatch):
    def closed(_descriptor: int) -> int:
        raise OSError

    monkeypatch.setattr(os, "dup", closed)
    assert open_device("PlaybackDevice").backend == "ALSA"


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "miniaudio", None)
    with pytest.raises(AudioDeviceError, match=r"pip install 'lumi-assistant\[mic\]'"):
        load_miniaudio()


@pytest.mark.parametrize(
    ("kind", "what"), [("CaptureDevice", "microphone"), ("PlaybackDevice", "loudspeaker")]
)
def test_a_device_that_will_not_open(monkeypatch: pytest.MonkeyPatch, kind, what):
    def broken(**_options: Any) -> None:
        raise sound_library.MiniaudioError("busy", -4)

    monkeypatch.setattr(sound_library, kind, broken)
    with pytest.raises(AudioDeviceError, match=rf"no {what} can be opened here \(busy\)"):
        open_device(kind)


def test_a_machine_without_a_card_is_told_not_played_to_nobody(monkeypatch: pytest.MonkeyPatch):
    def silent(**options: Any) -> Any:
        device = sound_library.Device(**options)
        device.backend = "Null"
        return device

    monkeypatch.setattr(sound_library, "CaptureDevice", silent)
    with pytest.raises(AudioDeviceError, match="this machine has no microphone"):
        open_device("CaptureDevice")
    assert sound_library.last().closed
