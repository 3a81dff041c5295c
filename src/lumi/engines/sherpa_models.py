"""What kind of sherpa-onnx model lies in a folder, told by its files. Loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumi.engines.model_folder import all_of, first
from lumi.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "sherpa"
SENSE_VOICE = "sense_voice"
TRANSDUCER = "transducer"
KOKORO = "kokoro"
VITS = "vits"

SENSE_VOICE_LANGUAGES = ("zh", "en", "ja", "ko", "yue")


def recogniser_files(folder: Path) -> Mapping[str, str]:
    """`type` (`SENSE_VOICE` or `TRANSDUCER`) and the paths that it needs. Raises `EngineUnavailable`."""
    tokens = first(folder, "tokens.txt", "*tokens.txt")
    encoder = first(folder, "encoder*.int8.onnx", "encoder*.onnx")
    if encoder:
        # The decoder is small, and loses more than it gains by being quantised.
        found = {
            "type": TRANSDUCER,
            "encoder": encoder,
            "decoder": first(folder, "decoder*9.onnx", "decoder*1.onnx", "decoder*.onnx"),
            "joiner": first(folder, "joiner*.int8.onnx", "joiner*.onnx"),
            "tokens": tokens,
        }
    else:
        model = first(folder, "model.int8.onnx", "model*.onnx")
        found = {"type": SENSE_VOICE, "model": model, "tokens": tokens}
    return _complete(folder, found)


def voice_files(folder: Path) -> Mapping[str, str]:
    """`type` (`KOKORO` or `VITS`) and the paths that it needs. Raises `EngineUnavailable`."""
    if first(folder, "*.onnx.json"):
        raise EngineUnavailable(NAME, f"{folder} holds a voice of Piper's; set tts.engine to piper for it")
    voices = first(folder, "voices.bin")
    found = {
        "type": KOKORO if voices else VITS,
        # Some archives hold a quantised graph beside the full one, which the library cannot load.
        "model": first(folder, "model.onnx", "*[!8].onnx", "*.onnx"),
        "tokens": first(folder, "tokens.txt"),
        "lexicon": first(folder, "lexicon.txt") or all_of(folder, "lexicon-us-en.txt", "lexicon-zh.txt"),
    }
    rules = {"rule_fsts": all_of(folder, "*.fst")}
    return {**_complete(folder, found), **rules, **({"voices": voices} if voices else {})}


def _complete(folder: Path, found: Mapping[str, str]) -> Mapping[str, str]:
    missing = [name for name, path in found.items() if not path]
    if missing:
        raise EngineUnavailable(
            NAME,
            f"{folder} lacks what a model of the type {found['type']} has ({', '.join(missing)}); is it the right "
            "folder? lumi models list shows models that fit",
        )
    return found
