"""What the server says, played in order: one turn at a time, smooth over a bad line, silent at once when it is cut off."""

from __future__ import annotations

import asyncio
import logging
import sys
from array import array
from typing import Protocol

from lumi.audio.jitter import DEFAULT_MAX_MS, DEFAULT_START_MS, JitterBuffer, JitterStats
from lumi.client.events import Audio, Event
from lumi.client.played_reports import PlayedReports
from lumi.client.resampling import Resampler
from lumi.errors import LumiError
from lumi.protocol.messages import Tts, TtsState

SINK_MS = 100.0
"""What is handed to the sink ahead of time: what a card asks for at once (60 ms), and two ticks."""

TICK_S = 0.02

SILENT_PEAK = 200
"""No sample of a pause is louder (-44 dB of full scale): what Opus makes of silence stays far below."""

_log = logging.getLogger("lumi.client.player")


class Sink(Protocol):
    """Where sound goes: a `Speaker`, or a `Recording`."""

    rate_hz: int

    @property
    def waiting_ms(self) -> float: ...

    def write(self, pcm: bytes) -> None: ...

    def clear(self) -> None: ...


class Report(Protocol):
    """Tells the server what was heard: `Client.played`."""

    async def __call__(self, turn_id: str, ms: float, *, final: bool = False) -> object: ...


class Recording:
    """A sink that keeps everything it is given; nothing ever waits in it."""

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz = rate_hz
        self.waiting_ms = 0.0
        self._pcm = bytearray()

    @property
    def pcm(self) -> bytes:
        return bytes(self._pcm)

    def write(self, pcm: bytes) -> None:
        self._pcm += pcm

    def clear(self) -> None:
        """What was heard was heard."""


def is_silent(pcm: bytes) -> bool:
    """Whether a piece of s16le PCM belongs to a pause."""
    samples = array("h", pcm[: len(pcm) & ~1])
    if sys.byteorder == "big":
        samples.byteswap()
    return not samples or (max(samples) <= SILENT_PEAK and min(samples) >= -SILENT_PEAK)


