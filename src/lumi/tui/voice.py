"""Talking and hearing: the microphone's key, hands-free, the loudspeaker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from lumi.audio.format import SPEECH_RATE_HZ
from lumi.client.client import Client
from lumi.client.events import Event
from lumi.client.microphone import Microphone
from lumi.client.player import Player, Sink
from lumi.client.speaker import Speaker
from lumi.client.task_scope import TaskScope
from lumi.errors import AudioError, LumiError, NetworkError
from lumi.protocol.messages import Tts, TtsState
from lumi.tui import wording
from lumi.tui.model import Listening, Model
from lumi.tui.screen import OPEN


@dataclass(frozen=True, slots=True)
class Devices:
    """How to open the sound card. The microphone yields s16le mono at 16 kHz."""

    microphone: Callable[[], AbstractAsyncContextManager[AsyncIterable[bytes]]] = Microphone
    loudspeaker: Callable[[], AbstractAsyncContextManager[Sink]] = Speaker


class MeteredSink:
    """Passes sound on to the loudspeaker and lets the meter see it."""

    def __init__(self, sink: Sink, model: Model) -> None:
        self.rate_hz = sink.rate_hz
        self._sink = sink
        self._model = model

    @property
    def waiting_ms(self) -> float:
        return self._sink.waiting_ms

    def write(self, pcm: bytes) -> None:
        self._model.loudspeaker_plays(pcm, asyncio.get_running_loop().time())
        self._sink.write(pcm)

    def clear(self) -> None:
        self._sink.clear()


async def while_it_stands(work: Awaitable[None], model: Model) -> None:
    """Do `work` on a line. That the line ends meanwhile is told by its state; other failures are shown."""
    try:
        await work
    except NetworkError:
        return
    except LumiError as error:
        model.problem(error)


class Voice:
    """Used as `async with`. The loudspeaker is opened at once (timers ring unasked), the microphone when the user
    first talks; a machine without either has a conversation in text, and the screen says why.
    """

    def __init__(self, model: Model, devices: Devices) -> None:
        self._model = model
        self._devices = devices
        self._stack = AsyncExitStack()
        self._tasks = TaskScope()
        self._player: Player | None = None
        self._microphone: AsyncIterable[bytes] | None = None
        self._client: Client | None = None
        self._answered = asyncio.Event()

    async def __aenter__(self) -> Self:
        try:
            sink = await self._stack.enter_async_context(self._devices.loudspeaker())
        except AudioError as error:
            self._model.lacking(wording.NO_LOUDSPEAKER, error)
        else:
            self._player = Player(MeteredSink(sink, self._model), report=self._tell)
        await self._stack.enter_async_context(self._tasks)
        self._tasks.start(self._take_turns(), name="whose turn it is")
        if self._player is not None:
            self._tasks.start(self._player.run(), name="loudspeaker")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def attach(self, client: Client) -> None:
        """There is a line. Hands-free goes on where it was."""
        self._client = client
        if self._model.listening is not Listening.OFF:
            await self._start(Listening.HANDS_FREE)

    def detach(self) -> None:
        """The line is gone. A recording that was held ends; hands-free waits for the next line."""
        self._client = None
        if self._player is not None:
            self._player.cut()
        self._model.listen(
            Listening.OFF if self._model.listening in {Listening.OFF, Listening.HOLD} else Listening.PAUSED
        )

    def hear(self, event: Event) -> None:
        """Something came from the server."""
        if isinstance(event, Tts):
            self._mind(event.state)
        if self._player is not None:
            self._player.feed(event)

    async def talk(self) -> None:
        """The key: open the microphone, or end the recording."""
        if self._model.listening is Listening.HOLD and self._client is not None:
            self._model.released(asyncio.get_running_loop().time())
            await self._client.listen_stop()
        elif await self._can_talk():
            self._fall_silent()
            await self._start(Listening.HOLD)

    async def hands_free(self) -> None:
        """The other key: on and off."""
        if self._model.listening in {Listening.HANDS_FREE, Listening.PAUSED}:
            self._model.listen(Listening.OFF)
            if self._client is not None:
                await self._client.abort("user_interrupt")
        elif await self._can_talk():
            await self._start(Listening.HANDS_FREE)

    async def interrupt(self) -> None:
        """End the turn at once."""
        self._fall_silent()
        if self._client is not None:
            await self._client.abort("user_interrupt")
        if self._model.listening is Listening.HOLD:
            self._model.listen(Listening.OFF)
        elif self._model.listening is Listening.HANDS_FREE:  # what was heard is dropped; listen anew
            await self._start(Listening.HANDS_FREE)

    def _fall_silent(self) -> None:
        if self._player is not None:
            self._player.cut()

    async def _start(self, listening: Listening) -> None:
        if self._client is None:
            return
        await self._client.listen_start("manual" if listening is Listening.HOLD else "auto")
        self._model.listen(listening)

    def _mind(self, state: TtsState) -> None:
        """Without headphones the microphone would hear the loudspeaker."""
        if state is TtsState.START and self._model.listening is Listening.HANDS_FREE:
            self._model.listen(Listening.PAUSED)
        elif state is TtsState.STOP:
            self._answered.set()

    async def _take_turns(self) -> None:
        """Hands-free goes on as soon as the last of an answer was heard: a bad line may make it late."""
        while True:
            await self._answered.wait()
            self._answered.clear()
            if self._player is not None:
                await self._player.played_out()
            if self._model.listening is Listening.PAUSED:
                await while_it_stands(self._start(Listening.HANDS_FREE), self._model)

    async def _tell(self, turn_id: str, ms: float, *, final: bool = False) -> None:
        """What of the turn was heard, for a server that wants to know."""
        if self._client is not None:
            await self._client.played(turn_id, ms, final=final)

    async def _can_talk(self) -> bool:
        """Whether there are a line and a microphone; says which is missing."""
        if self._client is None:
            self._model.notice(wording.NOT_READY)
            return False
        if self._microphone is None:
            try:
                self._microphone = await self._stack.enter_async_context(self._devices.microphone())
            except AudioError as error:
                self._model.lacking(wording.NO_MICROPHONE, error)
                return False
            self._tasks.start(self._listen(self._microphone), name="microphone")
        return True

    async def _listen(self, microphone: AsyncIterable[bytes]) -> None:
        clock = asyncio.get_running_loop().time
        async for pcm in microphone:
            self._model.microphone_heard(pcm, clock())
            if self._client is None or self._model.listening not in OPEN:
                continue
            try:
                await self._client.send_pcm(pcm, SPEECH_RATE_HZ)
            except NetworkError:
                continue
            except LumiError as error:
                self._model.problem(error)
                self._model.listen(Listening.OFF)
