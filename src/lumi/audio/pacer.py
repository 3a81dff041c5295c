"""Sends packets in real time: one timer wheel for all streams, no task for any.

A stream knows what its listener has heard: packets play one after the other from the moment the first is sent. It sends
whenever the listener has less than `lead_ms` in hand, so a late loop catches up, but never by more than the lead.
"""

from __future__ import annotations

import asyncio
import math
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from lumi.audio.wheel import TimerWheel
from lumi.errors import AudioError, Overloaded

DEFAULT_TICK_S: Final = 0.020
DEFAULT_LEAD_MS: Final = 120.0
"""How far ahead of the listener a stream may be: small boards overflow silently beyond it."""

LATE_MS: Final = 20.0
"""A frame sent later than this after its tick counts as late."""

MAX_QUEUED_MS: Final = 120_000.0
"""Bound of one stream's queue; `PacedStream.room` keeps a well-behaved source far below it."""

_ROUNDING_S: Final = 1e-6


@dataclass(slots=True)
class PacerStats:
    """What the wheel has done so far, over all streams. Lateness is counted against the tick a frame was planned for."""

    frames: int = 0
    late_frames: int = 0
    worst_late_ms: float = 0.0

    def add(self, late_ms: float) -> None:
        self.frames += 1
        self.late_frames += late_ms > LATE_MS
        self.worst_late_ms = max(self.worst_late_ms, late_ms)