class Player:
    """Feeds a sink from a client's events, turn by turn, while `run` runs (without it, only when something comes).

    A turn begins with `tts start` and is complete with `tts stop`; what comes outside, belongs to another turn, or
    follows a `cut`, is never heard and counted in `stale`. Speech starts when `start_ms` of it are there. After the
    line stood still it goes on where it was, later by as long as the line stood still and `max_ms` at most: what
    goes beyond is dropped, oldest first, and the delay is won back by shortening the pauses.

    Args:
        sink: takes sound a little ahead of time and plays it at its own pace.
        report: told every 300 ms how much of the turn was heard, and once at its end; `Client.played`, which sends
            nothing where the server did not ask for it.
        start_ms: how much must be there before a turn is heard.
        max_ms: the longest delay.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        report: Report | None = None,
        start_ms: float = DEFAULT_START_MS,
        max_ms: float = DEFAULT_MAX_MS,
    ) -> None:
        self._sink = sink
        self._report = report
        self._reports = PlayedReports()
        self._start_ms = start_ms
        self._max_ms = max_ms
        self.turn_id: str | None = None
        self.speaking = False
        """Whether more of the present turn may come."""
        self.stats = JitterStats()
        """Of all turns; `dropped`, `skipped` and `stale` in packets."""
        self._buffer: JitterBuffer | None = None
        self._resampler: Resampler | None = None
        self._written_ms = 0.0
        self._begun = False
        self._running = False
        self._generation = 0
        self._frame_ms = 0.0
        self._news = asyncio.Event()
        self._to_tell = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()

    @property
    def stale(self) -> int:
        """Packets that came for a turn that was over."""
        return self.stats.stale

    @property
    def heard_ms(self) -> float:
        """How far into the present turn the listener is. What was dropped to catch up counts as passed."""
        return max(0.0, self._written_ms - self._sink.waiting_ms)

    @property
    def waiting_ms(self) -> float:
        """Speech that is here and was not heard yet."""
        return self._sink.waiting_ms + (self._buffer.waiting_ms if self._buffer else 0.0)

    def feed(self, event: Event) -> None:
        """Take one event of the client; those that are no speech are passed by."""
        if isinstance(event, Tts):
            self._on_tts(event)
        elif isinstance(event, Audio):
            self._on_audio(event)

    def cut(self) -> float:
        """Fall silent now (the user interrupts); returns the milliseconds of the turn that were heard."""
        heard_ms = self.heard_ms
        self._end(heard_ms)
        self._sink.clear()
        self._written_ms = heard_ms
        return heard_ms

    async def run(self) -> None:
        """Play for ever; cancel it to stop."""
        self._running = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._play(), name="player")
                tasks.create_task(self._tell(), name="player's reports")
        finally:
            self._running = False

    async def played_out(self) -> None:
        """Return when nothing is left to be heard and nothing more of the present turn can come."""
        await self._quiet.wait()

    # ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────

    def _on_tts(self, tts: Tts) -> None:
        if tts.state is TtsState.START:
            self._start(tts.turn_id if isinstance(tts.turn_id, str) else None)
        elif tts.state is TtsState.STOP and self._begun:
            self.speaking = False
            if self._buffer is not None:
                self._buffer.complete(self._generation)
            self._came()

    def _start(self, turn_id: str | None) -> None:
        """What is left of the turn before is not heard any more."""
        self._end(self.heard_ms)
        self._sink.clear()
        self._written_ms = 0.0
        self._resampler = None
        self.turn_id = turn_id
        self.speaking = self._begun = True
        self._quiet.clear()
        self._reports.begin(turn_id)

    def _on_audio(self, audio: Audio) -> None:
        if not audio.pcm:
            return
        if not self.speaking or audio.turn_id != self.turn_id:
            self.stats.stale += 1
            return
        if self._resampler is None:
            self._resampler = Resampler(audio.rate_hz, self._sink.rate_hz)
        if self._buffer is None or self._frame_ms != audio.duration_ms:
            self._buffer = self._open_buffer(audio.duration_ms)
        self._buffer.push(self._generation, audio.pcm)
        self._came()

    def _came(self) -> None:
        """There is something new to play: `run` will, or, where nobody runs it, now."""
        self._news.set()
        if not self._running:
            self._pump()

    def _open_buffer(self, frame_ms: float) -> JitterBuffer:
        self._frame_ms = frame_ms
        # What the sink holds is part of the delay: no more than the rest waits here without one.
        settle_ms = max(frame_ms, self._start_ms - SINK_MS)
        buffer = JitterBuffer(
            frame_ms,
            start_ms=self._start_ms,
            max_ms=self._max_ms,
            settle_ms=settle_ms,
            is_silent=is_silent,
        )
        buffer.stats = self.stats
        return buffer

    def _end(self, heard_ms: float) -> None:
        """The present turn is over, if there is one: what belongs to it is stale from now on."""
        if self._begun:
            self._begun = self.speaking = False
            self._generation += 1
            if self._buffer is not None:
                self._buffer.start(self._generation)
            self._reports.end(heard_ms)
            self._to_tell.set()
            self._quiet.set()

    # ── what is heard ────────────────────────────────────────────────────────────────────────────────────────────

    def _pump(self) -> None:
        """Hand the sink what it needs now, and notice what was heard."""
        buffer, sink = self._buffer, self._sink
        while buffer is not None and sink.waiting_ms < SINK_MS:
            # Looked at only when there is something to take, or nothing is heard any more: then it ran dry.
            pcm = buffer.pop() if buffer.waiting_ms or sink.waiting_ms <= 0 else None
            if pcm is None or self._resampler is None:
                break
            self._written_ms = buffer.passed_ms
            sink.write(self._resampler.feed(pcm))

    def _notice(self) -> bool:
        """Report what was heard; whether there is nothing to do until something comes."""
        dry = self._sink.waiting_ms <= 0
        left = self._buffer is not None and self._buffer.waiting_ms > 0
        if self._begun and dry and not self.speaking and not left:
            self._end(self.heard_ms)
        elif self._begun:
            self._reports.heard(self.heard_ms, asyncio.get_running_loop().time(), dry=dry)
        if self._reports.due:
            self._to_tell.set()
        return dry

    async def _play(self) -> None:
        while True:
            self._news.clear()
            self._pump()
            if self._notice():
                await self._news.wait()
                # What was held up comes in a burst: all of it must be here before it is known what is too old.
                if self._written_ms == 0:
                    continue
            await asyncio.sleep(TICK_S)

    async def _tell(self) -> None:
        """In a task of its own: a slow line must not hold up the sound."""
        while True:
            self._to_tell.clear()
            while self._reports.due:
                report = self._reports.due.popleft()
                if self._report is not None:
                    try:
                        await self._report(report.turn_id, report.ms, final=report.final)
                    except LumiError as error:  # the line is gone: there is nobody to tell
                        _log.debug("what was heard could not be told: %s", error)
            await self._to_tell.wait()
