"""PocketSphinx inside its worker process: utterances go through a cascade from the strictest recogniser to the freest.

While the user speaks, the grammar and the n-gram recognise side by side, so that the answer is there when the sound
ends. What neither of them is sure of is heard once more with the cepstral mean of the whole utterance, and at last,
as a guess, with the general English model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from lumi.engines import confidence
from lumi.engines.grammar import Grammar, find_grammar
from lumi.engines.pocketsphinx_decoders import Recipe
from lumi.engines.pocketsphinx_messages import Recognised, RecogniseRequest, VocabularyReport

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from lumi.engines.confidence import Verdict
    from lumi.engines.pocketsphinx_decoders import Decoder

LANGUAGE = "en"
BYTES_PER_S = 32_000
PRIME_BYTES = BYTES_PER_S
"""So much is heard of an unknown speaker before recognition starts: it gives the first cepstral mean."""
STEP_BYTES = BYTES_PER_S // 4
"""Worked through at once: 5 … 50 ms of computing."""
SHORTEST_BYTES = BYTES_PER_S // 10
LONGEST_BYTES = 30 * BYTES_PER_S
"""What comes after it is not heard: no command is that long."""
PARTIAL_BYTES = BYTES_PER_S // 3
DICTATION_BESIDE = 1
"""The general model, four times slower, is asked only while at most so many utterances are under way."""
HOPELESS = 0.05
"""What the grammar was less sure of than this is not heard a second time."""


class Pair:
    """The two recognisers that listen while the user speaks."""

    def __init__(self, recipe: Recipe) -> None:
        self.grammar = recipe.grammar_decoder()
        self.free = recipe.free_decoder()

    def start(self, mean: str) -> None:
        self.grammar.start(mean)
        self.free.start(mean)

    def feed(self, pcm: bytes) -> None:
        self.grammar.feed(pcm)
        self.free.feed(pcm)

    def cancel(self) -> None:
        self.grammar.cancel()
        self.free.cancel()


class PocketsphinxService:
    """Keeps the decoders and lends them to utterances. For the arguments see `pocketsphinx.PocketsphinxStt`."""

    def __init__(
        self,
        grammar: dict[str, Any] | None = None,
        reference: str = "",
        *,
        dictation: bool = True,
        live: int = 4,
    ) -> None:
        wanted = msgspec.convert(grammar, Grammar) if grammar else find_grammar(LANGUAGE, reference)
        self._recipe = Recipe(wanted)
        self._live = live
        self._dictation_wanted = dictation
        self._dictation: Decoder | None = None
        self._dictation_lent = False
        self._idle = [Pair(self._recipe)]
        self._lent = 0
        fitted = self._recipe.vocabulary
        self.words = frozenset(fitted.pronunciations)
        self.accepts = fitted.sentences.accepts
        self.report = msgspec.msgpack.encode(VocabularyReport(fitted.generated, fitted.left_out))

    def open(self, request: bytes) -> RecogniseJob:
        return RecogniseJob(self, msgspec.msgpack.decode(request, type=RecogniseRequest))

    def borrow(self, *, ended: bool) -> Pair | None:
        """A pair, if there is one to be had. One more is kept for utterances that have ended: those that still go on
        must not keep them waiting.
        """
        if self._lent >= self._live + ended:
            return None
        self._lent += 1
        return self._idle.pop() if self._idle else Pair(self._recipe)

    def give_back(self, pair: Pair) -> None:
        pair.cancel()
        self._lent -= 1
        self._idle.append(pair)

    @property
    def dictates(self) -> bool:
        """Whether there is the time for a better guess; where many speak, commands come first."""
        return self._dictation_wanted and self._lent <= DICTATION_BESIDE

    def borrow_dictation(self) -> Decoder | None:
        """The general recogniser, unless another utterance has it; loaded when it is first needed."""
        if self._dictation_lent:
            return None
        self._dictation_lent = True
        self._dictation = self._dictation or self._recipe.dictation_decoder()
        return self._dictation

    def give_back_dictation(self) -> None:
        if self._dictation:
            self._dictation.cancel()
        self._dictation_lent = False


class RecogniseJob:
    """One utterance."""

    def __init__(self, service: PocketsphinxService, request: RecogniseRequest) -> None:
        self._service = service
        self._mean = request.mean
        self._pcm = bytearray()
        self._pair: Pair | None = None
        self._started = False
        self._heard = 0
        self._partial = ""
        self._partial_at = PARTIAL_BYTES
        self._dictating = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        self._pcm += piece[: LONGEST_BYTES - len(self._pcm)]
        self._pair = self._pair or self._service.borrow(ended=False)
        if self._pair and (self._mean or len(self._pcm) >= PRIME_BYTES):
            yield from self._catch_up(self._pair)
            if self._heard >= self._partial_at:
                yield from self._say_partial(self._pair)

    def finish(self) -> Iterator[bytes]:
        del self._pcm[len(self._pcm) // 2 * 2 :]
        if len(self._pcm) < SHORTEST_BYTES:
            yield Recognised(is_final=True).encode()
            return
        while self._pair is None:
            self._pair = self._service.borrow(ended=True)
            yield b""
        pair = self._pair
        yield from self._catch_up(pair)
        verdict, guess = self._judge(pair)
        mean = pair.grammar.mean_of(bytes(self._pcm))
        if not verdict.trusted and verdict.confidence > HOPELESS:
            self._mean, self._started, self._heard = mean, False, 0
            yield from self._catch_up(pair)
            verdict, guess = self._judge(pair)
        self._release()
        if not verdict.trusted:
            verdict = (yield from self._dictate(mean)) if self._service.dictates else guess
        learnt = mean if verdict.trusted else ""
        yield Recognised(
            verdict.text, verdict.confidence, is_final=True, source=verdict.source, mean=learnt
        ).encode()

    def close(self) -> None:
        self._release()
        if self._dictating:
            self._service.give_back_dictation()

    def _catch_up(self, pair: Pair) -> Iterator[bytes]:
        """Let the pair hear what it has not heard yet."""
        if not self._started:
            pair.start(self._mean or pair.grammar.mean_of(bytes(self._pcm)))
            self._started = True
        whole = len(self._pcm) // 2 * 2
        while self._heard < whole:
            step = bytes(self._pcm[self._heard : min(self._heard + STEP_BYTES, whole)])
            pair.feed(step)
            self._heard += len(step)
            yield b""

    def _say_partial(self, pair: Pair) -> Iterator[bytes]:
        self._partial_at = self._heard + PARTIAL_BYTES
        text = pair.free.partial()
        if text != self._partial:
            self._partial = text
            yield Recognised(text).encode()

    def _judge(self, pair: Pair) -> tuple[Verdict, Verdict]:
        """What to take the utterance for; and a guess, should nobody know better."""
        free = pair.free.finish()
        verdict = confidence.judge(pair.grammar.finish(), free, self._service.words, self._service.accepts)
        return verdict, confidence.of_dictation(free)

    def _dictate(self, mean: str) -> Generator[bytes, None, Verdict]:
        decoder = self._service.borrow_dictation()
        while decoder is None:
            yield b""
            decoder = self._service.borrow_dictation()
        self._dictating = True
        decoder.start(mean)
        for start in range(0, len(self._pcm), STEP_BYTES):
            decoder.feed(bytes(self._pcm[start : start + STEP_BYTES]))
            yield b""
        verdict = confidence.of_dictation(decoder.finish())
        self._service.give_back_dictation()
        self._dictating = False
        return verdict

    def _release(self) -> None:
        if self._pair:
            self._service.give_back(self._pair)
            self._pair = None
