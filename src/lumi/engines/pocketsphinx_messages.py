"""What travels between `pocketsphinx` and its worker."""

from __future__ import annotations

import msgspec

from lumi.engines.confidence import Source


class RecogniseRequest(msgspec.Struct, frozen=True):
    """Opens an utterance. `mean`: the cepstral mean of this speaker's last one, if there was one."""

    mean: str = ""


class Recognised(msgspec.Struct, frozen=True, omit_defaults=True):
    """A partial, or the final word on an utterance."""

    text: str = ""
    confidence: float = 0.0
    is_final: bool = False
    source: Source = Source.NOBODY
    mean: str = ""
    """The utterance's cepstral mean, where it was understood."""

    def encode(self) -> bytes:
        return msgspec.msgpack.encode(self)


class VocabularyReport(msgspec.Struct, frozen=True):
    """The engine's report when it is loaded."""

    generated: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
