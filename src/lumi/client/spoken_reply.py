"""One spoken question, one spoken answer: sends a recording, and gathers what comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lumi.audio.format import duration_ms
from lumi.audio.wav import read_wav
from lumi.client.events import Audio, Event
from lumi.client.pending_replies import server_error
from lumi.errors import AudioError, AudioFileError, ConnectionLost, ReplyTimeout, ServerError
from lumi.protocol.messages import Error, ErrorCode, LlmEmotion, Response, Stt, Tts, TtsState

if TYPE_CHECKING:
    from lumi.client.client import Client


@dataclass(frozen=True, slots=True)
class SpokenReply:
    """What was heard, what was said, and when. `pcm` is s16le mono at `rate_hz`."""

    transcript: str
    confidence: float
    text: str
    first_audio_ms: float | None
    """From the end of the question to the first packet of the answer; None if nothing was spoken."""
    pcm: bytes = field(default=b"", repr=False)
    rate_hz: int = 16_000
    emotion: str | None = None
    problem: ServerError | None = None
    """Why the text, which is whole, was not (all) spoken."""

    @property
    def audio_s(self) -> float:
        return duration_ms(self.pcm, self.rate_hz) / 1000


class ReplyCollector:
    """Gathers one spoken turn from a client's events. Pure: time is handed in.

    The turn begins with the final `stt` of our own `listen`; what another turn says before it is not ours. It ends with
    its `tts stop`, or, where the line broke in the middle, with the `response` that brings its whole text.

    Args:
        listen_id: the id our `listen start` carried.
        asked_at_s: when the question ended.
    """

    def __init__(self, listen_id: str, asked_at_s: float) -> None:
        self._listen_id = listen_id
        self._asked_at_s = asked_at_s
        self._stt: Stt | None = None
        self._emotion: str | None = None
        self._sentences: list[str] = []
        self._pcm = bytearray()
        self._rate_hz = 16_000
        self._first_audio_s: float | None = None
        self._problem: ServerError | None = None

    def add(self, event: Event, now_s: float) -> bool:
        """Take one event; True when the turn is over.

        Raises:
            ServerError: the server could not make sense of the question, or make no answer.
        """
        if isinstance(event, Error):
            self._fail(event)
        elif isinstance(event, Stt):
            self._heard(event)
        elif isinstance(event, Response):
            return self._written(event)
        elif self._stt is not None:
            return self._spoken(event, now_s)
        return False

    def reply(self) -> SpokenReply:
        """What has been gathered."""
        first = self._first_audio_s
        return SpokenReply(
            transcript=self._stt.text if self._stt else "",
            confidence=self._stt.confidence if self._stt else 0.0,
            text=join_sentences(self._sentences),
            first_audio_ms=None if first is None else (first - self._asked_at_s) * 1000,
            pcm=bytes(self._pcm),
            rate_hz=self._rate_hz,
            emotion=self._emotion,
            problem=self._problem,
        )

    def _heard(self, stt: Stt) -> None:
        ours = not isinstance(stt.id, str) or stt.id == self._listen_id
        if stt.is_final and ours:
            self._stt = stt

    def _written(self, response: Response) -> bool:
        """The line was lost in the middle of the turn: its whole text comes in place of the rest of the speech."""
        if response.id != self._listen_id or not response.is_final:
            return False
        self._sentences = [response.content]
        return True

    def _fail(self, error: Error) -> None:
        """A voice that fails leaves the answer to be read."""
        if error.id not in {None, self._listen_id}:
            return
        if error.error_code != ErrorCode.TTS_FAILED:
            raise server_error(error)
        self._problem = server_error(error)

    def _spoken(self, event: Event, now_s: float) -> bool:
        if isinstance(event, Audio) and event.packet:
            if self._first_audio_s is None:
                self._first_audio_s = now_s
            self._pcm += event.pcm
            self._rate_hz = event.rate_hz
        elif isinstance(event, LlmEmotion):
            self._emotion = event.emotion
        elif isinstance(event, Tts):
            if event.state is TtsState.SENTENCE_START and isinstance(event.text, str):
                self._sentences.append(event.text)
            return event.state is TtsState.STOP
        return False


def join_sentences(sentences: list[str]) -> str:
    """One text of several sentences: a space between them, but none beside Chinese."""
    text = ""
    for sentence in sentences:
        words = text[-1:].isascii() and sentence[:1].isascii()
        text += (" " if text and words and not text.endswith(" ") else "") + sentence
    return text


def load_question(wav: Path | str | bytes, rate_hz: int | None) -> tuple[bytes, int]:
    """PCM and its rate, from a WAV file or from PCM with its rate.

    Raises:
        AudioFileError: the file cannot be read, or there is no sound in it.
        AudioError: no PCM, or PCM without a rate.
    """
    if not isinstance(wav, bytes):
        sound = read_wav(Path(wav))
        if not sound.pcm:
            raise AudioFileError(f"{wav}: there is no sound in it")
        return sound.pcm, sound.rate_hz
    if rate_hz is None:
        raise AudioError("PCM needs its sample rate: pass rate_hz")
    if not wav:
        raise AudioError("there is no sound in it: nothing to say")
    return wav, rate_hz


async def ask(
    client: Client, wav: Path | str | bytes, *, rate_hz: int | None, timeout_s: float
) -> SpokenReply:
    """Speak `wav` in real time and collect the answer; `timeout_s` is the longest silence of the server.

    Raises:
        AudioFileError: the recording cannot be used.
        ServerError: the server could not make sense of it.
        ReplyTimeout: the server fell silent in the middle of the turn.
        ConnectionLost: the line closed meanwhile.
    """
    pcm, rate_hz = load_question(wav, rate_hz)
    clock = asyncio.get_running_loop().time
    with client.events() as events:
        listen_id = await client.listen_start("manual")
        await client.send_pcm(pcm, rate_hz)
        await client.listen_stop()
        collector = ReplyCollector(listen_id, clock())
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    event = await anext(events)
            except TimeoutError as error:
                raise ReplyTimeout(f"the server said nothing for {timeout_s:g} s") from error
            except StopAsyncIteration as error:
                raise ConnectionLost(1000, "closed in the middle of the answer") from error
            if collector.add(event, clock()):
                return collector.reply()
