"""What leaves for one client: messages at once, speech in order and in real time.

Speech is bounded by whoever makes it waiting in `sentence` and `packets`; messages are bounded by the link's own queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lumi.audio.pacer import Pacer
from lumi.protocol.messages import AudioFrame, Message
from lumi.server.latch import Latch
from lumi.voice.sentences import played_part

NEXT_SENTENCE_BELOW_MS = 2_000.0
"""A new sentence is taken when less than this of the last one waits: enough to never run dry, little to throw away."""

LONGEST_SENTENCE_MS = 30_000.0
"""More of one sentence than this waits outside."""

Send = Callable[[Message | AudioFrame], None]


@dataclass(slots=True)
class SpokenSentence:
    """A sentence of the present turn and where in its speech it lies, in milliseconds."""

    text: str
    start_ms: float
    length_ms: float = 0.0


class Outbox:
    """One client's outgoing side. All of it runs on the loop; `send` enqueues and never waits."""

    def __init__(
        self, send: Send, pacer: Pacer, *, frame_ms: float, lead_ms: float, gap_ms: float, margin_ms: float
    ) -> None:
        self._send = send
        self._frame_ms = frame_ms
        self._gap_ms = gap_ms
        self._margin_ms = margin_ms
        self._stream = pacer.open(self._send_packet, frame_ms, lead_ms)
        self._sentences: list[SpokenSentence] = []
        self._between: list[tuple[float, Message]] = []  # messages and the ms of speech they follow
        self._base_ms = 0.0
        self._pushed_ms = 0.0
        self._sequence = 0
        self._report: tuple[float, float] | None = None
        self._done = Latch()
        self._cuts = 0

    def post(self, message: Message) -> None:
        """Send a message now, whatever is being spoken."""
        self._send(message)

    def begin(self, start: Message) -> None:
        """Open a spoken turn: its first message goes out, its first packet a little later."""
        self._sentences = []
        self._pushed_ms = 0.0
        self._base_ms = self._stream.played_ms
        self._report = None
        self._done = Latch()
        self._send(start)
        self._stream.hold(self._gap_ms)

    async def sentence(self, text: str, start: Message) -> None:
        """Begin a sentence; its message goes out just before its first packet."""
        if not await self._room(NEXT_SENTENCE_BELOW_MS):
            return
        self._sentences.append(SpokenSentence(text, self._pushed_ms))
        self.follow(start)

    async def packets(self, packets: Sequence[bytes]) -> None:
        """Queue packets of the sentence begun last."""
        if not await self._room(LONGEST_SENTENCE_MS):
            return
        length_ms = len(packets) * self._frame_ms
        if self._sentences:
            self._sentences[-1].length_ms += length_ms
        self._pushed_ms += length_ms
        self._stream.push(packets)

    def again(self) -> None:
        """The sentence begun last is spoken anew: what of it was not sent yet is dropped."""
        if self._sentences:
            sentence = self._sentences[-1]
            waiting = self._stream.retract(round(sentence.length_ms / self._frame_ms))
            self._pushed_ms -= waiting * self._frame_ms
            sentence.start_ms, sentence.length_ms = self._pushed_ms, 0.0

    def follow(self, message: Message) -> None:
        """Send a message when all the speech queued so far has been sent."""
        if self._stream.queued_ms > 0:
            self._between.append((self._pushed_ms, message))
        else:
            self._send(message)

    async def played_out(self) -> None:
        """Return when the turn has been played and the loudspeaker's margin has passed, or the client said so."""
        if self._pushed_ms > 0:
            self._stream.when_played(self._done.set, margin_ms=self._margin_ms)
            await self._done.wait()

    def played(self, ms: float, *, final: bool) -> None:
        """The client's own word on how much of the turn it has played."""
        self._report = (ms, asyncio.get_running_loop().time())
        if final and self._stream.queued_ms == 0:
            self._done.set()

    @property
    def heard_ms(self) -> float:
        """How much of the present turn has been heard by now."""
        paced_ms = self._stream.played_ms - self._base_ms
        if self._report is None:
            return paced_ms
        ms, at = self._report
        since_ms = (asyncio.get_running_loop().time() - at) * 1000
        return min(ms + since_ms, paced_ms)

    def heard_text(self) -> str:
        """The words of the present turn that have been heard by now."""
        heard_ms = self.heard_ms
        parts = (played_part(s.text, heard_ms - s.start_ms, s.length_ms) for s in self._sentences)
        return " ".join(part for part in parts if part)

    def pause(self) -> None:
        """Hold speech back; the client still plays what it has."""
        self._stream.pause()

    def resume(self) -> None:
        """Go on where it was held back."""
        self._stream.resume()

    def cut(self) -> None:
        """Drop all speech and what was to follow it: not one more packet goes out."""
        self._cuts += 1
        self._stream.clear()
        self._stream.resume()
        self._between.clear()
        self._done.set()

    def close(self) -> None:
        self.cut()
        self._stream.close()

    async def _room(self, below_ms: float) -> bool:
        """Wait for room. False: the speech was cut meanwhile, and whoever waited has nothing to say any more."""
        cuts = self._cuts
        await self._stream.room(below_ms)
        return cuts == self._cuts

    def _send_packet(self, packet: bytes) -> None:
        sent_ms = self._stream.sent_ms - self._base_ms
        self._send(AudioFrame(packet, timestamp_ms=int(self._stream.sent_ms), sequence=self._sequence))
        self._sequence += 1
        while self._between and self._between[0][0] <= sent_ms + 0.5:
            self._send(self._between.pop(0)[1])
