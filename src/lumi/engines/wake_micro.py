"""Wake words by microWakeWord: small models that come with their package, on this machine, without a download."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumi.engines.wake_repeats import WakeRepeats
from lumi.errors import ConfigError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "micro"


class MicroWake:
    """The `Wake` seam; every stream has models of its own, at some 60 KB each.

    Args:
        model: names of wake words, with commas between (`okay_nabu, hey_jarvis`), or a model's own `.json`.
        threshold: probability from which a word counts, above 0 and below 1; 0: as each model says itself.

    Raises:
        EngineUnavailable: its package is not installed.
        ConfigError: there is no such wake word; says which there are.
    """

    name = NAME

    def __init__(self, model: str = "okay_nabu", threshold: float = 0.0) -> None:
        if importlib.util.find_spec("pymicro_wakeword") is None:
            raise EngineUnavailable(
                NAME, "is not installed; install it with: pip install 'lumi-assistant[wake]'"
            )
        if not 0 <= threshold < 1:
            raise ConfigError("wake.micro.threshold", f"is {threshold:g}; accepted: from 0 to below 1")
        self._threshold = threshold
        self._models = tuple(_model_file(name) for part in model.split(",") if (name := part.strip()))
        if not self._models:
            raise ConfigError("wake.micro.model", f"names no wake word; there are: {', '.join(_builtin())}")

    async def detect(self, audio: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """See `engines.base.Wake`. Raises `EngineUnavailable` where a model cannot be read."""
        ears = await asyncio.to_thread(Ears, self._models, self._threshold)
        async for piece in audio:
            for name in await asyncio.to_thread(ears.push, piece):
                yield name

    async def aclose(self) -> None:
        """Nothing outlives a stream."""


class Ears:
    """One stream's models and what they remember."""

    def __init__(self, files: tuple[Path, ...], threshold: float) -> None:
        from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures

        try:
            self._models = [MicroWakeWord.from_config(file) for file in files]
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise EngineUnavailable(NAME, f"a model cannot be read: {error}; see wake.micro.model") from error
        self._features = MicroWakeWordFeatures()
        self._threshold = threshold
        self._repeats = WakeRepeats()

    def push(self, pcm: bytes) -> list[str]:
        """The names of what is heard in a piece, in the order of the models."""
        self._repeats.add(pcm)
        heard: dict[str, None] = {}
        for features in self._features.process_streaming(pcm):
            heard |= dict.fromkeys(model.id for model in self._models if self._is_heard(model, features))
        return list(heard)

    def _is_heard(self, model: Any, features: Any) -> bool:
        probability = model.process_streaming_prob(features) or 0.0
        return probability > (self._threshold or model.probability_cutoff) and self._repeats.is_new(model.id)


def _folder() -> Path:
    spec = importlib.util.find_spec("pymicro_wakeword")
    return Path(spec.origin or "").parent / "models" if spec else Path()


def _builtin() -> list[str]:
    return sorted(file.stem for file in _folder().glob("*.json"))


def _model_file(name: str) -> Path:
    """`okay nabu` and `okay_nabu` are one; a path is taken as it is."""
    if name.endswith(".json"):
        file = Path(name).expanduser()
    else:
        file = _folder() / f"{name.lower().replace(' ', '_')}.json"
    if not file.is_file():
        known = ", ".join(_builtin())
        raise ConfigError(
            "wake.micro.model", f"there is no wake word {name!r}; there are: {known}, or a .json"
        )
    return file
