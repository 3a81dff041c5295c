"""Silero VAD with the shipped model."""

from __future__ import annotations

import math
import os
import random
import struct
import sys
from pathlib import Path

import pytest

from lumi.audio.resample import Reframer, Resampler
from lumi.engines import silero
from lumi.engines.base import Voice
from lumi.engines.espeak import EspeakTts
from lumi.engines.silero import MODEL, WINDOW_SAMPLES, SileroVad
from lumi.errors import EngineError, EngineUnavailable

pytestmark = pytest.mark.real
MODELS = Path(silero.__file__).parent / "models"


@pytest.fixture(scope="module")
def vad():
    return SileroVad()


def buzz(windows: int, seed: int = 0) -> list[bytes]:
    """Something like a vowel: 120 Hz and its overtones, swelling four times a second, with a little noise."""
    rng = random.Random(seed)
    out = []
    for window in range(windows):
        values = []
        for n in range(window * WINDOW_SAMPLES, (window + 1) * WINDOW_SAMPLES):
            t = n / 16_000
            swell = 0.55 + 0.45 * math.sin(2 * math.pi * 4 * t)
            tone = sum(math.sin(2 * math.pi * 120 * k * t) / k for k in range(1, 25))
            values.append(int(max(-32768, min(32767, 6000 * swell * tone + rng.gauss(0, 30)))))
        out.append(struct.pack(f"<{WINDOW_SAMPLES}h", *values))
    return out


def noise(windows: int, seed: int = 0, loud: float = 300) -> list[bytes]:
    rng = random.Random(seed)
    return [
        struct.pack(f"<{WINDOW_SAMPLES}h", *(int(rng.gauss(0, loud)) for _ in range(WINDOW_SAMPLES)))
        for _ in range(windows)
    ]


def follow(vad: SileroVad, windows: list[bytes]) -> list[float]:
    slot = vad.open()
    scores = [vad.score([slot], [window])[0] for window in windows]
    vad.close(slot)
    return scores


async def test_tells_a_voice_from_noise_and_silence(vad):
    voice = EspeakTts()
    pcm = b"".join([piece async for piece in voice.synthesize("Good morning, what time is it?", Voice())])
    await voice.aclose()
    heard = Resampler(voice.sample_rate_hz, 16_000).push(pcm, last=True)
    spoken = follow(vad, Reframer(2 * WINDOW_SAMPLES).push(heard, last=True))
    noisy = follow(vad, noise(30))
    quiet = follow(vad, [bytes(2 * WINDOW_SAMPLES)] * 30)
    assert sum(score > 0.5 for score in spoken) > len(spoken) * 0.6
    assert max(noisy) < 0.35
    assert max(quiet) < 0.2
    assert all(0 <= score <= 1 for score in spoken + noisy + quiet)


def test_a_batch_gives_what_each_stream_gives_alone(vad):
    streams = [buzz(8, 1), noise(8, 2), buzz(8, 3), [bytes(1024)] * 8]
    alone = [follow(vad, windows) for windows in streams]
    slots = [vad.open() for _ in streams]
    together = [vad.score(slots, [windows[step] for windows in streams]) for step in range(8)]
    for row, slot in enumerate(slots):
        assert [scores[row] for scores in together] == pytest.approx(alone[row], abs=1e-4)
        vad.close(slot)


def test_streams_may_come_in_any_order_and_miss_turns(vad):
    windows = buzz(6)
    alone = follow(vad, windows)
    first, second = vad.open(), vad.open()
    got = []
    for step, window in enumerate(windows):
        rows = [(first, window)] if step % 2 else [(second, noise(1, step)[0]), (first, window)]
        scores = vad.score([slot for slot, _ in rows], [sound for _, sound in rows])
        got.append(scores[-1])
    vad.close(first)
    vad.close(second)
    assert got == pytest.approx(alone, abs=1e-4)


def test_a_slot_used_again_remembers_nothing(vad):
    fresh = follow(vad, noise(4, 5))
    slot = vad.open()
    for window in buzz(20):
        vad.score([slot], [window])
    vad.close(slot)
    again = vad.open()
    assert again == slot
    assert [vad.score([again], [window])[0] for window in noise(4, 5)] == pytest.approx(fresh, abs=1e-6)
    vad.close(again)


def test_slots_grow_beyond_the_first_ones_and_keep_their_memory(vad):
    windows = buzz(4)
    alone = follow(vad, windows)
    slot = vad.open()
    got = [vad.score([slot], [windows[0]])[0]]
    more = [vad.open() for _ in range(40)]
    assert len({slot, *more}) == 41
    got += [vad.score([slot], [window])[0] for window in windows[1:]]
    assert got == pytest.approx(alone, abs=1e-6)
    for one in (slot, *more):
        vad.close(one)


def test_nothing_to_score(vad):
    assert vad.score([], []) == []


def test_a_window_of_another_length_is_refused(vad):
    slot = vad.open()
    with pytest.raises(EngineError, match="512 samples"):
        vad.score([slot], [bytes(100)])
    vad.close(slot)


def test_closing_twice_is_an_error_that_names_the_slot(vad):
    slot = vad.open()
    vad.close(slot)
    with pytest.raises(EngineError, match=f"slot {slot} is not open"):
        vad.close(slot)


def test_a_model_that_fails_is_an_engine_error(vad, monkeypatch):
    slot = vad.open()
    monkeypatch.setattr(vad, "_rate", vad._np.zeros(3, "int8"))
    with pytest.raises(EngineError, match="the model failed"):
        vad.score([slot], [bytes(1024)])
    vad.close(slot)


def test_the_telemetry_of_the_runtime_is_off_before_it_is_loaded(monkeypatch):
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    SileroVad()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_without_the_runtime_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'lumi-assistant\[server\]'"):
        SileroVad()


def test_a_model_file_that_is_none(tmp_path):
    with pytest.raises(EngineUnavailable, match="cannot be read: No such file"):
        SileroVad(tmp_path / "missing.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(EngineUnavailable, match=r"broken\.onnx cannot be loaded"):
        SileroVad(broken)


def test_another_model_file_of_the_same_shape(tmp_path):
    shipped = MODELS / MODEL
    copy = tmp_path / "copy.onnx"
    copy.write_bytes(shipped.read_bytes())
    assert len(follow(SileroVad(copy), noise(2))) == 2


def test_the_models_licence_is_shipped_with_it():
    assert "MIT License" in (MODELS / "LICENSE.silero-vad").read_text()
