"""Does what the user asks for, and moves words and sound between the client and the model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lumi.client.broadcast import Subscription
from lumi.client.client import Client
from lumi.client.events import Event
from lumi.client.state_machine import ConnectionState, Ready
from lumi.client.task_scope import TaskScope
from lumi.errors import LumiError
from lumi.tui import wording
from lumi.tui.line import Dial, Line
from lumi.tui.model import Model
from lumi.tui.outgoing import Outgoing
from lumi.tui.voice import Devices, Voice, while_it_stands

MAX_DEEDS = 64
"""Keys pressed and not yet obeyed; more are not obeyed, and the screen says so."""


@dataclass(frozen=True, slots=True)
class Say:
    """Send this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """Start or end a recording."""


@dataclass(frozen=True, slots=True)
class HandsFree:
    """Switch hands-free on or off."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Make Lumi stop speaking."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Do not wait for the countdown."""


Deed = Say | Talk | HandsFree | Interrupt | Reconnect


class Conductor:
    """Runs beside the screen. The screen hands in deeds with `ask`; everything comes back through the model."""

    def __init__(self, dial: Dial, model: Model, devices: Devices | None = None) -> None:
        self._model = model
        self._outgoing = Outgoing(model)
        self._voice = Voice(model, devices or Devices())
        self._line = Line(dial, self._converse, model)
        self._deeds: asyncio.Queue[Deed] = asyncio.Queue(MAX_DEEDS)
        self._rules: dict[type[Deed], Callable[[], Awaitable[None]]] = {
            Talk: self._voice.talk,
            HandsFree: self._voice.hands_free,
            Interrupt: self._voice.interrupt,
        }

    def ask(self, deed: Deed) -> None:
        """Have it done, after what was asked before."""
        try:
            self._deeds.put_nowait(deed)
        except asyncio.QueueFull:
            self._model.notice(wording.TOO_BUSY)

    def look(self, now_s: float) -> None:
        """Bring the model up to date with what changes by itself; to be called before it is drawn."""
        self._line.look(now_s)
        self._model.queued(len(self._outgoing))

    async def run(self) -> None:
        """Until it is cancelled."""
        async with TaskScope() as tasks, self._voice:
            tasks.start(self._line.run(), name="line")
            while True:
                await self._obey(await self._deeds.get())

    async def _obey(self, deed: Deed) -> None:
        try:
            if isinstance(deed, Say):
                self._outgoing.add(deed.text, asyncio.get_running_loop().time())
            elif isinstance(deed, Reconnect):
                self._line.again()
            else:
                await self._rules[type(deed)]()
        except LumiError as error:
            self._model.problem(error)

    async def _converse(self, client: Client) -> None:
        """One client's conversation, over all its lines, until it ends."""
        async with TaskScope() as tasks:
            following = tasks.start(self._follow(client, client.states()), name="connection states")
            self._outgoing.attach(client, tasks)
            try:
                with client.events() as events:
                    await self._hear(events)
            finally:
                self._outgoing.detach()
                self._voice.detach()
                following.cancel()
                self._model.connection(client.state, asyncio.get_running_loop().time())

    async def _follow(self, client: Client, states: Subscription[ConnectionState]) -> None:
        clock = asyncio.get_running_loop().time
        async for state in states:
            self._model.connection(state, clock())
            if isinstance(state, Ready):
                await while_it_stands(self._voice.attach(client), self._model)
            else:
                self._voice.detach()

    async def _hear(self, events: Subscription[Event]) -> None:
        clock = asyncio.get_running_loop().time
        async for event in events:
            self._model.event(event, clock())
            self._voice.hear(event)
