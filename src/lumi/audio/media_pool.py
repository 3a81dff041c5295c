"""Decoding, voice activity detection and encoding for all sessions, off the event loop, in a few threads.

One thread listens: whatever all uplinks have pushed is taken in one hop, and its results come back in one. `workers`
threads speak. The C code in both releases the interpreter lock. Their number does not grow with sessions.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from lumi.audio.downlink import Downlink, Piece
from lumi.audio.effort import EncoderEffort
from lumi.audio.format import AudioFormat
from lumi.audio.hearing import Ear, Heard, Vad, hear
from lumi.audio.opus import DEFAULT_COMPLEXITY
from lumi.audio.uplink import Uplink
from lumi.errors import AudioError

__all__ = ["Downlink", "Heard", "MediaPool", "PoolStats", "Uplink", "Vad"]

MAX_GATHER_S: Final = 0.020
"""The longest a packet waits for others to share a hop with."""

_GATHER_S_PER_PACKET_RATE: Final = 20e-6
"""Seconds of waiting per packet a second: 1 ms for 3 talkers of 60 ms packets, 20 ms for 60."""

_RATE_MEMORY_S: Final = 0.5


@dataclass(slots=True)
class PoolStats:
    """What the pool has done so far."""

    hops: int = 0
    packets: int = 0
    corrupt: int = 0
    failed_hops: int = 0


class GatherPolicy:
    """How long to wait for more packets before a hop: nothing for a few talkers, more as the hops get busier."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._last_s: float | None = None

    def note(self, packets: int, now_s: float) -> None:
        """A hop took `packets` packets."""
        if self._last_s is not None:
            elapsed = now_s - self._last_s
            self._rate = (self._rate * _RATE_MEMORY_S + packets) / (_RATE_MEMORY_S + elapsed)
        self._last_s = now_s

    def delay_s(self) -> float:
        delay = self._rate * _GATHER_S_PER_PACKET_RATE
        return 0.0 if delay < 0.001 else min(delay, MAX_GATHER_S)


class MediaPool:
    """Used as `async with MediaPool(vad) as pool`; leaving it closes whatever is open and ends the threads.

    Args:
        vad: scores windows of 16 kHz sound; called by the listening thread alone.
        workers: threads that encode.
        complexity: of the Opus encoders, 0 (cheapest) … 10 (best), as long as the threads keep up.
        clock: seconds, readable in any thread (uvloop's own clock stands still between two turns of the loop).
    """

    def __init__(
        self,
        vad: Vad,
        *,
        workers: int = 1,
        complexity: int = DEFAULT_COMPLEXITY,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.stats = PoolStats()
        self._effort = EncoderEffort(complexity)
        self._clock = clock
        self._vad = vad
        self._listening = ThreadPoolExecutor(1, "lumi-listen")
        self._speaking = ThreadPoolExecutor(max(1, workers), "lumi-speak")
        self._gather = GatherPolicy()
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        self._uplinks: dict[Uplink, None] = {}
        self._dirty: dict[Uplink, None] = {}
        self._downlinks: weakref.WeakSet[Downlink] = weakref.WeakSet()
        self._tasks: asyncio.TaskGroup | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self._tasks.create_task(self._dispatch(), name="media pool")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for uplink in list(self._uplinks):
            uplink.close()
        for downlink in list(self._downlinks):
            downlink.close()
        self._work.set()
        self._urgent.set()
        try:
            if self._tasks is not None:
                await self._tasks.__aexit__(None, None, None)
        finally:
            # A job is some ms long at most, so waiting for the threads here does not hold the loop up.
            self._listening.shutdown()
            self._speaking.shutdown()

    @property
    def complexity(self) -> int:
        """What the encoders are set to now: falls while speech queues up for them."""
        return self._effort.complexity

    @complexity.setter
    def complexity(self, complexity: int) -> None:
        self._effort.limit(complexity)

    def open_uplink(self, audio: AudioFormat, on_heard: Callable[[Heard], None]) -> Uplink:
        """Start to listen to packets of this format; `on_heard` is called on the loop."""
        self._check_running()
        uplink = Uplink(audio, on_heard, self._wake)
        self._uplinks[uplink] = None
        return uplink

    def open_downlink(self, audio: AudioFormat) -> Downlink:
        """Start to speak in this format."""
        self._check_running()
        downlink = Downlink(audio, self._submit, lambda: self._effort.complexity)
        self._downlinks.add(downlink)
        return downlink

    def _check_running(self) -> None:
        if self._tasks is None or self._stopping:
            raise AudioError("the media pool is not running: use it as `async with MediaPool(vad) as pool`")

    def _submit(self, encode: Callable[[Piece], list[bytes]], piece: Piece) -> asyncio.Future[list[bytes]]:
        # Bounded by the number of downlinks: each has one piece of work at a time.
        asked_s = self._clock()
        taken_s: list[float] = []

        def work() -> list[bytes]:
            taken_s.append(self._clock())
            return encode(piece)

        job = asyncio.get_running_loop().run_in_executor(self._speaking, work)
        job.add_done_callback(lambda _: self._note_waits([taken - asked_s for taken in taken_s]))
        return job

    def _note_waits(self, waits_s: Sequence[float]) -> None:
        for wait_s in waits_s:
            self._effort.note(wait_s, self._clock())

    def _wake(self, uplink: Uplink, urgent: bool) -> None:  # noqa: FBT001 - a callback's argument
        self._dirty[uplink] = None
        self._work.set()
        if urgent:
            self._urgent.set()

    async def _dispatch(self) -> None:
        while not (self._stopping and not self._dirty):
            await self._work.wait()
            await self._wait_for_more()
            self._work.clear()
            self._urgent.clear()
            dirty, self._dirty = self._dirty, {}
            if dirty:
                await self._hop(dirty)

    async def _wait_for_more(self) -> None:
        delay_s = self._gather.delay_s()
        if delay_s:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._urgent.wait()

    async def _hop(self, dirty: Iterable[Uplink]) -> None:
        loop = asyncio.get_running_loop()
        batch = [(uplink, uplink.take()) for uplink in dirty if uplink.pending]
        closed = [uplink for uplink in dirty if uplink.closed]
        self._count(sum(len(packets) for _, packets in batch), loop.time())
        work = [(uplink.ear, packets) for uplink, packets in batch]
        job = loop.run_in_executor(self._listening, self._listen, work, [uplink.ear for uplink in closed])
        await asyncio.wait({job})
        for uplink in closed:
            self._uplinks.pop(uplink, None)
        failure = job.exception()
        heard = job.result() if failure is None else self._failed(failure, loop, len(batch))
        for (uplink, packets), outcome in zip(batch, heard, strict=True):
            self.stats.corrupt += outcome.corrupt
            uplink.deliver(outcome, len(packets))
            if uplink.pending:
                self._wake(uplink, False)

    def _listen(self, work: Sequence[tuple[Ear, Sequence[bytes]]], closed: Iterable[Ear]) -> list[Heard]:
        for ear in closed:
            ear.release(self._vad)
        return hear(self._vad, work)

    def _count(self, packets: int, now_s: float) -> None:
        self.stats.hops += 1
        self.stats.packets += packets
        self._gather.note(packets, now_s)

    def _failed(self, failure: BaseException, loop: asyncio.AbstractEventLoop, count: int) -> list[Heard]:
        """A hop broke for a reason nobody foresaw: these packets are lost, the sessions hear of it and go on."""
        self.stats.failed_hops += 1
        loop.call_exception_handler({"message": "the media pool could not listen", "exception": failure})
        return [Heard(b"", error=AudioError(f"listening failed: {failure!r}"))] * count
