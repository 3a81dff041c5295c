"""Servers that do one thing wrong: links that change what comes from a right one, each against one insistence.

A mutation is made anew for each link. It is given each frame from the server and says what the client gets in its
place: frames, pauses in seconds, or nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusEncoder
from lumi.errors import ConnectionLost
from lumi.testing.replay import FRAMINGS, Script
from lumi.testing.wire import Json
from lumi.transport.base import Link, LinkInfo

Content = Json | bytes
"""A message, or a packet of sound without its header."""

Given = Content | float | ConnectionLost
"""What the client gets: a frame, a pause, or the end of the line."""

Change = Callable[[Content], Iterator[Given]]


class Raw(bytes):
    """A binary frame that gets no header."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """`against`: the insistence that must notice; `make`: the change, begun anew."""

    against: str
    make: Callable[[Script], Change]


def is_(content: Content, type_: str, state: str | None = None) -> bool:
    """Whether it is a message of this type (and state)."""
    if not isinstance(content, dict) or content.get("type") != type_:
        return False
    return state is None or content.get("state") == state


# ── ways to change ───────────────────────────────────────────────────────────────────────────────────────────────


def edited(
    type_: str, change: Callable[[Json], Json], state: str | None = None
) -> Callable[[Script], Change]:
    """Each such message is another."""

    def edit(content: Content) -> Iterator[Given]:
        yield change(content) if isinstance(content, dict) and is_(content, type_, state) else content

    return lambda _script: edit


def around(
    type_: str, *, state: str | None = None, before: tuple[Given, ...] = (), after: tuple[Given, ...] = ()
) -> Callable[[Script], Change]:
    """Something more comes before or after each such message."""

    def add(content: Content) -> Iterator[Given]:
        found = is_(content, type_, state)
        if found:
            yield from before
        yield content
        if found:
            yield from after

    return lambda _script: add


def lost(type_: str, state: str | None = None) -> Callable[[Script], Change]:
    """No such message comes."""

    def lose(content: Content) -> Iterator[Given]:
        if not is_(content, type_, state):
            yield content

    return lambda _script: lose


def packets(change: Callable[[bytes], tuple[Given, ...]]) -> Callable[[Script], Change]:
    """Each packet of sound is something else."""

    def each(content: Content) -> Iterator[Given]:
        if isinstance(content, bytes):
            yield from change(content)
        else:
            yield content

    return lambda _script: each


def held(type_: str, state: str, *, until: str) -> Callable[[Script], Change]:
    """Such a message comes after the next of type `until` instead (`packet`: of sound)."""

    def make(_script: Script) -> Change:
        waiting: list[Given] = []

        def hold(content: Content) -> Iterator[Given]:
            if is_(content, type_, state or None):
                waiting.append(content)
                return
            yield content
            if isinstance(content, bytes) if until == "packet" else is_(content, until):
                yield from waiting
                waiting.clear()

        return hold

    return make


def burst(_script: Script) -> Change:
    """Nine packets at a time."""
    waiting: list[Given] = []

    def hold(content: Content) -> Iterator[Given]:
        waiting.append(content)
        if not isinstance(content, bytes) or len(waiting) == 9:
            yield from waiting
            waiting.clear()

    return hold


def early_stop(_script: Script) -> Change:
    """`tts stop` comes with the fifth packet, before it has been played."""
    count = 0

    def cut(content: Content) -> Iterator[Given]:
        nonlocal count
        if is_(content, "tts", "start"):
            count = 0
        if isinstance(content, bytes):
            count += 1
            if count <= 5:
                yield content
            if count == 5:
                yield {"type": "tts", "state": "stop"}
        elif not (is_(content, "tts", "stop") and count >= 5):
            yield content

    return cut


def deaf(_script: Script) -> Change:
    """An abort changes nothing: sound goes on for a while, and then comes the stop."""

    def go_on(content: Content) -> Iterator[Given]:
        if is_(content, "tts", "stop"):
            for _ in range(5):
                yield 0.06
                yield packet(60)
        yield content

    return go_on


def too_long(script: Script) -> Change:
    """Packets of another length than the client's decoder has room for."""
    other = packet(20 if script.downlink_ms == 60 else 60)

    def change(content: Content) -> Iterator[Given]:
        yield other if isinstance(content, bytes) else content

    return change


def other_framing(_script: Script) -> Change:
    """A header of nobody's."""

    def change(content: Content) -> Iterator[Given]:
        yield Raw(b"\xff" * 8 + content) if isinstance(content, bytes) else content

    return change


def packet(ms: int) -> bytes:
    """Silence."""
    audio = AudioFormat(frame_ms=ms)
    return OpusEncoder(audio).encode(bytes(audio.frame_bytes))


def rpc(**payload: Any) -> Json:
    return {"type": "mcp", "payload": {"jsonrpc": "2.0", **payload}}


def without(*names: str) -> Callable[[Json], Json]:
    return lambda message: {name: value for name, value in message.items() if name not in names}


def having(**fields: Any) -> Callable[[Json], Json]:
    return lambda message: message | fields


START: Json = {"type": "tts", "state": "start"}
STOP: Json = {"type": "tts", "state": "stop"}
PUSHED: tuple[Given, ...] = (START, {"type": "tts", "state": "sentence_start", "text": "Ding."}, STOP)