class Pacer:
    """The wheel. Used as `async with Pacer() as pacer`; leaving it stops every stream.

    Args:
        tick_s: streams are served at multiples of this; wider ticks cost less and need more lead.
        on_frame: told of every frame sent, how many ms later than planned.
    """

    def __init__(
        self, *, tick_s: float = DEFAULT_TICK_S, on_frame: Callable[[float], None] | None = None
    ) -> None:
        self.stats = PacerStats()
        self._tick_s = tick_s
        self._on_frame = on_frame
        self._wheel: TimerWheel | None = None
        self._streams: weakref.WeakSet[PacedStream] = weakref.WeakSet()

    async def __aenter__(self) -> Self:
        self._wheel = TimerWheel(asyncio.get_running_loop(), self._tick_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in list(self._streams):
            stream.close()
        if self._wheel is not None:
            self._wheel.stop()
            self._wheel = None

    def open(
        self, send: Callable[[bytes], None], frame_ms: float, lead_ms: float = DEFAULT_LEAD_MS
    ) -> PacedStream:
        """Start a stream whose packets last `frame_ms` each and leave through `send`, which must not wait."""
        if self._wheel is None:
            raise AudioError("the pacer is not running: use it as `async with Pacer() as pacer`")
        stream = PacedStream(self._wheel, send, self._count, frame_ms / 1000, max(lead_ms, frame_ms) / 1000)
        self._streams.add(stream)
        return stream

    def _count(self, late_ms: float) -> None:
        self.stats.add(late_ms)
        if self._on_frame is not None:
            self._on_frame(late_ms)


class PacedStream:
    """One listener's packets, in order. All times in ms of sound; made by `Pacer.open`."""

    def __init__(
        self,
        wheel: TimerWheel,
        send: Callable[[bytes], None],
        sent: Callable[[float], None],
        frame_s: float,
        lead_s: float,
    ) -> None:
        self._wheel = wheel
        self._send = send
        self._sent = sent
        self._frame_s = frame_s
        self._lead_s = lead_s
        self._queue: list[bytes] = []  # bounded by MAX_QUEUED_MS: `push` refuses more
        self._sent_s = 0.0
        self._starved_s = 0.0
        self._playout_end_s = -math.inf
        self._not_before_s = -math.inf
        self._paused = False
        self._closed = False
        self._tick: int | None = None
        self._played: tuple[Callable[[], None], float] | None = None
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    @property
    def queued_ms(self) -> float:
        """Not sent yet."""
        return len(self._queue) * self._frame_s * 1000

    @property
    def sent_ms(self) -> float:
        """Sent so far (after `clear`: what was played of it)."""
        return self._sent_s * 1000

    @property
    def played_ms(self) -> float:
        """How much the listener has heard by now, if it plays what it gets at once."""
        return (self._sent_s - max(0.0, self._playout_end_s - self._wheel.now())) * 1000

    @property
    def starved_ms(self) -> float:
        """How long the listener had nothing to play between packets."""
        return self._starved_s * 1000

    def push(self, packets: Iterable[bytes]) -> None:
        """Queue packets; those within the lead leave before this returns. After `close` they are dropped.

        Raises:
            Overloaded: the queue would grow beyond two minutes; `await room()` before making more.
        """
        if self._closed:
            return
        self._queue.extend(packets)
        if self.queued_ms > MAX_QUEUED_MS:
            self._queue.clear()
            raise Overloaded(f"more than {MAX_QUEUED_MS / 1000:.0f} s of speech wait to be sent")
        self._advance(self._wheel.now(), 0.0)

    def retract(self, packets: int) -> int:
        """Take back what was pushed last, up to so many packets, as far as it was not sent. Returns how many."""
        count = min(packets, len(self._queue))
        del self._queue[len(self._queue) - count :]
        self._wake()
        return count

    def hold(self, delay_ms: float) -> None:
        """Send nothing for the next `delay_ms` (firmware resets its decoder after `tts start`)."""
        self._not_before_s = self._wheel.now() + delay_ms / 1000

    def pause(self) -> None:
        """Stop sending; the listener still plays what it has."""
        self._paused = True

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False
        self._not_before_s = max(self._not_before_s, self._wheel.now())
        self._advance(self._wheel.now(), 0.0)

    def clear(self) -> int:
        """Drop what is queued, and what is sent but not yet played: the listener was told to stop.

        `played_ms` stays where it is and any `when_played` is forgotten. Returns the number of packets not sent.
        """
        dropped = len(self._queue)
        self._queue.clear()
        self._sent_s = self.played_ms / 1000
        self._playout_end_s = -math.inf
        self._played = None
        self._tick = None
        self._wake()
        return dropped

    def close(self) -> None:
        """Clear, and take no more. May be called twice."""
        if not self._closed:
            self.clear()
            self._closed = True

    def when_played(self, callback: Callable[[], None], *, margin_ms: float = 0.0) -> None:
        """Call once, when everything queued has been sent and played, `margin_ms` after; replaces an earlier one.

        Packets pushed before that put it off.
        """
        if not self._closed:
            self._played = (callback, margin_ms / 1000)
            self._plan(self._wheel.now())

    async def room(self, below_ms: float = 10_000.0) -> None:
        """Wait until less than `below_ms` is queued: how a slow listener slows whoever speaks."""
        if self.queued_ms >= below_ms and not self._closed:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append((below_ms, waiter))
            await waiter

    def serve(self, tick: int, now: float) -> None:
        """The wheel's call when `tick` has come; `now` in seconds of the loop's clock."""
        if self._tick != tick:
            return  # planned anew for another tick, or cleared
        self._tick = None
        self._advance(now, (now - tick * self._wheel.tick_s) * 1000)

    def _advance(self, now: float, late_ms: float) -> None:
        while self._queue and self._due_s() <= now + _ROUNDING_S:
            self._send_one(now, late_ms)
        if self._waiting:
            self._wake()
        if self._played is not None and not self._queue and self._played_out_s() <= now + _ROUNDING_S:
            callback, self._played = self._played[0], None
            callback()
        self._plan(now)

    def _due_s(self) -> float:
        """When the next packet may leave: as soon as it fits into the lead."""
        if self._paused:
            return math.inf
        return max(self._playout_end_s + self._frame_s - self._lead_s, self._not_before_s)

    def _played_out_s(self) -> float:
        return self._playout_end_s + (self._played[1] if self._played else 0.0)

    def _send_one(self, now: float, late_ms: float) -> None:
        packet = self._queue.pop(0)
        if self._sent_s:
            self._starved_s += max(0.0, now - max(self._playout_end_s, self._not_before_s))
        self._playout_end_s = max(self._playout_end_s, now) + self._frame_s
        self._sent_s += self._frame_s
        self._send(packet)
        self._sent(late_ms)

    def _plan(self, now: float) -> None:
        if self._queue:
            when = self._due_s()
        elif self._played is not None:
            when = self._played_out_s()
        else:
            return
        if when == math.inf:
            return
        tick = self._wheel.tick_at(max(when, now))
        if self._tick is None or tick < self._tick:
            self._tick = tick
            self._wheel.plan(tick, self)

    def _wake(self) -> None:
        queued = self.queued_ms
        still = []
        for below_ms, waiter in self._waiting:
            if waiter.done():
                continue
            if queued < below_ms:
                waiter.set_result(None)
            else:
                still.append((below_ms, waiter))
        self._waiting = still
