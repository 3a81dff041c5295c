"""Speech by a Wyoming server, e.g. Home Assistant's Piper."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from lumi.engines.wyoming_line import Patience, WyomingAddress, connected
from lumi.engines.wyoming_sound import IncomingSound
from lumi.errors import EngineError, FrameError, Trouble

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from wyoming.event import Event

    from lumi.engines.base import Voice

NAME = "wyoming"


class WyomingTts:
    """The `Tts` seam over one connection for each text. Wyoming knows no pace: `Voice.speed` is not heard.

    A server that refuses a voice is asked once more, without one.

    Args:
        base_url: `tcp://host:port` or `unix:///path`.
        model: voice, where the settings name no other; by default the server's own choice.
        speaker: of a voice that has several.
        language: asked for where no voice is; servers pick one of their voices by it.
        sample_rate_hz: of what comes out, whatever the server's voice has.
        timeout_s: how long the server may say nothing when it owes something.
        connect_s: how long connecting may take.

    Raises:
        ConfigError: `base_url` is no address.
    """

    name = NAME

    def __init__(
        self,
        base_url: str = "tcp://127.0.0.1:10200",
        model: str = "",
        speaker: str = "",
        language: str = "",
        sample_rate_hz: int = 22_050,
        timeout_s: float = 30.0,
        connect_s: float = 5.0,
    ) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._address = WyomingAddress.parse("tts.wyoming", base_url)
        self._model = model
        self._speaker = speaker
        self._language = language
        self._patience = Patience(connect_s, timeout_s)

    async def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        """See `engines.base.Tts`. Raises `EngineError`."""
        if not any(character.isalnum() for character in text):
            return
        wishes = dict.fromkeys((voice.name or self._model, ""))
        for wish in wishes:
            begun = False
            try:
                async with aclosing(self._spoken(text, wish, voice.language or self._language)) as pieces:
                    async for piece in pieces:
                        begun = True
                        yield piece
            except EngineError as error:
                refused = error.trouble in {Trouble.FAILED, Trouble.GARBLED}
                if begun or not wish or not refused:
                    raise
            else:
                return

    async def aclose(self) -> None:
        """Nothing outlives a request."""

    async def _spoken(self, text: str, name: str, language: str) -> AsyncGenerator[bytes, None]:
        from wyoming.tts import Synthesize, SynthesizeVoice

        wish = SynthesizeVoice(name, speaker=self._speaker or None) if name else None
        if wish is None and language:
            wish = SynthesizeVoice(language=language)
        sound = IncomingSound(self.sample_rate_hz)
        async with connected(NAME, self._address, self._patience) as line:
            await line.send(Synthesize(text, wish))
            while (event := await line.receive()).type != "audio-stop":
                if event.type == "audio-chunk" and (pcm := _pcm(sound, event)):
                    yield pcm
        if pcm := sound.rest():
            yield pcm


def _pcm(sound: IncomingSound, chunk: Event) -> bytes:
    try:
        return sound.push(chunk)
    except FrameError as error:
        raise EngineError(NAME, f"the server sends no speech: {error}", trouble=Trouble.GARBLED) from error
