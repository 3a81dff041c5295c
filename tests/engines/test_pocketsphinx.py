"""English recognition with a small grammar, on synthetic speech and on two human recordings."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Iterable
from functools import cache
from pathlib import Path

import pytest

from lumi.audio.format import SPEECH_RATE_HZ, AudioFormat
from lumi.audio.opus import OpusDecoder, OpusEncoder
from lumi.audio.resample import Resampler
from lumi.engines import pocketsphinx
from lumi.engines.base import Speaker, Stt, Transcript, Voice
from lumi.engines.espeak import EspeakTts
from lumi.engines.grammar import Grammar
from lumi.engines.pocketsphinx import PocketsphinxStt
from lumi.errors import ConfigError, EngineUnavailable
from lumi.testing.conformance import SttConformance, final_of, noise, pieces

SENTENCES = (
    "what time is it", "what is the date today", "what day is it", "set a timer for five minutes",
    "set a timer for thirty seconds", "cancel the timer", "stop the timer", "how much time is left",
    "what is seventeen times twenty three", "what is five plus seven", "what is one hundred minus forty",
    "how many centimeters are in an inch", "convert ten miles to kilometers", "flip a coin", "roll a dice",
    "tell me a joke", "tell me a story", "add milk to my shopping list", "what is on my shopping list",
    "turn on the lights", "turn off the lights", "play some music", "what is the weather like", "thank you",
    "good night", "goodbye", "volume up", "volume down", "repeat that", "what can you do",
)  # fmt: skip
UNRELATED = (
    "the quick brown fox jumps over the lazy dog", "my grandmother lived in a small village near the sea",
    "the committee will publish its report next week", "he bought a new bicycle and rode it to school",
    "nobody knows why the chicken crossed the road", "she painted the kitchen yellow",
    "economics is the study of scarce resources", "several students failed the final exam",
    "the recipe calls for two eggs and some flour", "did you see the game last sunday",
)  # fmt: skip
GOFORWARD = Path("/usr/share/pocketsphinx/test/data/goforward.raw")


@cache
def recorded(sentences: tuple[str, ...], voice: str = "en-us") -> tuple[bytes, ...]:
    """The sentences by the built-in voice, as a device would send them: through Opus at 16 kHz, in a quiet room."""

    async def record() -> tuple[bytes, ...]:
        tts = EspeakTts()
        try:
            return tuple([await one(tts, sentence) for sentence in sentences])
        finally:
            await tts.aclose()

    async def one(tts: EspeakTts, sentence: str) -> bytes:
        resampler = Resampler(tts.sample_rate_hz, SPEECH_RATE_HZ)
        speech = b"".join([piece async for piece in tts.synthesize(sentence, Voice(name=voice))])
        pcm = noise(0.3, 8) + resampler.push(speech, last=True) + noise(0.4, 8)
        encoder, decoder = OpusEncoder(AudioFormat()), OpusDecoder(AudioFormat())
        frame = AudioFormat().frame_bytes
        return b"".join(
            decoder.decode(encoder.encode(pcm[at : at + frame]))
            for at in range(0, len(pcm) - frame + 1, frame)
        )

    return asyncio.run(record())


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar.from_sentences(SENTENCES)


@pytest.fixture(scope="module")
def spoken() -> dict[str, bytes]:
    return dict(zip(SENTENCES + UNRELATED, recorded(SENTENCES + UNRELATED), strict=True))


@pytest.mark.real
class TestConformance(SttConformance):
    @pytest.fixture(autouse=True)
    def _words(self, grammar: Grammar, spoken: dict[str, bytes]) -> None:
        self.grammar, self.spoken = grammar, spoken

    def make(self) -> Stt:
        return PocketsphinxStt(self.grammar, dictation=False, live=2)

    def utterances(self) -> Iterable[tuple[bytes, str]]:
        return [(self.spoken[sentence], sentence) for sentence in SENTENCES[:4]]


async def hear(stt: PocketsphinxStt, pcm: bytes, device_id: str = "") -> Transcript:
    return await final_of(stt.transcribe(pieces(pcm), Speaker(device_id=device_id)))


@pytest.mark.real
async def test_commands_are_understood_and_other_sentences_refused(
    grammar: Grammar, spoken: dict[str, bytes]
) -> None:
    stt = PocketsphinxStt(grammar, dictation=False)
    heard = {sentence: await hear(stt, pcm) for sentence, pcm in spoken.items()}
    await stt.aclose()
    understood = [sentence for sentence in SENTENCES if heard[sentence].text == sentence]
    taken = [(sentence, heard[sentence]) for sentence in UNRELATED if heard[sentence].confidence >= 0.5]
    assert len(understood) >= 0.95 * len(SENTENCES), set(SENTENCES) - set(understood)
    assert not taken
    assert min(heard[sentence].confidence for sentence in understood) >= 0.5
    assert all(transcript.language == "en" for transcript in heard.values())


@pytest.mark.real
async def test_the_general_model_guesses_and_says_that_it_does(
    grammar: Grammar, spoken: dict[str, bytes]
) -> None:
    stt = PocketsphinxStt(grammar)
    guess = await hear(stt, spoken[UNRELATED[1]])
    assert {"grandmother", "small", "village"} & set(guess.text.split())
    assert guess.confidence <= 0.4
    assert (await hear(stt, spoken[SENTENCES[0]])).text == SENTENCES[0]
    await stt.aclose()


@pytest.mark.real
@pytest.mark.skipif(not GOFORWARD.exists(), reason="needs Debian's pocketsphinx-testdata")
async def test_a_human_is_heard(grammar: Grammar) -> None:
    stt = PocketsphinxStt(grammar)
    pcm = await asyncio.to_thread(GOFORWARD.read_bytes)
    guess = await hear(stt, pcm)
    assert guess.text == "go forward ten meters"
    assert guess.confidence < 0.5
    await stt.aclose()
    stt = PocketsphinxStt(Grammar.from_sentences([*SENTENCES, "go forward ten meters"]), dictation=False)
    understood = await hear(stt, pcm)
    assert understood.text == "go forward ten meters"
    assert understood.confidence > 0.9
    await stt.aclose()


@pytest.mark.real
async def test_partials_come_while_the_sound_does(grammar: Grammar, spoken: dict[str, bytes]) -> None:
    stt = PocketsphinxStt(grammar, dictation=False)
    await stt.start()
    understood = asyncio.Event()

    async def microphone() -> AsyncIterator[bytes]:
        """The sentence, and then a quiet room for as long as nothing has been understood."""
        async for piece in pieces(spoken[SENTENCES[3]]):
            yield piece
        while not understood.is_set():
            yield noise(0.06, 8)
            await asyncio.sleep(0.01)

    async for heard in stt.transcribe(microphone(), Speaker()):
        if not heard.is_final and "timer" in heard.text:
            understood.set()
    assert understood.is_set()
    await stt.aclose()


@pytest.mark.real
async def test_a_speaker_is_remembered_and_the_longest_unheard_forgotten(
    grammar: Grammar, spoken: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pocketsphinx, "SPEAKERS_REMEMBERED", 2)
    stt = PocketsphinxStt(grammar, dictation=False)
    for device in ("a", "b", "a", "c"):
        assert (await hear(stt, spoken[SENTENCES[0]], device)).text == SENTENCES[0]
    assert list(stt._means) == ["a", "c"]
    await stt.aclose()


@pytest.mark.real
async def test_words_it_cannot_hear_are_reported_and_left_out(
    spoken: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    stt = PocketsphinxStt(
        Grammar.from_sentences([*SENTENCES, "buy xyzzy", "the kitchenlights"]), dictation=False
    )
    report = await stt.start()
    assert report.left_out == ("xyzzy",)
    assert report.generated == ("kitchenlights",)
    assert "xyzzy" in caplog.text
    assert (await hear(stt, spoken[SENTENCES[0]])).text == SENTENCES[0]
    await stt.aclose()


@pytest.mark.real
async def test_a_grammar_that_makes_no_sense_is_named() -> None:
    stt = PocketsphinxStt(Grammar("public <a> = <b>;", (), frozenset()))
    with pytest.raises(EngineUnavailable, match="rule <a> uses <b>, which is not defined"):
        await stt.start()
    await stt.aclose()


@pytest.mark.real
async def test_the_installed_grammar_needs_no_word_it_cannot_hear() -> None:
    stt = PocketsphinxStt(dictation=False)
    report = await stt.start()
    assert report.left_out == ()
    await stt.aclose()


def test_without_pocketsphinx_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, grammar: Grammar
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'lumi-assistant\[server\]'"):
        PocketsphinxStt(grammar)


def test_needs_a_worker(grammar: Grammar) -> None:
    with pytest.raises(ConfigError, match=r"pocketsphinx\.workers"):
        PocketsphinxStt(grammar, workers=0)
    with pytest.raises(ConfigError, match=r"pocketsphinx\.live"):
        PocketsphinxStt(grammar, live=0)
