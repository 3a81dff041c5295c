"""`lumi talk`: a spoken conversation with this machine's microphone and loudspeaker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from msgspec.structs import replace

from lumi.client.broadcast import Subscription
from lumi.client.client import DEFAULT_FEATURES, Client, connect
from lumi.client.error_handler import Language
from lumi.client.events import Event
from lumi.client.microphone import Microphone
from lumi.client.player import Player, Sink
from lumi.client.speaker import Speaker
from lumi.commands.console import Console
from lumi.commands.keyboard import Keyboard
from lumi.commands.local_server import server_url
from lumi.commands.running import DONE
from lumi.commands.say import device_speaking
from lumi.commands.trusted import authority
from lumi.commands.wake_gate import WakeGate, wake_engine
from lumi.engines.base import Wake
from lumi.protocol.messages import Error, LlmEmotion, Notify, Stt, Tts, TtsState

MICROPHONE_HZ = 16_000

FEATURES = replace(DEFAULT_FEATURES, played=True)
"""The server is told what was really heard: an answer that is cut off is remembered up to there."""


class Style(StrEnum):
    """How the microphone is opened."""

    HOLD = "hold"
    """Enter opens it, Enter closes it (`manual`)."""
    HANDS_FREE = "hands_free"
    """The server hears when the user has finished; closed while it speaks (`auto`)."""
    REALTIME = "realtime"
    """Open also while the server speaks, so that it can be interrupted: needs headphones (`realtime`)."""
    WAKE = "wake"
    """Closed until a wake word is heard, and again after each answer (`auto`)."""


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """The command's arguments."""

    style: Style = Style.HOLD
    url: str | None = None
    language: Language | None = None
    token: str | None = None
    ca: Path | None = None
    wake: str = ""
    """Names of wake words, with commas between."""
    wake_url: str = ""
    """A Wyoming server that listens for them; empty: this machine does."""


async def talk(console: Console, options: TalkOptions) -> int:
    """Converse until Ctrl-D or Ctrl-C. The microphone is opened before anything is started."""
    wake = wake_engine(options.wake, options.wake_url) if options.style is Style.WAKE else None
    async with Microphone() as microphone, Speaker() as speaker, server_url(options.url, console) as url:
        device = device_speaking(options.language)
        async with connect(
            url,
            token=options.token,
            ca=authority(url, options.ca),
            device_info=device,
            features=FEATURES,
            reconnect=None,
        ) as client:
            conversation = Conversation(console, client, microphone, speaker, wake, options.wake)
            await conversation.run(options.style, Keyboard())
    return DONE


@dataclass(slots=True)
class Conversation:
    """One spoken conversation: tasks for the microphone, for what comes back, for the loudspeaker, the keyboard, and
    for whose turn it is.
    """

    console: Console
    client: Client
    microphone: AsyncIterable[bytes]
    sink: Sink
    wake: Wake | None = None
    wake_words: str = ""
    open: bool = field(default=False, init=False)
    """Whether what the microphone hears is sent."""
    _player: Player = field(init=False)
    _answered: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _gate: WakeGate | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.wake is not None:
            self._gate = WakeGate(self.wake, self.console, self._woken, self._doze)
        self._player = Player(self.sink, report=self.client.played)

    async def run(self, style: Style, keys: AsyncIterator[str]) -> None:
        """Until the keyboard's input or the connection ends."""
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(self._hear(self.client.events(), style))
            typing = tasks.create_task(self._obey(keys, style))
            works = [self._send(), self._player.run(), self._take_turns()]
            if self._gate is not None:
                works += [self._gate.run(), self._gate.watch()]
            others = [tasks.create_task(work) for work in works]
            await asyncio.wait({hearing, typing}, return_when=asyncio.FIRST_COMPLETED)
            for task in (hearing, typing, *others):
                task.cancel()

    async def _send(self) -> None:
        async for pcm in self.microphone:
            if self.open:
                await self.client.send_pcm(pcm, MICROPHONE_HZ)
            elif self._gate is not None:
                self._gate.push(pcm)

    async def _obey(self, keys: AsyncIterator[str], style: Style) -> None:
        if style is Style.HOLD:
            self.console.note(
                zh="按回车开始说话，再按回车结束；Ctrl-D 退出。",
                en="Enter starts your turn, Enter again ends it; Ctrl-D leaves.",
            )
        elif self._gate is not None:
            self.console.note(
                zh=f"说“{self.wake_words}”或按回车开始；Ctrl-D 退出。",
                en=f"Say '{self.wake_words}', or press Enter, to begin; Ctrl-D leaves.",
            )
            self._gate.wait()
        else:
            self.console.note(zh="请说话；Ctrl-D 退出。", en="Just speak; Ctrl-D leaves.")
            await self._listen(style)
        async for _ in keys:
            if style is Style.HOLD:
                await self._toggle()
            elif self._gate is not None and self._gate.waiting:
                await self._gate.open()
            else:
                self._player.cut()
                await self.client.abort("user_interrupt")

    async def _toggle(self) -> None:
        if self.open:
            self.open = False
            await self.client.listen_stop()
        else:
            self._player.cut()
            await self._listen(Style.HOLD)
            self.console.note(zh="● 正在听", en="● listening")

    async def _listen(self, style: Style) -> None:
        modes = {Style.HOLD: "manual", Style.HANDS_FREE: "auto", Style.REALTIME: "realtime"}
        await self.client.listen_start(modes[style])  # type: ignore[arg-type]
        self.open = True

    async def _woken(self) -> None:
        """A wake word was heard: the user speaks."""
        self._player.cut()
        await self._listen(Style.HANDS_FREE)

    async def _doze(self) -> None:
        """Nothing came of it: what was heard so far, if it is anything, is answered."""
        self.open = False
        await self.client.listen_stop()

    async def _hear(self, events: Subscription[Event], style: Style) -> None:
        async for event in events:
            self._player.feed(event)
            self._show(event)
            if isinstance(event, Tts) and style in {Style.HANDS_FREE, Style.WAKE}:
                self._mind(event)

    def _mind(self, tts: Tts) -> None:
        """Without headphones the microphone would hear the loudspeaker."""
        if tts.state is TtsState.START:
            self.open = False
            if self._gate is not None:
                self._gate.close()
        elif tts.state is TtsState.STOP:
            self._answered.set()

    async def _take_turns(self) -> None:
        """After each answer it is the user's turn, as soon as the last of it was heard: a bad line may make it late."""
        while True:
            await self._answered.wait()
            self._answered.clear()
            await self._player.played_out()
            if self._gate is not None:
                self._gate.wait()
            else:
                await self._listen(Style.HANDS_FREE)

    def _show(self, event: Event) -> None:
        if isinstance(event, Stt):
            self.console.write(self.console.words(zh="你：", en="You:  ") + event.text)
        elif isinstance(event, Tts) and event.state is TtsState.SENTENCE_START:
            self.console.write(f"Lumi: {event.text}")
        elif isinstance(event, LlmEmotion):
            self.console.note(zh=event.text, en=event.text)
        elif isinstance(event, Notify):
            self.console.write(f"⏰ {event.text}")
        elif isinstance(event, Error):
            self.console.note(zh=f"错误：{event.error_message}", en=f"error: {event.error_message}")
