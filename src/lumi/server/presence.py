"""Whether anybody is there, and the way to them."""

from __future__ import annotations

from collections.abc import Callable

from lumi.protocol.messages import AudioFrame, Message
from lumi.server.outbox import Send


class Presence:
    """One session's client: connected or not, and whether it may be spoken to.

    `on_present` is called each time it has come in.
    """

    def __init__(self, on_present: Callable[[], None]) -> None:
        self._on_present = on_present
        self._send: Send | None = None
        self.here = False
        """A client is connected and may be spoken to."""
        self.listens = False
        """It has used its microphone, so it will hear what is said to it."""

    def attach(self, send: Send) -> None:
        self._send = send

    def detach(self) -> None:
        self._send = None
        self.here = False

    def come_in(self) -> None:
        """It may be spoken to from now on."""
        if not self.here and self._send is not None:
            self.here = True
            self._on_present()

    def send(self, message: Message | AudioFrame) -> None:
        if self._send is not None:
            self._send(message)
