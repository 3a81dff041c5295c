"""Recognition by a Wyoming server, e.g. Home Assistant's faster-whisper."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from lumi.audio.format import BYTES_PER_SAMPLE, SPEECH_RATE_HZ
from lumi.audio.resample import Resampler
from lumi.engines.base import Transcript
from lumi.engines.wyoming_line import Patience, WyomingAddress, WyomingLine, connected
from lumi.errors import EngineError, Trouble

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from wyoming.audio import AudioChunk
    from wyoming.event import Event

    from lumi.engines.base import Speaker

NAME = "wyoming"
AUTO = "auto"


class WyomingStt:
    """The `Stt` seam over one connection for each utterance. What is said is sent while it is said.

    Wyoming knows no confidence: a transcript with words has 1.0, unless the server writes `confidence` into its context,
    as Lumi does.

    Args:
        base_url: `tcp://host:port` or `unix:///path`.
        model: which of the server's models; by default its own choice.
        language: what is spoken; by default the speaker's language, `auto`: the server finds out.
        timeout_s: how long the server may say nothing when it owes something.
        connect_s: how long connecting may take.

    Raises:
        ConfigError: `base_url` is no address.
    """

    name = NAME

    def __init__(
        self,
        base_url: str = "tcp://127.0.0.1:10300",
        model: str = "",
        language: str = "",
        timeout_s: float = 30.0,
        connect_s: float = 5.0,
    ) -> None:
        self._address = WyomingAddress.parse("stt.wyoming", base_url)
        self._model = model
        self._language = language
        self._patience = Patience(connect_s, timeout_s)

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        """See `engines.base.Stt`. Raises `EngineError`."""
        hearing = Hearing()
        async with aclosing(_whole(audio)) as pieces:
            first = await anext(pieces, b"")
            if not first:  # nothing to send; a server may wait for sound for ever
                yield Transcript("", 0.0)
                return
            async with connected(NAME, self._address, self._patience) as line:
                await self._begin(line, speaker, first)
                async for pcm in pieces:
                    await line.send(_chunk(pcm))
                    for said in hearing.poll(line):
                        yield said
                    if hearing.over:
                        return
                await self._end(line)
                while not hearing.over:
                    if (heard := hearing.take(await line.receive())) is not None:
                        yield heard

    async def aclose(self) -> None:
        """Nothing outlives a request."""

    async def _begin(self, line: WyomingLine, speaker: Speaker, first: bytes) -> None:
        from wyoming.asr import Transcribe
        from wyoming.audio import AudioStart

        language = self._language or speaker.language
        await line.send(Transcribe(self._model or None, None if language == AUTO else language))
        await line.send(AudioStart(SPEECH_RATE_HZ, BYTES_PER_SAMPLE, 1))
        await line.send(_chunk(first))

    async def _end(self, line: WyomingLine) -> None:
        from wyoming.audio import AudioStop

        await line.send(AudioStop())


async def _whole(audio: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Pieces of whole samples, none of them empty."""
    whole = Resampler(SPEECH_RATE_HZ, SPEECH_RATE_HZ)
    async for piece in audio:
        if pcm := whole.push(piece):
            yield pcm


def _chunk(pcm: bytes) -> AudioChunk:
    from wyoming.audio import AudioChunk

    return AudioChunk(SPEECH_RATE_HZ, BYTES_PER_SAMPLE, 1, pcm)


class Hearing:
    """What the server's events come to: its words in one piece, or chunk by chunk and then once more as a whole."""

    def __init__(self) -> None:
        self.over = False
        self._text = ""
        self._language: str | None = None

    def poll(self, line: WyomingLine) -> Iterator[Transcript]:
        """What the server has said by now."""
        while not self.over and (event := line.poll()) is not None:
            if (said := self.take(event)) is not None:
                yield said

    def take(self, event: Event) -> Transcript | None:
        """What an event adds: a partial, or the final transcript."""
        if event.type == "transcript":
            return self._final(_text(event), event)
        if event.type == "transcript-stop":
            return self._final(self._text, event)
        if event.type == "transcript-start":
            self._text, self._language = "", _word(event, "language")
        elif event.type == "transcript-chunk":
            self._text += _text(event)
            return Transcript(self._text, 0.0, is_final=False, language=self._language)
        return None

    def _final(self, text: str, event: Event) -> Transcript:
        self.over = True
        text = text.strip()
        context = event.data.get("context")
        told = context.get("confidence") if isinstance(context, dict) else None
        confidence = float(told) if isinstance(told, int | float) and 0 <= told <= 1 else float(bool(text))
        return Transcript(text, confidence, language=_word(event, "language") or self._language)


def _text(event: Event) -> str:
    text = event.data.get("text")
    if not isinstance(text, str):
        problem = f"the server's {event.type} has no text; is it a recogniser?"
        raise EngineError(NAME, problem, trouble=Trouble.GARBLED)
    return text


def _word(event: Event, key: str) -> str | None:
    value = event.data.get(key)
    return value if isinstance(value, str) and value else None
