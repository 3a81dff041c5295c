"""Tiny models with the shapes and metadata that the real loading code insists on, made with the `onnx` package.

They "hear" tones: each of `TONES_HZ` stands for one token, so an utterance is a melody. The recognisers' weights compare
the energy in a few mel bands with all others; silence and noise have none that stands out. The voice speaks a hum whose
length follows the number of phonemes and the pace.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RATE_HZ = 16_000
MELS = 80
TONES_HZ = (300, 900, 2_000, 4_200)
BLANK_LOGIT = 4.0
"""A band must stand out by so much (in nats of energy) to be a token."""
OPSET = [helper.make_opsetid("", 13)]


def melody(tones: Sequence[int], tone_s: float = 0.4, gap_s: float = 0.2) -> bytes:
    """16 kHz PCM: the tones of these numbers, with silence before, between and after them."""
    silence = bytes(2 * int(gap_s * RATE_HZ))
    played = [_tone(TONES_HZ[number], tone_s) + silence for number in tones]
    return silence + b"".join(played)


def _tone(frequency_hz: int, seconds: float) -> bytes:
    turn = 2 * math.pi * frequency_hz / RATE_HZ
    samples = [int(9_000 * math.sin(turn * i)) for i in range(int(seconds * RATE_HZ))]
    return struct.pack(f"<{len(samples)}h", *samples)


def _mel(frequency_hz: float) -> float:
    return 1127.0 * math.log(1 + frequency_hz / 700)


def band_weights(tokens: int, first: int) -> np.ndarray[Any, Any]:
    """(MELS, tokens): column `first + i` measures how far tone `i` stands out; the others are zero."""
    low, high = _mel(20), _mel(7_600)
    weights = np.zeros((MELS, tokens), np.float32)
    for number, frequency_hz in enumerate(TONES_HZ):
        centre = (_mel(frequency_hz) - low) / (high - low) * (MELS + 1) - 1
        band = [bin_ for bin_ in range(MELS) if abs(bin_ - centre) <= 2]
        weights[:, first + number] = -1 / MELS
        weights[band, first + number] += 1 / len(band)
    return weights


def _save(path: Path, graph: onnx.GraphProto, metadata: Mapping[str, object]) -> None:
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _constant(name: str, value: Any) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value), name)


def _value(name: str, kind: int, shape: Sequence[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _tokens(path: Path, symbols: Iterable[str]) -> None:
    path.write_text("".join(f"{symbol} {i}\n" for i, symbol in enumerate(symbols)), encoding="utf-8")


SENSE_VOICE_TAGS = ("<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|woitn|>")
SENSE_VOICE_WORDS = ("你", "好", "今", "天")


def sense_voice(folder: Path) -> Path:
    """Hears `SENSE_VOICE_WORDS`, in Chinese. Features come stacked by seven, as the real one has them."""
    folder.mkdir(parents=True, exist_ok=True)
    symbols = ("<blank>", *SENSE_VOICE_TAGS, *SENSE_VOICE_WORDS)
    _tokens(folder / "tokens.txt", symbols)
    count, stacked = len(symbols), 7
    weights = np.zeros((stacked * MELS, count), np.float32)
    weights[3 * MELS : 4 * MELS] = band_weights(count, 1 + len(SENSE_VOICE_TAGS))
    bias = np.full(count, -100, np.float32)
    bias[0], bias[1 + len(SENSE_VOICE_TAGS) :] = BLANK_LOGIT, 0
    tags = np.full((1, len(SENSE_VOICE_TAGS), count), -50, np.float32)
    for place in range(len(SENSE_VOICE_TAGS)):
        tags[0, place, 1 + place] = 50
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["raw"]),
            helper.make_node("Add", ["raw", "bias"], ["frames"]),
            helper.make_node("Concat", ["tags", "frames"], ["logits"], axis=1),
        ],
        "sense_voice",
        [
            _value("x", TensorProto.FLOAT, ["N", "T", stacked * MELS]),
            _value("x_length", TensorProto.INT32, ["N"]),
            _value("language", TensorProto.INT32, ["N"]),
            _value("text_norm", TensorProto.INT32, ["N"]),
        ],
        [_value("logits", TensorProto.FLOAT, ["N", "L", count])],
        [_constant("weights", weights), _constant("bias", bias), _constant("tags", tags)],
    )
    metadata = {
        "lfr_window_size": stacked, "lfr_window_shift": 6, "normalize_samples": 0, "vocab_size": count,
        "neg_mean": ",".join(["0"] * stacked * MELS), "inv_stddev": ",".join(["1"] * stacked * MELS),
        "model_type": "sense_voice_ctc", "version": 1, "model_author": "tests", "maintainer": "tests", "comment": "tiny",
        "with_itn": 14, "without_itn": 15, "lang_auto": 0, "lang_zh": 3, "lang_en": 4, "lang_yue": 7,
        "lang_ja": 11, "lang_ko": 12, "lang_nospeech": 13,
    }  # fmt: skip
    _save(folder / "model.int8.onnx", graph, metadata)
    return folder


ZIPFORMER_WORDS = ("▁HELLO", "▁WORLD", "▁GOOD", "▁DAY")
CHUNK, LOOK = 32, 39
"""Frames of a step, and how many it wants to see."""


def zipformer(folder: Path) -> Path:
    """A streaming transducer that hears `ZIPFORMER_WORDS`: one stack with one layer, whose memory passes through."""
    folder.mkdir(parents=True, exist_ok=True)
    symbols = ("<blk>", *ZIPFORMER_WORDS)
    _tokens(folder / "tokens.txt", symbols)
    count = len(symbols)
    _encoder(folder / "encoder-epoch-1-avg-1.int8.onnx", count)
    _decoder(folder / "decoder-epoch-1-avg-1.onnx", count)
    _joiner(folder / "joiner-epoch-1-avg-1.int8.onnx", count)
    return folder


def _encoder(path: Path, count: int) -> None:
    states: dict[str, tuple[int, list[int | str]]] = {
        "cached_len_0": (TensorProto.INT64, [1, "N"]),
        "cached_avg_0": (TensorProto.FLOAT, [1, "N", 4]),
        "cached_key_0": (TensorProto.FLOAT, [1, 8, "N", 4]),
        "cached_val_0": (TensorProto.FLOAT, [1, 8, "N", 2]),
        "cached_val2_0": (TensorProto.FLOAT, [1, 8, "N", 2]),
        "cached_conv1_0": (TensorProto.FLOAT, [1, "N", 4, 2]),
        "cached_conv2_0": (TensorProto.FLOAT, [1, "N", 4, 2]),
    }
    bias = np.zeros(count, np.float32)
    bias[0] = BLANK_LOGIT
    graph = helper.make_graph(
        [
            helper.make_node("Slice", ["x", "start", "end", "axis", "step"], ["every_fourth"]),
            helper.make_node("MatMul", ["every_fourth", "weights"], ["raw"]),
            helper.make_node("Add", ["raw", "bias"], ["encoder_out"]),
            *(helper.make_node("Identity", [name], [f"new_{name}"]) for name in states),
        ],
        "encoder",
        [
            _value("x", TensorProto.FLOAT, ["N", LOOK, MELS]),
            *(_value(name, *state) for name, state in states.items()),
        ],
        [
            _value("encoder_out", TensorProto.FLOAT, ["N", CHUNK // 4, count]),
            *(_value(f"new_{name}", *state) for name, state in states.items()),
        ],
        [
            _constant("weights", band_weights(count, 1)),
            _constant("bias", bias),
            *(
                _constant(name, np.array([value], np.int64))
                for name, value in (("start", 0), ("end", CHUNK), ("axis", 1), ("step", 4))
            ),
        ],
    )
    metadata = {
        "model_type": "zipformer", "version": "1", "model_author": "tests", "comment": "tiny",
        "encoder_dims": 4, "attention_dims": 4, "num_encoder_layers": 1, "cnn_module_kernels": 3,
        "left_context_len": 8, "T": LOOK, "decode_chunk_len": CHUNK,
    }  # fmt: skip
    _save(path, graph, metadata)


def _decoder(path: Path, count: int) -> None:
    """Looks at the last token, so that a tone that goes on is one token."""
    once = np.diag(np.full(count, -1000, np.float32))
    once[0, 0] = 0
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["y", "last"], ["token"], axis=1),
            helper.make_node("Gather", ["once", "token"], ["decoder_out"], axis=0),
        ],
        "decoder",
        [_value("y", TensorProto.INT64, ["N", 2])],
        [_value("decoder_out", TensorProto.FLOAT, ["N", count])],
        [_constant("once", once), _constant("last", np.array(1, np.int64))],
    )
    _save(path, graph, {"vocab_size": count, "context_size": 2})


def _joiner(path: Path, count: int) -> None:
    graph = helper.make_graph(
        [helper.make_node("Add", ["encoder_out", "decoder_out"], ["logit"])],
        "joiner",
        [
            _value("encoder_out", TensorProto.FLOAT, ["N", count]),
            _value("decoder_out", TensorProto.FLOAT, ["N", count]),
        ],
        [_value("logit", TensorProto.FLOAT, ["N", count])],
    )
    _save(path, graph, {"joiner_dim": count})


VOICE_RATE_HZ = 22_050
SAMPLES_A_PHONEME = 1_100
PITCH_HZ = 150


def _hum(inputs: Sequence[onnx.ValueInfoProto], lengths: str, pace: str, *, speakers: int) -> onnx.GraphProto:
    """A graph that hums as long as there are phonemes; the pitch is the speaker's.

    `pace` is the input that holds the length of a phoneme: alone, or in the middle of three.
    """
    place = 0 if pace == "length_scale" else 1
    number = (
        [helper.make_node("Cast", ["sid"], ["number"], to=TensorProto.FLOAT)]
        if speakers > 1
        else [helper.make_node("Identity", ["nobody"], ["number"])]
    )
    turn = 2 * math.pi * PITCH_HZ / VOICE_RATE_HZ
    constants = {
        "nobody": np.array([0], np.float32),
        "one": np.array([1], np.float32),
        "turn": np.array([turn], np.float32),
        "start": np.array(0, np.float32),
        "step": np.array(1, np.float32),
        "place": np.array([place], np.int64),
        "samples": np.array([SAMPLES_A_PHONEME], np.float32),
        "loudness": np.array(0.5, np.float32),
        "axes": np.array([0, 1], np.int64),
    }
    return helper.make_graph(
        [
            *number,
            helper.make_node("Add", ["number", "one"], ["above"]),
            helper.make_node("Mul", ["above", "turn"], ["pitch"]),
            helper.make_node("Gather", [pace, "place"], ["pace"], axis=0),
            helper.make_node("Cast", [lengths], ["phonemes"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["phonemes", "pace"], ["paced"]),
            helper.make_node("Mul", ["paced", "samples"], ["length"]),
            helper.make_node("ReduceMax", ["length"], ["longest"], keepdims=0),
            helper.make_node("Range", ["start", "longest", "step"], ["time"]),
            helper.make_node("Mul", ["time", "pitch"], ["angle"]),
            helper.make_node("Sin", ["angle"], ["hum"]),
            helper.make_node("Mul", ["hum", "loudness"], ["sound"]),
            helper.make_node("Unsqueeze", ["sound", "axes"], ["output"]),
        ],
        "voice",
        [*inputs, *([_value("sid", TensorProto.INT64, ["N"])] if speakers > 1 else [])],
        [_value("output", TensorProto.FLOAT, ["N", 1, "S"])],
        [_constant(name, value) for name, value in constants.items()],
    )


def piper_voice(folder: Path, speakers: int = 1) -> Path:
    """A Piper voice: phonemes by espeak-ng, as the real ones have them."""
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    folder.mkdir(parents=True, exist_ok=True)
    inputs = [
        _value("input", TensorProto.INT64, ["N", "T"]),
        _value("input_lengths", TensorProto.INT64, ["N"]),
        _value("scales", TensorProto.FLOAT, [3]),
    ]
    _save(folder / "tiny.onnx", _hum(inputs, "input_lengths", "scales", speakers=speakers), {})
    settings = {
        "audio": {"sample_rate": VOICE_RATE_HZ, "quality": "tiny"},
        "espeak": {"voice": "en-us"},
        "language": {"code": "en_US", "family": "en"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "num_symbols": len(DEFAULT_PHONEME_ID_MAP),
        "num_speakers": speakers,
        "speaker_id_map": {"low": 0, "high": 1} if speakers > 1 else {},
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
    }
    (folder / "tiny.onnx.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


LEXICON = [
    "hello",
    "there",
    "this",
    "is",
    "a",
    "sentence",
    "of",
    "long",
    "text",
    "that",
    "goes",
    "on",
    "and",
    "one",
    "two",
    "three",
    "four",
]


def lexicon_voice(folder: Path, speakers: int = 2) -> Path:
    """A VITS voice for sherpa-onnx that looks words up in a lexicon, one phoneme a letter; also 你 and 好."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    _tokens(folder / "tokens.txt", ("_", ",", ".", "!", "?", "sil", "eos", "#0", "", *letters))
    words = [f"{word} {' '.join(word)}" for word in LEXICON] + ["你 n i", "好 h a o"]
    (folder / "lexicon.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    inputs = [
        _value("x", TensorProto.INT64, ["N", "T"]),
        _value("x_length", TensorProto.INT64, ["N"]),
        _value("noise_scale", TensorProto.FLOAT, [1]),
        _value("length_scale", TensorProto.FLOAT, [1]),
        _value("noise_scale_w", TensorProto.FLOAT, [1]),
    ]
    metadata = {
        "model_type": "vits", "comment": "tiny", "language": "English", "add_blank": 1, "n_speakers": speakers,
        "sample_rate": VOICE_RATE_HZ, "punctuation": ", . ! ?", "has_espeak": 0,
    }  # fmt: skip
    _save(folder / "model.onnx", _hum(inputs, "x_length", "length_scale", speakers=speakers), metadata)
    return folder
