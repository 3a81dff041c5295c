"""What came from the server, on its way to the application: waiters, steps, listeners."""

from __future__ import annotations

import asyncio

from lumi.client.broadcast import Broadcast, Subscription
from lumi.client.chat_outbox import ChatOutbox
from lumi.client.downlink import Downlink
from lumi.client.events import Audio, Event, Incoming, LinkClosed
from lumi.client.message_pipeline import MessagePipeline
from lumi.client.resumption import Resumption
from lumi.errors import LumiError
from lumi.protocol.handshake import audio_format
from lumi.protocol.messages import (
    AudioFrame,
    AudioParams,
    Error,
    Notify,
    Response,
    ServerHello,
    Stt,
    Tts,
    TtsState,
)


def is_sound(event: Event) -> bool:
    """What an application that lags may lose."""
    return isinstance(event, Audio)


class Inbox:
    """Runs the pipeline over one client's messages, line after line: what was seen before is dropped, sound is
    decoded, answers find who waits for them, and everything else goes to all listeners.

    Args:
        resumption: counts the events.
        outbox: whose answers come here.
    """

    def __init__(self, resumption: Resumption, outbox: ChatOutbox) -> None:
        self.resumption = resumption
        self.outbox = outbox
        self.pipeline = MessagePipeline(self._forward, parse=self._decode)
        self.pipeline.add_step(ServerHello, resumption.greeted)
        self.pipeline.add_step(ServerHello, self._greeted)
        self.pipeline.add_step(Response, resumption.count)
        self.pipeline.add_step(Response, outbox.answered)
        self.pipeline.add_step(Error, self._refused)
        self.pipeline.add_step(Error, outbox.failed)
        self.pipeline.add_step(Notify, resumption.count)
        self.pipeline.add_step(Stt, resumption.count)
        self.pipeline.add_step(Tts, self._spoken)
        self._events: Broadcast[Event] = Broadcast(may_drop=is_sound)
        self._downlink: Downlink | None = None
        self._turn_id: str | None = None
        self._closed = LinkClosed(1006)
        self._closings = asyncio.Event()

    def events(self) -> Subscription[Event]:
        return self._events.subscribe()

    async def run(self, incoming: Subscription[Incoming]) -> None:
        """Process what comes, on all lines, until the stream ends."""
        while (closed := await self.pipeline.run(incoming)) is not None:
            self._downlink = self._turn_id = None
            self._closed = closed
            self._closings.set()

    async def closed(self, link: int) -> LinkClosed:
        """Wait until this link has closed and everything that came on it was processed."""
        while self._closed.link < link:
            self._closings.clear()
            await self._closings.wait()
        return self._closed

    def finish(self, error: LumiError | None) -> None:
        """There will be no more lines: end all listeners' streams, with `error` or without."""
        self._events.close(error)

    def _forward(self, event: Event) -> None:
        self._events.publish(event)

    def _decode(self, frame: AudioFrame) -> Audio:
        if self._downlink is None:
            return Audio(frame.payload, turn_id=self._turn_id)
        return self._downlink.decode(frame, self._turn_id)

    async def _greeted(self, hello: ServerHello) -> None:
        """From here on the server sends what its hello says. No event: the application comes after it."""
        self._downlink = Downlink(audio_format(hello.audio_params or AudioParams()))

    async def _refused(self, error: Error) -> Error | None:
        """Before the server's hello an error is about ours: that is the handshake's matter, not the application's."""
        return None if self._downlink is None else error

    async def _spoken(self, tts: Tts) -> Tts:
        if tts.state is TtsState.START:
            self._turn_id = tts.turn_id if isinstance(tts.turn_id, str) else None
            if self._downlink is not None:
                self._downlink.reset()
        return tts
