"""One conversation, cut at every message boundary in turn: hello, three chats, one spoken turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

from lumi.bench.chaos.house import House
from lumi.bench.chaos.memory import QUICK, say, take
from lumi.bench.chaos.record import Record, made_twice
from lumi.client.client import Client, connect
from lumi.client.events import Event
from lumi.errors import LocalProtocolError, NetworkError
from lumi.protocol.messages import Response, Stt, Tts, TtsState
from lumi.server.background import Background
from lumi.testing.fault_proxy import Cut, FaultProxy, Way
from lumi.testing.sounds import tone

CHATS = 3
SPEECH_MS = 240
LISTEN_ID = "spoken"
SETTLED_S = 20.0
"""After the last words everything that may still come has come."""


@dataclass(slots=True)
class Spoken:
    """What the client heard of its spoken turn."""

    transcripts: int = 0
    stops: int = 0
    responses: int = 0
    said: bool = False
    """All of it went out, as far as the client knows."""

    def take(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, Stt) and event.is_final:
            self.transcripts += 1
        elif isinstance(event, Tts) and event.state is TtsState.STOP:
            self.stops += 1
        elif isinstance(event, Response) and event.id == LISTEN_ID:
            self.responses += 1

    def problems(self, heard: int) -> Iterator[str]:
        """`heard`: how many utterances reached the recogniser whole."""
        if heard > 1:
            yield f"the spoken turn was heard {heard} times"
        if self.transcripts != heard:
            yield f"{self.transcripts} transcripts of {heard} utterances"
        if self.stops > 1 or self.responses > 1:
            yield f"the spoken turn ended {self.stops} times in speech and {self.responses} times in text"


@dataclass(slots=True)
class Conversation:
    """One run of it.

    Attributes:
        frames: how many of each direction the first link carried.
        heard: utterances that reached the recogniser whole.
        made: answers that were begun, to chats and to speech.
        broken: the line was cut as planned.
    """

    cut: Cut | None
    record: Record = field(default_factory=Record)
    spoken: Spoken = field(default_factory=Spoken)
    frames: dict[Way, int] = field(default_factory=dict)
    heard: int = 0
    made: int = 0
    broken: bool = False

    async def run(self) -> list[str]:
        """Hold it, and say what was wrong. In virtual time."""
        async with House().open() as house:
            road = house.road()
            road.plan = lambda number: None if number else self.cut
            await self._talk(road)
            self.frames = dict(road.links[0].frames)
            self.broken = road.cuts == 1
            assert house.rehearsal is not None
            self.heard = len(house.stt.heard)
            road.cut_all()
            left = await house.leftovers()
        self.made = len(house.made)
        anew = made_twice(house.made)
        return [*self.record.problems(), *self.spoken.problems(self.heard), *left, *anew]

    async def _talk(self, road: FaultProxy) -> None:
        async with (
            connect("ws://memory/", connector=road.connect, device_id="me", reconnect=QUICK) as client,
            Background() as tasks,
        ):
            watching = tasks.start("watch", self._watch(client))
            await asyncio.sleep(0)
            await say(client, self.record, "me", CHATS)
            await self._speak(client)
            await asyncio.sleep(SETTLED_S)
            await client.close()
            await watching

    async def _watch(self, client: Client) -> None:
        with client.events() as events:
            async for event in events:
                take(event, self.record)
                self.spoken.take(event)

    async def _speak(self, client: Client) -> None:
        """Speech is live: what a broken line takes of it is gone, and whoever speaks is told."""
        try:
            await client.listen_start("manual", listen_id=LISTEN_ID)
            await client.send_pcm(tone(SPEECH_MS), 16_000)
            await client.listen_stop()
        except (NetworkError, LocalProtocolError):
            return
        self.spoken.said = True


def every_cut(frames: dict[Way, int]) -> Iterator[Cut]:
    """At each frame of a conversation without faults, in both directions: lost, and just delivered."""
    for way in Way:
        for frame in range(1, frames[way] + 1):
            for lost in (True, False):
                yield Cut(way, frame, lost=lost)
