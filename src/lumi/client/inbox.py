"""What came from the server, on its way to the application: waiters, steps, listeners."""

from __future__ import annotations

from lumi.client.broadcast import Broadcast, Subscription
from lumi.client.downlink import Downlink
from lumi.client.events import Audio, Event, Incoming
from lumi.client.handshake import closed_error
from lumi.client.message_pipeline import MessagePipeline
from lumi.client.pending_replies import PendingReplies
from lumi.errors import ConnectionLost
from lumi.protocol.handshake import audio_format
from lumi.protocol.messages import (
    AudioFrame,
    AudioParams,
    CloseCode,
    Error,
    Response,
    ServerHello,
    Tts,
    TtsState,
)


def is_sound(event: Event) -> bool:
    """What an application that lags may lose."""
    return isinstance(event, Audio)


class Inbox:
    """Runs the pipeline over one client's messages: sound is decoded, answers find who waits for them, and
    everything goes to all listeners.
    """

    def __init__(self) -> None:
        self.pending = PendingReplies()
        self.pipeline = MessagePipeline(self._forward, parse=self._decode)
        self.pipeline.add_step(ServerHello, self._greeted)
        self.pipeline.add_step(Response, self.pending.answered)
        self.pipeline.add_step(Error, self.pending.failed)
        self.pipeline.add_step(Tts, self._spoken)
        self._events: Broadcast[Event] = Broadcast(may_drop=is_sound)
        self._downlink: Downlink | None = None
        self._turn_id: str | None = None

    def events(self) -> Subscription[Event]:
        return self._events.subscribe()

    async def run(self, incoming: Subscription[Incoming]) -> None:
        """Process what comes until the line closes; then nobody waits any longer."""
        closed = await self.pipeline.run(incoming)
        error = closed_error(closed) if closed else ConnectionLost(CloseCode.DONE, "client closed")
        self.pending.fail_all(error)
        self._events.close(None if closed is None or closed.orderly else error)

    def _forward(self, event: Event) -> None:
        self._events.publish(event)

    def _decode(self, frame: AudioFrame) -> Audio:
        if self._downlink is None:
            return Audio(frame.payload, turn_id=self._turn_id)
        return self._downlink.decode(frame, self._turn_id)

    async def _greeted(self, hello: ServerHello) -> None:
        """From here on the server sends what its hello says. No event: the application comes after it."""
        self._downlink = Downlink(audio_format(hello.audio_params or AudioParams()))

    async def _spoken(self, tts: Tts) -> Tts:
        if tts.state is TtsState.START:
            self._turn_id = tts.turn_id if isinstance(tts.turn_id, str) else None
            if self._downlink is not None:
                self._downlink.reset()
        return tts
