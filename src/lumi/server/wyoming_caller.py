"""One connection of somebody who speaks Wyoming: reads on while it works, so that hanging up ends the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lumi.audio.format import BYTES_PER_SAMPLE, SPEECH_RATE_HZ
from lumi.engines.base import Speaker, Transcript, Voice
from lumi.errors import EngineError, FrameError, Trouble
from lumi.server.log import Subject, logger
from lumi.server.services import Services
from lumi.server.wyoming_info import info_of
from lumi.server.wyoming_talks import Asked, Talks, speaker_of
from lumi.voice.deadline import close, within

if TYPE_CHECKING:
    from wyoming.event import Event, Eventable

WAITING_EVENTS = 64
"""Events read ahead; then whoever sends them has to wait."""

READ_BYTES = 65_536
DEVICE = "wyoming"
"""As whom those are known who do not say who they are."""

log = logger(Subject.SERVER)


@dataclass(frozen=True, slots=True)
class CallerSettings:
    """Bounds of one connection. Seconds unless the name says otherwise."""

    version: str = ""
    text_chars: int = 8000
    """Of what is asked."""
    speech_chars: int = 32_000
    """Of what is to be spoken: an answer may be longer than any question."""
    utterance_s: float = 60.0
    idle_s: float = 600.0
    """Without a byte from there, while nothing is owed either."""
    take_s: float = 30.0
    """For what is sent to be taken."""


class Caller:
    """`run` until there is nothing more to read. A mistake costs the request, what is no Wyoming the connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        services: Services,
        talks: Talks,
        settings: CallerSettings,
        name: str,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._services = services
        self._talks = talks
        self._settings = settings
        self._name = name
        self._events: asyncio.Queue[Event] = asyncio.Queue(WAITING_EVENTS)
        self._language = ""
        self._busy = False

    async def run(self) -> None:
        """Serve. Raises nothing but a cancellation."""
        try:
            async with asyncio.TaskGroup() as tasks:
                working = tasks.create_task(self._work())
                await self._read()
                working.cancel()
        except* (OSError, TimeoutError):
            log.debug("a Wyoming connection broke", peer=self._name)
        finally:
            self._writer.transport.abort() if self._busy else self._writer.close()

    async def _read(self) -> None:
        from lumi.engines.wyoming_events import EventReader

        events = EventReader()
        while data := await self._bytes():
            try:
                for event in events.feed(data):
                    await self._events.put(event)
            except FrameError as error:
                await self._complain(str(error), "bad-event")
                return

    async def _bytes(self) -> bytes:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.idle_s):
                    return await self._reader.read(READ_BYTES)
            if not self._busy:
                return b""

    async def _work(self) -> None:
        """One request after the other: the loop that guards a connection."""
        while True:
            event = await self._events.get()
            handler = HANDLERS.get(event.type)  # what is not known is dropped, as the protocol wants it
            if handler is None:
                continue
            self._busy = True
            try:
                await handler(self, event)
            except FrameError as error:
                await self._complain(str(error), "bad-event")
            except EngineError as error:
                log.warning("a Wyoming request failed", peer=self._name, error=str(error))
                await self._complain(str(error), error.trouble)
            self._busy = False

    async def _send(self, message: Eventable) -> None:
        from lumi.engines.wyoming_events import packed

        self._writer.write(packed(message))
        async with asyncio.timeout(self._settings.take_s):
            await self._writer.drain()

    async def _complain(self, problem: str, code: str) -> None:
        from wyoming.error import Error

        await self._send(Error(problem, code))

    async def describe(self, _event: Event) -> None:
        with self._services.generations.lease(DEVICE) as kit:
            await self._send(info_of(kit, self._settings.version))

    async def ping(self, event: Event) -> None:
        from wyoming.ping import Pong

        await self._send(Pong(text=_text(event, "text")))

    async def transcribe(self, event: Event) -> None:
        self._language = _text(event, "language")

    async def hear(self, _event: Event) -> None:
        """Sound begins: recognise it while it comes."""
        from wyoming.asr import Transcript as Said

        with self._services.generations.lease(DEVICE) as kit:
            # No name: a recogniser would take all who call for one speaker, and hear them by the last one's voice.
            speaker = speaker_of(Asked("", "", "", self._language), "", kit.settings)
            heard = await self._recognised(kit.stt, kit.settings.turn.stt_timeout_s, speaker)
        context = {"confidence": heard.confidence}
        await self._send(Said(heard.text, context=context, language=heard.language))

    async def _recognised(self, stt: Any, timeout_s: float, speaker: Speaker) -> Transcript:
        try:
            async with asyncio.timeout(None) as deadline:
                sound = self._sound(deadline, timeout_s)
                stream = stt.transcribe(sound, speaker)
                try:
                    async for transcript in stream:
                        if transcript.is_final:
                            return transcript  # type: ignore[no-any-return]
                finally:
                    await close(stream)
                    await sound.aclose()
        except TimeoutError:
            problem = f"no transcript within {timeout_s:g} s of the end of speech"
            raise EngineError(stt.name, problem, trouble=Trouble.SLOW) from None
        return Transcript("", 0.0)

    async def _sound(self, deadline: asyncio.Timeout, timeout_s: float) -> AsyncGenerator[bytes, None]:
        """PCM at 16 kHz until the sound ends or is too long; from then on the recogniser's time runs."""
        from lumi.engines.wyoming_sound import IncomingSound

        sound = IncomingSound(SPEECH_RATE_HZ)
        left = int(self._settings.utterance_s * SPEECH_RATE_HZ) * BYTES_PER_SAMPLE
        while left > 0 and (event := await self._events.get()).type != "audio-stop":
            if event.type == "audio-chunk" and (pcm := sound.push(event)):
                left -= len(pcm)
                yield pcm
        deadline.reschedule(asyncio.get_running_loop().time() + timeout_s)
        if rest := sound.rest():
            yield rest

    async def speak(self, event: Event) -> None:
        from wyoming.audio import AudioChunk, AudioStart, AudioStop

        text = _words(event, self._settings.speech_chars)
        with self._services.generations.lease(DEVICE) as kit:
            rate_hz, timeout_s = kit.tts.sample_rate_hz, kit.settings.turn.tts_timeout_s
            voice = _voice(event, kit.tts.name, kit.settings.voice)
            await self._send(AudioStart(rate_hz, BYTES_PER_SAMPLE, 1))
            stream = within(kit.tts.synthesize(text, voice), engine=kit.tts.name, timeout_s=timeout_s)
            async with aclosing(stream) as pieces:
                async for pcm in pieces:
                    await self._send(AudioChunk(rate_hz, BYTES_PER_SAMPLE, 1, pcm))
            await self._send(AudioStop())

    async def converse(self, event: Event) -> None:
        from wyoming.handle import Handled, NotHandled

        context = event.data.get("context")
        known = context if isinstance(context, dict) else {}
        talk = _first(known, "conversation_id", "satellite_id", "device_id") or self._name
        device = _first(known, "satellite_id", "device_id")
        asked = Asked(
            _words(event, self._settings.text_chars),
            talk,
            f"{DEVICE}:{device}" if device else DEVICE,
            _text(event, "language"),
        )
        answered = await self._talks.answer(asked)
        told = {"conversation_id": talk}
        await self._send(
            NotHandled(answered.text, context=told)
            if answered.failed
            else Handled(answered.text, context=told)
        )


