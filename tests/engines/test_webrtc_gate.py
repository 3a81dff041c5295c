"""The gate before a model: when it asks, and what it tells the model about the sound before."""

from __future__ import annotations

import random
import struct
import sys

import pytest

from lumi.engines.silero import SileroVad
from lumi.engines.webrtc_gate import WebrtcGate, gated_silero
from lumi.errors import EngineError, EngineUnavailable

QUIET = bytes(1024)


def loud(number: int) -> bytes:
    rng = random.Random(number)
    return struct.pack("<512h", *(rng.randrange(-12_000, 12_000) for _ in range(512)))


class Model:
    """Scores 0.9 and notes what it is asked."""

    window_samples = 512

    def __init__(self) -> None:
        self.opened = 0
        self.closed: list[int] = []
        self.calls: list[list[tuple[int, bytes]]] = []

    def open(self):
        self.opened += 1
        return self.opened

    def close(self, slot):
        self.closed.append(slot)

    def score(self, slots, windows):
        self.calls.append(list(zip(slots, windows, strict=True)))
        return [0.9] * len(slots)


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def gate(model):
    return WebrtcGate(model, hold_windows=3)


def test_silence_never_reaches_the_model(gate, model):
    slot = gate.open()
    assert [gate.score([slot], [QUIET]) for _ in range(20)] == [[0.0]] * 20
    assert model.calls == []
    assert (gate.windows, gate.passed) == (20, 0)


def test_sound_reaches_it_together_with_the_window_before(gate, model):
    slot = gate.open()
    gate.score([slot], [QUIET])
    assert gate.score([slot], [loud(1)]) == [0.9]
    assert model.calls == [[(slot, QUIET)], [(slot, loud(1))]]
    gate.score([slot], [loud(2)])
    assert model.calls[2:] == [[(slot, loud(2))]], "an open gate repeats nothing"


def test_the_first_window_of_all_has_none_before_it(gate, model):
    slot = gate.open()
    gate.score([slot], [loud(1)])
    assert model.calls == [[(slot, loud(1))]]


def test_stays_open_for_a_moment_and_shuts(model):
    gate = WebrtcGate(model, mode=3, hold_windows=3)
    slot = gate.open()
    for number in range(5):
        gate.score([slot], [loud(number)])
    scores = [gate.score([slot], [QUIET])[0] for _ in range(60)]
    assert scores[:2] == [0.9, 0.9]
    assert scores[-1] == 0.0
    assert scores == sorted(scores, reverse=True), "shuts once"


def test_asks_in_one_call_for_all_that_are_open(gate, model):
    first, second, third = (gate.open() for _ in range(3))
    scores = gate.score([first, second, third], [loud(1), QUIET, loud(2)])
    assert scores == [0.9, 0.0, 0.9]
    assert model.calls == [[(first, loud(1)), (third, loud(2))]]
    assert gate.window_samples == 512


def test_slots_are_the_models_and_go_back_to_it(gate, model):
    slot = gate.open()
    gate.close(slot)
    assert model.closed == [slot]
    with pytest.raises(EngineError, match="not open"):
        gate.close(slot)
    with pytest.raises(EngineError, match="not open"):
        gate.score([slot], [QUIET])


def test_a_mode_that_does_not_exist(model):
    with pytest.raises(EngineUnavailable, match="accepted: 0, 1, 2, 3"):
        WebrtcGate(model, mode=4)


def test_without_the_library_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(EngineUnavailable, match="pip install"):
        WebrtcGate(model)


@pytest.mark.real
def test_the_registrys_engine_is_silero_behind_the_gate_or_without_it():
    assert isinstance(gated_silero(), WebrtcGate)
    assert isinstance(gated_silero(gate=False), SileroVad)
    with pytest.raises(EngineUnavailable, match=r"nowhere\.onnx"):
        gated_silero(model="/nowhere.onnx")
