"""Recognisers in a list: when one fails, the next hears the utterance from its beginning."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

from lumi.engines.base import Speaker, Stt, Transcript
from lumi.engines.roster import Attempt, Roster
from lumi.engines.streams import close
from lumi.errors import EngineError, Trouble

LONGEST_BYTES: Final = 4_000_000
"""Two minutes at 16 kHz are kept for the next recogniser; of a longer utterance nothing is."""

TRUSTED_CONFIDENCE: Final = 0.6
"""From here a transcript counts although the recogniser does not know the speaker's language."""


class FallbackStt:
    """The `Stt` seam over a list of recognisers.

    A recogniser's time is counted from the end of the sound: a speaker may take as long as he likes.
    """

    def __init__(self, roster: Roster[Stt]) -> None:
        self.roster = roster
        self.name = roster.first.name

    @property
    def languages(self) -> tuple[str, ...] | None:
        """Languages that one of the recognisers knows; None: not all say which they know."""
        known = [getattr(engine, "languages", None) for engine in self.roster.engines]
        if any(languages is None for languages in known):
            return None
        return tuple(sorted({language for languages in known for language in languages or ()}))

    async def start(self) -> None:
        await self.roster.start()

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        recording = Recording(audio)
        problem: EngineError | None = None
        try:
            for attempt in self.roster.attempts():
                attempt.from_later_on()
                with attempt:
                    async for transcript in self._heard_by(attempt, recording, speaker):
                        yield transcript
                        if transcript.is_final:
                            return
                problem = problem or attempt.error
                if recording.lost:
                    break
        finally:
            await recording.aclose()
        if problem is not None:
            raise problem

    async def _heard_by(
        self, attempt: Attempt[Stt], recording: Recording, speaker: Speaker
    ) -> AsyncGenerator[Transcript, None]:
        sound = recording.play(attempt.patience.run, keep=not attempt.alone)
        stream = attempt.read(attempt.engine.transcribe(sound, speaker))
        try:
            async with aclosing(stream) as transcripts:
                async for transcript in transcripts:
                    if transcript.is_final:
                        attempt.worked()
                        yield self._trusted(attempt.engine, transcript, speaker)
                        return
                    yield transcript
            message = "the stream ended without a final transcript"
            raise EngineError(attempt.engine.name, message, trouble=Trouble.GARBLED)
        finally:
            await sound.aclose()

    def _trusted(self, engine: Stt, transcript: Transcript, speaker: Speaker) -> Transcript:
        """What a stand-in that does not know the language makes of it is a guess in another one."""
        known = getattr(engine, "languages", None)
        if engine is self.roster.first or not known or speaker.language in known:
            return transcript
        return transcript if transcript.confidence >= TRUSTED_CONFIDENCE else Transcript("", 0.0)

    async def aclose(self) -> None:
        await self.roster.aclose()


class Recording:
    """An utterance for one listener after the other.

    The sound is drawn by a step of its own, so that a listener who is cut off does not cut off the sound.
    """

    def __init__(self, audio: AsyncIterator[bytes]) -> None:
        self._audio = audio
        self._pieces: list[bytes] = []  # bounded: beyond LONGEST_BYTES all is given up
        self._size = 0
        self._ended = False
        self._step: asyncio.Future[bytes | None] | None = None
        self.lost = False
        """Part of it was not kept: nobody can hear it from the beginning any more."""

    async def play(self, ended: Callable[[], None], *, keep: bool) -> AsyncGenerator[bytes, None]:
        """From the beginning, then as it comes. `ended` is called when all of it has been given.

        `keep`: somebody may want it again.
        """
        position = 0
        while position < len(self._pieces):
            yield self._pieces[position]
            position += 1
        while not self._ended:
            piece = await self._draw()
            if piece is None:
                break
            self._keep(piece, keep=keep)
            yield piece
        ended()

    async def aclose(self) -> None:
        """Draw no more."""
        step, self._step = self._step, None
        if step is not None:
            step.cancel()
            await asyncio.wait({step})
        await close(self._audio)

    async def _draw(self) -> bytes | None:
        if self._step is None:
            self._step = asyncio.ensure_future(self._pull())
        await asyncio.wait({self._step})
        step, self._step = self._step, None
        piece = step.result()
        self._ended = piece is None
        return piece

    async def _pull(self) -> bytes | None:
        return await anext(self._audio, None)

    def _keep(self, piece: bytes, *, keep: bool) -> None:
        self._size += len(piece)
        if keep and self._size <= LONGEST_BYTES:
            self._pieces.append(piece)
        else:
            self.lost = True
            self._pieces.clear()
