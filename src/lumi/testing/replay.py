"""Clients in the field, replayed: what each kind sends and what it insists on is data; this plays it to a server.

    script = scripts()["firmware-v3"]
    async with Rehearsal(llm=ScriptedLlm(ANSWERS)) as house:
        recording = await replay(house.link(script.info), script)
    assert complaints(recording) == {}

The scripts are the files under `replays/`; what they may insist on is the table of `insistences.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import msgspec

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusEncoder
from lumi.errors import ConnectionLost
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.sounds import silence, tone
from lumi.testing.wire import GATEWAY, V1, V2, V3, DeviceFraming, Json, is_tts, matches
from lumi.testing.wire import Received as Frame
from lumi.transport.base import Link, LinkInfo

FRAMINGS = {framing.name: framing for framing in (V1, V2, V3, GATEWAY)}

ANSWERS = {"what time is it": "It is noon. Time to eat.", "你好小智": "Hello. What can I do?"}
"""What the model must answer when scripts are played: question → answer, each of two sentences."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a client does; exactly one of these is given.

    Attributes:
        send: a message; `$session` in it stands for the session's id.
        expect: wait for the next message with these fields.
        packets: wait for so many packets of sound, in this turn.
        pause_ms: do nothing.
        speak_ms: sound goes up in real time, loud and then (`silent_ms`) silent.
    """

    send: Json | None = None
    expect: Json | None = None
    packets: int | None = None
    pause_ms: float | None = None
    speak_ms: float | None = None
    silent_ms: float = 0.0


class Reflex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends whenever it is told something."""

    on: Json
    send: Json


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of client.

    Attributes:
        profile: of `client_profiles`, that it must be served by.
        patience_s: how long it waits for what it waits for, its hello first of all.
        gap_ms: how long it needs between `tts start` and the first packet.
        types: messages that it knows; anything else disturbs it.
        downlink_ms: length of the packets that it can play.
        heard: the words of each `stt`, in order.
        turns: the sentences it must be told, turn by turn; of a turn it cuts off, those it may have been told.
        waiting: a reminder that waits for it when it comes; telling it is one of the turns.
        insists: names of `insistences.INSISTENCES`.
        mcp: it has tools.
    """

    name: str
    about: str
    profile: str
    types: frozenset[str]
    heard: tuple[str, ...]
    turns: tuple[tuple[str, ...], ...]
    insists: tuple[str, ...]
    steps: tuple[Step, ...]
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    framing: Literal["v1", "v2", "v3", "gateway"] = "v1"
    patience_s: float = 10.0
    gap_ms: float = 0.0
    uplink_ms: int = 60
    downlink_ms: int = 60
    reflexes: tuple[Reflex, ...] = ()
    mcp: bool = False
    waiting: str = ""

    @property
    def answers(self) -> int:
        """How many of its turns are answers."""
        return len(self.turns) - bool(self.waiting)

    @property
    def info(self) -> LinkInfo:
        """What its upgrade request shows."""
        return LinkInfo(path="/xiaozhi/v1/", headers=self.headers, query=self.query)


@dataclass(slots=True)
class Recording:
    """What went over the wire, with the loop's time of each frame; binary frames as they came.

    Attributes:
        up: from the client; sound only as bytes.
        down: from the server.
        stuck: what the client waited for in vain; empty: it has done all its steps.
        slack_ms: how much later (or closer together) frames may come than they were sent.
    """

    script: Script
    opened_s: float
    slack_ms: float
    up: list[Frame] = field(default_factory=list)
    down: list[Frame] = field(default_factory=list)
    stuck: str = ""
    closed: ConnectionLost | None = None


def scripts() -> dict[str, Script]:
    """Every script there is, by its name.

    Raises:
        msgspec.ValidationError: a file is no script.
    """
    found = [
        msgspec.json.decode(file.read_bytes(), type=Script)
        for file in (files("lumi.testing") / "replays").iterdir()
        if file.name.endswith(".json")
    ]
    return {script.name: script for script in sorted(found, key=lambda script: script.name)}


async def replay(link: Link, script: Script, *, slack_ms: float = 1.0) -> Recording:
    """Play a script to the server at the link's other end, and close the link.

    A server that leaves the client waiting, or hangs up, is noted in the recording and not raised.
    """
    recording = Recording(script, asyncio.get_running_loop().time(), slack_ms)
    player = _Player(link, recording)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(player.read(), name=f"{script.name} reads")
        try:
            await player.play()
        except ConnectionLost as lost:
            recording.stuck = f"the connection was lost: {lost}"
        await link.close()
        await reading
    return recording


@lru_cache(maxsize=32)
def _said(loud_ms: float, silent_ms: float, frame_ms: int) -> tuple[bytes, ...]:
    """What a client says, as packets: a stream of its own each time, so the same each time."""
    audio = AudioFormat(frame_ms=frame_ms)
    encoder, pcm = OpusEncoder(audio), tone(loud_ms) + silence(silent_ms)
    frames = (
        pcm[start : start + audio.frame_bytes].ljust(audio.frame_bytes, b"\0")
        for start in range(0, len(pcm), audio.frame_bytes)
    )
    return tuple(encoder.encode(frame) for frame in frames)


class _Player:
    def __init__(self, link: Link, recording: Recording) -> None:
        self._link = link
        self._script = recording.script
        self._recording = recording
        self._framing: DeviceFraming = FRAMINGS[recording.script.framing]
        self._tools = ScriptedDeviceTools({"self.lamp.set": lambda _: "on"})
        self._session = ""
        self._cursor = 0
        self._playing = True
        self._sent_packets = 0
        self._changed = asyncio.Event()

    async def play(self) -> None:
        for number, step in enumerate(self._script.steps, start=1):
            try:
                async with asyncio.timeout(self._patience_s(step)):
                    await self._do(step)
            except TimeoutError:
                self._recording.stuck = f"step {number} waited in vain for {step.expect or 'packets'}"
                break
        self._playing = False

    async def read(self) -> None:
        try:
            while True:
                frame = await self._link.receive()
                await self._take(msgspec.json.decode(frame) if isinstance(frame, str) else frame)
        except ConnectionLost as lost:
            if self._playing:
                self._recording.closed = lost
            self._wake()

    def _patience_s(self, step: Step) -> float | None:
        return None if step.expect is None and step.packets is None else self._script.patience_s

    async def _take(self, content: Any) -> None:
        """Note a frame, and do what the client does about it without thinking."""
        self._recording.down.append(self._now(content))
        if isinstance(content, dict):
            await self._react(content)
        self._wake()

    async def _react(self, message: Json) -> None:
        if message.get("type") == "hello":
            self._session = str(message.get("session_id", ""))
        for reflex in self._script.reflexes:
            if matches(message, reflex.on):
                await self._send(reflex.send)
        if self._script.mcp and message.get("type") == "mcp":
            for payload in await self._tools.answers(message["payload"]):
                await self._send({"type": "mcp", "session_id": "$session", "payload": payload})

    async def _do(self, step: Step) -> None:
        if step.send is not None:
            await self._send(step.send)
        elif step.expect is not None:
            await self._expect(step.expect)
        elif step.packets is not None:
            await self._expect_packets(step.packets)
        elif step.speak_ms is not None:
            await self._speak(step.speak_ms, step.silent_ms)
        else:
            await asyncio.sleep((step.pause_ms or 0.0) / 1000)

    async def _send(self, message: Json) -> None:
        said = {name: self._session if value == "$session" else value for name, value in message.items()}
        self._recording.up.append(self._now(said))
        await self._link.send(msgspec.json.encode(said).decode())

    async def _speak(self, loud_ms: float, silent_ms: float) -> None:
        frame_ms, loop = self._script.uplink_ms, asyncio.get_running_loop()
        started_s = loop.time()
        for number, packet in enumerate(_said(loud_ms, silent_ms, frame_ms)):
            await asyncio.sleep(max(0.0, started_s + number * frame_ms / 1000 - loop.time()))
            frame = self._framing.wrap(packet, number * frame_ms, self._sent_packets)
            self._sent_packets += 1
            self._recording.up.append(self._now(frame))
            await self._link.send(frame)

    async def _expect(self, wanted: Json) -> None:
        while True:
            for position in range(self._cursor, len(self._recording.down)):
                self._cursor = position + 1
                content = self._recording.down[position].content
                if isinstance(content, dict) and matches(content, wanted):
                    return
            await self._more()

    async def _expect_packets(self, count: int) -> None:
        while self._packets_of_turn() < count:
            await self._more()

    def _packets_of_turn(self) -> int:
        down = self._recording.down
        started = [number for number, item in enumerate(down) if is_tts(item, "start")]
        return sum(isinstance(item.content, bytes) for item in down[started[-1] :]) if started else 0

    async def _more(self) -> None:
        if self._recording.closed is not None:
            raise self._recording.closed
        await self._changed.wait()

    def _now(self, content: Any) -> Frame:
        return Frame(asyncio.get_running_loop().time(), content)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
