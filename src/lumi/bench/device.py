"""One virtual device: speaks in real time, hears the answer to its end, goes again. It notes what it meets.

It speaks the wire as the guide has it, JSON by hand, so that it shares no code with the server it measures.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lumi.bench.playout import Playout
from lumi.errors import ConnectionLost
from lumi.transport.base import Link

FRAME_S = 0.060
PATIENCE_S = 15.0
"""A device that hears nothing for so long gives its question up as unanswered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it was heard. Seconds."""

    first_audio_s: float
    """From the device's `listen stop` to the first packet."""
    packets: int
    late: int
    stalls: int
    worst_s: float


@dataclass(slots=True)
class Notes:
    """What all devices of one run met."""

    hellos_s: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    sends_late_s: list[float] = field(default_factory=list)
    """How much later than planned each packet left the generator: its own fault."""
    unanswered: int = 0
    errors: list[str] = field(default_factory=list)


class VirtualDevice:
    """Holds conversations over one link until it is told to stop.

    Args:
        link: an open connection to the server.
        name: its device id.
        utterance: what it says: Opus packets of 60 ms at 16 kHz.
        notes: where it writes.
        clock: seconds; finer than a loop's own time, which is one millisecond at best.
    """

    def __init__(
        self,
        link: Link,
        name: str,
        utterance: Sequence[bytes],
        notes: Notes,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._link = link
        self._name = name
        self._utterance = utterance
        self._notes = notes
        self._session_id = ""
        self._clock = clock

    async def converse(self, until_s: float) -> None:
        """Say hello, then talk until the clock shows `until_s`; the last answer is heard to its end."""
        try:
            await self._hello()
            while self._clock() < until_s and await self._turn():
                pass
        except ConnectionLost as error:
            self._notes.errors.append(f"{self._name}: {error}")

    async def _hello(self) -> None:
        hello = {
            "id": f"hello-{self._name}",
            "type": "hello",
            "version": 1,
            "transport": "websocket",
            "device_id": self._name,
            "device_info": {"platform": "bench", "model": "virtual", "os_version": "1"},
            "audio_params": {"format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60},
        }
        asked_s = self._clock()
        await self._link.send(json.dumps(hello))
        answer = json.loads(await self._link.receive())
        self._notes.hellos_s.append(self._clock() - asked_s)
        self._session_id = answer["session_id"]

    async def _turn(self) -> bool:
        """Ask and hear the answer; False if there was none."""
        await self._listen("start")
        await self._speak()
        await self._listen("stop")
        playout = Playout(FRAME_S)
        try:
            first_audio_s = await self._hear(playout, self._clock())
        except TimeoutError:
            first_audio_s = None
        if first_audio_s is None:
            self._notes.unanswered += 1
            return False
        heard = Answer(first_audio_s, playout.packets, playout.late, playout.stalls, playout.worst_s)
        self._notes.answers.append(heard)
        return True

    async def _listen(self, state: str) -> None:
        message = {"type": "listen", "state": state, "mode": "manual", "session_id": self._session_id}
        await self._link.send(json.dumps(message))

    async def _speak(self) -> None:
        begun_s = self._clock()
        for number, packet in enumerate(self._utterance, start=1):
            due_s = begun_s + number * FRAME_S  # a frame exists when its sound has been recorded
            await asyncio.sleep(due_s - self._clock())
            self._notes.sends_late_s.append(self._clock() - due_s)
            await self._link.send(packet)

    async def _hear(self, playout: Playout, asked_s: float) -> float | None:
        """Listen until `tts stop`; returns the seconds to the first packet, None if there was no sound at all."""
        first_audio_s = None
        while True:
            async with asyncio.timeout(PATIENCE_S):
                frame = await self._link.receive()
            if isinstance(frame, bytes):
                now_s = self._clock()
                playout.packet(now_s)
                if first_audio_s is None:
                    first_audio_s = now_s - asked_s
            elif self._ends_turn(json.loads(frame)):
                return first_audio_s

    def _ends_turn(self, message: dict[str, object]) -> bool:
        if message["type"] == "error":
            self._notes.errors.append(f"{self._name}: {message.get('error_message')}")
        return message["type"] == "tts" and message["state"] == "stop"