HANDLERS: dict[str, Callable[[Caller, Any], Awaitable[None]]] = {
    "describe": Caller.describe,
    "ping": Caller.ping,
    "transcribe": Caller.transcribe,
    "audio-start": Caller.hear,
    "synthesize": Caller.speak,
    "transcript": Caller.converse,
}


def _words(event: Event, limit_chars: int) -> str:
    text = event.data.get("text")
    if not isinstance(text, str):
        raise FrameError("bad_message", f"{event.type} has no text")
    if len(text) > limit_chars:
        problem = f"the text of {event.type} is too long: at most {limit_chars} characters are taken"
        raise FrameError("bad_message", problem)
    return text


def _text(event: Event, key: str) -> str:
    value = event.data.get(key)
    return value if isinstance(value, str) else ""


def _first(table: dict[str, Any], *keys: str) -> str:
    """The first of these that is text."""
    return next((value for key in keys if isinstance(value := table.get(key), str) and value), "")


def _voice(event: Event, engine: str, usual: Voice) -> Voice:
    """The voice that is asked for; ours as a whole goes by the engine's name, and means the one of the settings."""
    wish = event.data.get("voice")
    table = wish if isinstance(wish, dict) else {}
    name, language = _first(table, "name"), _first(table, "language")
    return Voice("" if name == engine else name, language, usual.speed) if name or language else usual
