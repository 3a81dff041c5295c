"""An utterance that can be heard again from its beginning, by another engine, also while it still goes on."""

from __future__ import annotations

from lumi.voice.utterance import Utterance


class Replay:
    """Stands for an utterance, and keeps what was read of it; bounded as the utterance itself is."""

    def __init__(self, utterance: Utterance) -> None:
        self._utterance = utterance
        self._pieces: list[bytes] = []
        self._position = 0

    @property
    def ended_at(self) -> float | None:
        return self._utterance.ended_at

    @property
    def speech_ms(self) -> float:
        return self._utterance.speech_ms

    def rewind(self) -> None:
        """The next reader begins at the beginning."""
        self._position = 0

    def __aiter__(self) -> Replay:
        return self

    async def __anext__(self) -> bytes:
        if self._position == len(self._pieces):
            self._pieces.append(await anext(self._utterance))
        self._position += 1
        return self._pieces[self._position - 1]
