"""What the life of the application means for the line: a heartbeat that slows down while it is paused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from lumi.client.connection_service import ConnectionService
from lumi.client.state_machine import Phase
from lumi.errors import NetworkError
from lumi.protocol.messages import Ping

HEARTBEAT_S = 30.0
PAUSED_HEARTBEAT_S = 120.0
ANSWER_S = 10.0
"""How long a server may take for a sign of life; a line without one is dead, whatever the system says of it."""

_log = logging.getLogger("lumi.client.lifecycle")


class LifecycleManager:
    """Told by the application when it goes to the background (`paused`) and comes back (`resumed`).

    Args:
        service: the line.
        reconnect: called where `resumed` finds no line: starts to reconnect, or cuts short the wait for the next try.
        heartbeat_s: between two pings.
        paused_heartbeat_s: the same while the application is paused; the line is kept.
        answer_s: how long the answer to a ping may take. It is waited for only where the server has ever answered.
    """

    def __init__(
        self,
        service: ConnectionService,
        reconnect: Callable[[], None],
        *,
        heartbeat_s: float = HEARTBEAT_S,
        paused_heartbeat_s: float = PAUSED_HEARTBEAT_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._service = service
        self._reconnect = reconnect
        self._heartbeat_s = heartbeat_s
        self._paused_heartbeat_s = paused_heartbeat_s
        self._answer_s = answer_s
        self._is_paused = False
        self._answers = False
        self._asked_s = 0.0
        self._changed = asyncio.Event()

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    @property
    def heartbeat_s(self) -> float:
        """Seconds between two pings as things stand."""
        return self._paused_heartbeat_s if self._is_paused else self._heartbeat_s

    def paused(self) -> None:
        """The application went to the background: the line stays, the heartbeat slows down."""
        self._is_paused = True
        self._changed.set()

    async def resumed(self) -> None:
        """The application is back: see whether the line still stands, and reconnect where it does not."""
        self._is_paused = False
        self._changed.set()
        if self._service.machine.phase is Phase.READY:
            await self.check()
        else:
            self._reconnect()

    async def run(self, *, answers: bool = False) -> None:
        """Ping for as long as one line lives. `answers`: this server is known to answer, before it ever has."""
        self._answers = self._answers or answers
        self._asked_s = asyncio.get_running_loop().time()
        while True:
            await self._until_due()
            await self.check()

    async def check(self) -> bool:
        """Ask for a sign of life; a line that gives none is dropped (False)."""
        service = self._service
        heard = service.frames_heard
        self._asked_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._answer_s):
                await service.send_message(Ping())
                while service.frames_heard == heard:
                    await service.hear()
        except TimeoutError:
            if not self._answers:
                return service.is_connected  # it may be a server that does not know `ping`
            _log.info("no sign of life within %g s", self._answer_s)
            await service.drop(f"the server gave no sign of life within {self._answer_s:g} s")
            return False
        except NetworkError:
            return False
        self._answers = True
        return True

    async def _until_due(self) -> None:
        clock = asyncio.get_running_loop().time
        while (left_s := self._asked_s + self.heartbeat_s - clock()) > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._changed.wait()
            except TimeoutError:
                return