MUTATIONS: dict[str, Mutation] = {
    "a word before the hello": Mutation("hello_first", around("hello", before=({"type": "alert"},))),
    "a hello after 11 s": Mutation("hello_soon", around("hello", before=(11.0,))),
    "no hello": Mutation("hello_soon", lost("hello")),
    "a hello answered twice": Mutation(
        "every_hello_answered",
        around("hello", after=({"type": "hello", "transport": "websocket"},)),
    ),
    "a hello without transport": Mutation("transport", edited("hello", without("transport"))),
    "a hello with 24 kHz": Mutation(
        "hello_audio",
        edited("hello", lambda said: said | {"audio_params": said["audio_params"] | {"sample_rate": 24_000}}),
    ),
    "a hello without audio": Mutation("hello_audio", edited("hello", without("audio_params"))),
    "a session of 7 characters": Mutation("session_id", edited("hello", having(session_id="1234567"))),
    "a session that is a number": Mutation("session_id", edited("hello", having(session_id=12345678))),
    "a new session in mid-turn": Mutation("one_session", edited("llm", having(session_id="another-session"))),
    "metrics": Mutation(
        "known_types", around("tts", state="stop", after=({"type": "metrics", "stages": {}},))
    ),
    "a goodbye": Mutation("known_types", around("tts", state="stop", after=({"type": "goodbye"},))),
    "a response in writing": Mutation(
        "known_types", around("llm", after=({"type": "response", "id": None},))
    ),
    "a partial": Mutation(
        "known_forms", around("stt", before=({"type": "stt", "text": "what", "is_final": False},))
    ),
    "the end of a sentence": Mutation(
        "known_forms", around("tts", state="stop", before=({"type": "tts", "state": "sentence_end"},))
    ),
    "a turn's id": Mutation("known_fields", edited("tts", having(turn_id="t1"))),
    "a sequence number": Mutation("known_fields", edited("stt", having(seq=1))),
    "features granted": Mutation("known_fields", edited("hello", having(features={}))),
    "no stt": Mutation("stt_echo", lost("stt")),
    "an stt twice": Mutation("stt_echo", around("stt", after=({"type": "stt", "text": "what time is it"},))),
    "other words in the stt": Mutation("stt_echo", edited("stt", having(text="what"))),
    "a confidence of 1": Mutation("confidence", edited("stt", having(confidence=1))),
    "no emotion": Mutation("emotion", lost("llm")),
    "an emotion of our own": Mutation("emotion", edited("llm", having(emotion="smug"))),
    "sound before its sentence": Mutation("order", held("tts", "sentence_start", until="packet")),
    "the face after the start": Mutation("order", held("llm", "", until="tts")),
    "sound after the stop": Mutation("order", around("tts", state="stop", after=(packet(60),))),
    "a second stop": Mutation("one_stop", around("tts", state="stop", after=(STOP,))),
    "a second start": Mutation("one_stop", around("tts", state="start", after=(START,))),
    "sound with the start": Mutation("gap", around("tts", state="sentence_start", before=(packet(60),))),
    "a burst": Mutation("lead", burst),
    "an early stop": Mutation("stop_after_playout", early_stop),
    "deaf to an abort": Mutation("stop_at_once", deaf),
    "a stop long after the abort": Mutation("stop_at_once", around("tts", state="stop", before=(1.0,))),
    "packets of 3 bytes": Mutation("packet_bytes", packets(lambda sound: (sound[:3],))),
    "packets of 1001 bytes": Mutation("packet_bytes", packets(lambda sound: (sound.ljust(1001, b"\0"),))),
    "packets of another length": Mutation("packet_length", too_long),
    "packets that are not Opus": Mutation("packet_length", packets(lambda _: (b"\xff" * 20,))),
    "another header": Mutation("framing", other_framing),
    "a word before it is listened to": Mutation("quiet_before_listen", around("hello", after=PUSHED)),
    "no sound": Mutation("whole_answer", packets(lambda _: ())),
    "a sentence left out": Mutation("whole_answer", lost("tts", "sentence_start")),
    "no stop": Mutation("whole_answer", lost("tts", "stop")),
    "a notification": Mutation(
        "no_notifications", around("mcp", after=(rpc(method="notifications/initialized"),))
    ),
    "tools asked for twice": Mutation(
        "tools_once", around("mcp", after=(rpc(id=9, method="initialize", params={}),))
    ),
    "ids in words": Mutation(
        "tools_once", around("mcp", after=(rpc(id="one", method="tools/list", params={}),))
    ),
    "hung up in mid-answer": Mutation(
        "line_kept", around("tts", state="sentence_start", after=(ConnectionLost(1011, "gone"),))
    ),
}


class MutatedLink:
    """A link from a server that does one thing wrong; to its user an ordinary one."""

    def __init__(self, link: Link, script: Script, mutation: Mutation) -> None:
        self._link = link
        self._framing = FRAMINGS[script.framing]
        self._change = mutation.make(script)
        self._session: Json = {}
        self._frames = self._given()

    @property
    def info(self) -> LinkInfo:
        return self._link.info

    async def send(self, frame: str | bytes) -> None:
        await self._link.send(frame)

    async def receive(self) -> str | bytes:
        return await anext(self._frames)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._link.close(code, reason)

    async def _given(self) -> AsyncIterator[str | bytes]:
        while True:
            frame = await self._link.receive()
            content: Content = (
                msgspec.json.decode(frame) if isinstance(frame, str) else self._framing.unwrap(frame)
            )
            if is_(content, "hello") and isinstance(content, dict):
                self._session = {"session_id": content["session_id"]}
            for given in self._change(content):
                if isinstance(given, float):
                    await asyncio.sleep(given)
                elif isinstance(given, ConnectionLost):
                    with suppress(ConnectionLost):
                        await self._link.close(given.code, given.reason)
                    raise given
                else:
                    yield self._frame(given)

    def _frame(self, content: Content) -> str | bytes:
        if isinstance(content, Raw):
            return bytes(content)
        if isinstance(content, bytes):
            return self._framing.wrap(content, 0, 0)
        return msgspec.json.encode(self._session | content).decode()
