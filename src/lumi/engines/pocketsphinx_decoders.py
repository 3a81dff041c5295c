"""The decoders of PocketSphinx that one utterance needs, made from a grammar. Imported in the worker process only."""

from __future__ import annotations

import heapq
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pocketsphinx

from lumi.engines import vocabulary
from lumi.engines.confidence import Hypothesis, Segment
from lumi.engines.ngram import WittenBell, arpa

if TYPE_CHECKING:
    from lumi.engines.automaton import Automaton
    from lumi.engines.grammar import Grammar

BACKGROUND_WORDS = 3_000
BACKGROUND_SHARE = 0.05
LOG_BASE = 1e-4
"""ln of 1.0001, the base of the model's integer logarithms."""
SEARCH = "sentences"
QUIET = {"loglevel": "FATAL", "dither": True, "seed": 1}
"""Dither: the front end makes infinities of digital silence. The same seed: the same sound gives the same words."""
GRAMMAR_SEARCH = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60, "wip": 0.05, "maxhmmpf": 3000}
"""Wide, since a grammar is small and at the usual width 1 sentence in 80 was lost; and loath to add a word: with the
usual word insertion penalty of 0.65, 78 of 100 sentences came out word for word, with this one 84."""


class Decoder:
    """One PocketSphinx decoder, used for one utterance at a time."""

    def __init__(self, **settings: Any) -> None:
        model = Path(pocketsphinx.get_model_path()) / "en-us"
        self._decoder = pocketsphinx.Decoder(hmm=str(model / "en-us"), **{"lm": None, **QUIET, **settings})
        self._open = False

    def listen_for(self, sentences: Automaton, corpus: tuple[str, ...]) -> None:
        """Hear nothing but these sentences; those like the corpus's are likelier."""
        end = len(sentences.arcs)
        arcs: list[tuple[int, int, float] | tuple[int, int, float, str]] = []
        for state, ways in enumerate(sentences.weights(corpus)):
            for word, share in ways.items():
                arcs.append(
                    (state, end, share) if word is None else (state, sentences.arcs[state][word], share, word)
                )
        self._decoder.add_fsg(SEARCH, self._decoder.create_fsg(SEARCH, 0, end, arcs))
        self._decoder.activate_search(SEARCH)

    def start(self, mean: str) -> None:
        """Begin an utterance. `mean`: the cepstral mean of speaker and room, comma-separated."""
        self.cancel()
        self._decoder.reinit_feat()  # 0.6 ms; else the noise of whoever spoke before would be taken off this sound
        self._decoder.set_cmn(mean)
        self._decoder.start_utt()
        self._open = True

    def feed(self, pcm: bytes) -> None:
        if pcm:
            self._decoder.process_raw(pcm, False, False)

    def partial(self) -> str:
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""

    def finish(self) -> Hypothesis:
        self._decoder.end_utt()
        self._open = False
        found = self._decoder.hyp()
        if not found:
            return Hypothesis()
        segments = tuple(
            Segment(part.word, part.start_frame, part.end_frame, math.log(max(part.ascore, 1e-300)))
            for part in self._decoder.seg()
        )
        return Hypothesis(found.hypstr, found.prob, segments)

    def cancel(self) -> None:
        if self._open:
            self._decoder.end_utt()
            self._open = False

    def mean_of(self, pcm: bytes) -> str:
        """The cepstral mean of a piece of sound: the front end alone, 0.4 % of real time."""
        self.cancel()
        self._decoder.reinit_feat()  # else the utterances before would go into it
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, True, True)
        self._decoder.end_utt()
        return str(self._decoder.get_cmn())


class Recipe:
    """What the decoders are made from: a grammar fitted to the dictionary, everyday words beside it."""

    def __init__(self, grammar: Grammar) -> None:
        model = Path(pocketsphinx.get_model_path()) / "en-us"
        self._dictionary, self._model = model / "cmudict-en-us.dict", model / "en-us.lm.bin"
        with self._dictionary.open(encoding="utf-8") as lines:
            known = vocabulary.select(lines, vocabulary.wanted_of(grammar))
        self.vocabulary = vocabulary.fit(grammar, known)
        background = self._background()
        with self._dictionary.open(encoding="utf-8") as lines:
            everyday = vocabulary.select(lines, background)
        own = self.vocabulary.pronunciations
        self._words = vocabulary.dictionary_text(own)
        self._words_and_background = vocabulary.dictionary_text(everyday | own)
        self._ngram = arpa(WittenBell(self.vocabulary.corpus, background=background, share=BACKGROUND_SHARE))

    def grammar_decoder(self) -> Decoder:
        """Hears nothing but the grammar's sentences."""
        decoder = _decoder({"dict": self._words}, bestpath=False, **GRAMMAR_SEARCH)
        decoder.listen_for(self.vocabulary.sentences, self.vocabulary.corpus)
        return decoder

    def free_decoder(self) -> Decoder:
        """Hears the grammar's words in likely orders, and everyday words."""
        files = {"dict": self._words_and_background, "lm": self._ngram}
        return _decoder(files)

    def dictation_decoder(self) -> Decoder:
        """Hears English, as far as a model of 2013 can. 90 MB."""
        return Decoder(dict=str(self._dictionary), lm=str(self._model), fwdflat=False)

    def _background(self) -> dict[str, float]:
        """The most frequent words of the general model, with their probabilities."""
        pocketsphinx.set_loglevel("FATAL")
        model = pocketsphinx.NGramModel(pocketsphinx.Config(), pocketsphinx.LogMath(), str(self._model))
        with self._dictionary.open(encoding="utf-8") as lines:
            rated = ((model.prob([word]), word) for word, _ in vocabulary.entries(lines))
            best = heapq.nlargest(BACKGROUND_WORDS, rated)
        return {word: math.exp(rating * LOG_BASE) for rating, word in best}


def _decoder(files: dict[str, str], **settings: Any) -> Decoder:
    """PocketSphinx reads its models from files; they are gone when it has."""
    with tempfile.TemporaryDirectory(prefix="lumi-") as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        return Decoder(**{name: str(Path(folder, name)) for name in files}, **settings)
