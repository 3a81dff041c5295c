"""Keeps a line to the server: connects, tries again, tells the model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from lumi.client.broadcast import Subscription
from lumi.client.client import Client
from lumi.client.reconnection import backoff, is_retryable, retry_after_s
from lumi.client.state_machine import ConnectionState, StateMachine
from lumi.client.task_scope import TaskScope
from lumi.errors import LumiError
from lumi.tui.model import Model

Dial = Callable[[StateMachine], AbstractAsyncContextManager[Client]]
"""Opens a conversation and shows its way there in the machine: `lumi.client.client.connect(…, machine=machine)`."""

Use = Callable[[Client], Awaitable[None]]
"""Does what is to be done on one line; returns or raises when the line is gone."""


class Line:
    """One client after another, for as long as `run` runs. Waits 1, 2, 4 … 60 s between tries, for ever; after a
    line that was ready the waits begin anew. What trying again cannot mend waits for `again`.
    """

    def __init__(self, dial: Dial, use: Use, model: Model) -> None:
        self._dial = dial
        self._use = use
        self._model = model
        self._again = asyncio.Event()

    def again(self) -> None:
        """Try now, whatever was planned."""
        self._again.set()

    async def run(self) -> None:
        waits = backoff(tries=None)
        while True:
            self._again.clear()
            was_ready, error = await self._try()
            if was_ready:
                waits = backoff(tries=None)
            if error is not None and not is_retryable(error):
                await self._again.wait()
                continue
            asked_s = retry_after_s(error) if error is not None else None
            await self._wait(max(next(waits), asked_s or 0.0))

    async def _try(self) -> tuple[bool, LumiError | None]:
        """One line from its beginning to its end: whether it ever was ready, and what ended it."""
        machine = StateMachine()
        states = machine.listen()
        was_ready = False
        async with TaskScope() as tasks:
            following = tasks.start(self._follow(states), name="connection states")
            try:
                async with self._dial(machine) as client:
                    was_ready = True
                    await self._use(client)
            except LumiError as error:
                self._model.attempt_failed(error)
                return was_ready, error
            finally:
                machine.close()  # the dialler does so too, if it came so far
                await following
        return was_ready, None

    async def _follow(self, states: Subscription[ConnectionState]) -> None:
        async for state in states:
            self._model.connection(state)

    async def _wait(self, seconds: float) -> None:
        clock = asyncio.get_running_loop().time
        self._model.retry(seconds, clock())
        try:
            async with asyncio.timeout(seconds):
                await self._again.wait()
        except TimeoutError:
            pass
        finally:
            self._model.retry(None, clock())
