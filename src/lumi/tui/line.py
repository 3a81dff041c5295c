"""Keeps a client: shows where its connection stands, and begins a new one where the old one cannot go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from lumi.client.client import Client
from lumi.errors import LumiError
from lumi.tui.model import Model

Dial = Callable[[], AbstractAsyncContextManager[Client]]
"""A client that connects, and connects again, by itself: `lumi.client.client.connect(…, wait_ready=False)`."""

Use = Callable[[Client], Awaitable[None]]
"""Does what is to be done with one client; returns or raises when it has ended."""


class Line:
    """One client after another, for as long as `run` runs. A client tries for ever; it ends only where that is
    useless (it was refused), and then the next one waits for the user.
    """

    def __init__(self, dial: Dial, use: Use, model: Model) -> None:
        self._dial = dial
        self._use = use
        self._model = model
        self._client: Client | None = None
        self._again = asyncio.Event()

    def again(self) -> None:
        """Try now, whatever was planned."""
        self._again.set()
        if self._client is not None:
            self._client.reconnect_now()

    def look(self, now_s: float) -> None:
        """Tell the model what a client does not announce: its countdown, and why its last try failed."""
        if self._client is not None:
            self._model.retry(self._client.retry_in_s, now_s)
            self._model.trouble_is(self._client.last_error)

    async def run(self) -> None:
        while True:
            self._again.clear()
            try:
                async with self._dial() as client:
                    self._client = client
                    await self._use(client)
            except LumiError as error:
                self._model.trouble_is(error)
            finally:
                self._client = None
                self._model.retry(None, 0.0)
            await self._again.wait()
