"""`make demo`: spoken conversations with a real server over a real socket, as a timeline.

Recordings of people, where this machine has them, and a command spoken by the built-in voice. Everything that was said
and answered is kept as sound files.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import lumi
from lumi.audio.format import AudioFormat
from lumi.audio.wav import Sound, read_wav, write_wav
from lumi.client.events import Audio, Event
from lumi.client.spoken_reply import ReplyCollector, SpokenReply
from lumi.config import load
from lumi.engines.base import Voice
from lumi.engines.espeak import EspeakTts
from lumi.errors import ConnectionLost, LumiError, ReplyTimeout
from lumi.protocol.messages import Stt, Tts, TtsState
from lumi.server.server import Server

COMMAND = "what time is it"
RAW_RATE_HZ = 16_000
ANSWER_LIMIT_S = 60.0
"""Longest answer before the demo gives up."""

USAGE_ERROR = 2


@dataclass(frozen=True, slots=True)
class Recording:
    """A human recording that some packages bring."""

    name: str
    path: Path
    package: str


RECORDINGS = (
    Recording(
        "go forward ten meters",
        Path("/usr/share/pocketsphinx/test/data/goforward.raw"),
        "pocketsphinx-testdata",
    ),
    Recording("front center", Path("/usr/share/sounds/alsa/Front_Center.wav"), "alsa-utils"),
)


class Timeline:
    """Prints what happens in one turn, in milliseconds from its start."""

    def __init__(self, console: Console, begun_s: float) -> None:
        self._console = console
        self._begun_s = begun_s
        self._packets = 0

    def mark(self, what: str, now_s: float) -> None:
        line = f"{(now_s - self._begun_s) * 1000:8.0f} ms  {what}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def event(self, event: Event, now_s: float) -> None:
        """Show one event of the server."""
        if isinstance(event, Audio):
            self._packets += 1
            if self._packets == 1:
                self.mark(f"← first packet, {len(event.packet)} bytes", now_s)
        elif isinstance(event, Stt):
            self.mark(f"← stt “{event.text}”, confidence {event.confidence:.2f}", now_s)
        elif isinstance(event, Tts):
            text = f" “{event.text}”" if isinstance(event.text, str) else ""
            count = f" after {self._packets} packets" if event.state is TtsState.STOP else ""
            self.mark(f"← tts {event.state}{text}{count}", now_s)


async def converse(client: lumi.Client, sound: Sound, console: Console) -> SpokenReply:
    """Speak one recording and hear the answer to its end.

    Raises:
        ReplyTimeout: no answer, or no end to it.
        ConnectionLost: the server went away meanwhile.
        ServerError: it could not make sense of the recording.
    """
    clock = asyncio.get_running_loop().time
    with client.events() as events:
        timeline = Timeline(console, clock())
        listen_id = await client.listen_start("manual")
        timeline.mark("→ listen start", clock())
        await client.send_pcm(sound.pcm, sound.rate_hz)
        await client.listen_stop()
        frames = math.ceil(sound.duration_s * 1000 / AudioFormat().frame_ms)
        timeline.mark(f"→ {frames} frames sent, {sound.duration_s:.2f} s of sound; listen stop", clock())
        collector = ReplyCollector(listen_id, clock())
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                async for event in events:
                    timeline.event(event, clock())
                    if collector.add(event, clock()):
                        return collector.reply()
        except TimeoutError as error:
            raise ReplyTimeout(f"no end of the answer within {ANSWER_LIMIT_S:g} s") from error
    raise ConnectionLost(1000, "closed in the middle of the answer")


async def record_command() -> Sound:
    """The synthetic command, spoken by the built-in voice."""
    voice = EspeakTts()
    try:
        pieces = [piece async for piece in voice.synthesize(COMMAND, Voice(language="en"))]
    finally:
        await voice.aclose()
    return Sound(b"".join(pieces), voice.sample_rate_hz)


async def questions(console: Console, *, brief: bool = False) -> AsyncIterator[tuple[str, Sound]]:
    """What there is to ask with: human recordings first, then the command; `brief`: the command alone."""
    for recording in () if brief else RECORDINGS:
        if recording.path.exists():
            yield f"{recording.name} (a person)", read_wav(recording.path, raw_rate_hz=RAW_RATE_HZ)
        else:
            console.print(f"“{recording.name}” is left out: {recording.package} is not installed here.")
    yield f"{COMMAND} (the built-in voice)", await record_command()


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    """The real server with its own settings, on a free port, with nothing from this machine's."""
    with tempfile.TemporaryDirectory() as folder:
        flags = {"server.port": 0, "server.data_dir": folder, "log.level": "warning", "log.file": False}
        async with Server(load(flags=flags, environ={}, directory=Path(folder))) as running:
            await running.wait_ready()
            yield running


def _keep(folder: Path, name: str, sound: Sound, reply: Sound) -> list[Path]:
    stem = name.split(" (", maxsplit=1)[0].replace(" ", "-")
    written = []
    for part, heard in (("question", sound), ("answer", reply)):
        path = folder / f"{stem}-{part}.wav"
        write_wav(path, heard.pcm, heard.rate_hz)
        written.append(path)
    return written


def _summary(reply: SpokenReply) -> str:
    first = "no sound" if reply.first_audio_ms is None else f"first audio after {reply.first_audio_ms:.0f} ms"
    heard = f"heard “{reply.transcript}” ({reply.confidence:.2f}); answered “{reply.text}”"
    return f"  {heard}; {first}, {reply.audio_s:.2f} s of speech"


async def demo(folder: Path, console: Console, *, brief: bool = False) -> None:
    """Hold every conversation, print it, keep its sounds in `folder`, which must exist."""
    async with server() as running, lumi.connect(running.url, device_id="demo", reconnect=None) as client:
        console.print(f"A server on {running.url}, a client connected to it.")
        async for name, sound in questions(console, brief=brief):
            console.print(f"\n[bold]{name}[/bold]")
            reply = await converse(client, sound, console)
            console.print(_summary(reply), markup=False, highlight=False, soft_wrap=True)
            for path in _keep(folder, name, sound, Sound(reply.pcm, reply.rate_hz)):
                console.print(f"  wrote {path}", highlight=False, soft_wrap=True)


def command(
    out: Annotated[Path, typer.Option(help="Where the sound files go.")] = Path("demo-output"),
    *,
    brief: Annotated[
        bool, typer.Option("--brief", help="Only the question that the built-in voice asks.")
    ] = False,
) -> None:
    """Hold spoken conversations with a server of its own and show what happens when."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        asyncio.run(demo(out, Console(), brief=brief))
    except (LumiError, OSError) as error:
        Console(stderr=True).print(f"lumi demo: {error}", markup=False)
        raise typer.Exit(USAGE_ERROR) from error


if __name__ == "__main__":
    typer.run(command)
