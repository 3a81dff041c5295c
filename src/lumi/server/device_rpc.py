"""Calls to one device inside `mcp` messages: each gets its one answer, or is told in time that none will come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from lumi.errors import Overloaded
from lumi.protocol import json_rpc
from lumi.protocol.json_rpc import Failure, Json, Notification, Request, Result
from lumi.protocol.messages import Mcp
from lumi.server.log import Subject, logger

ANSWER_WITHIN_S = 30.0

log = logger(Subject.SESSION)


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer came; the reason, in words."""

    reason: str
    sent: bool = True
    """The device may have heard of it."""


Answer = Result | Failure | Silence


@dataclass(slots=True)
class Waiting:
    """A call that has gone out."""

    answer: asyncio.Future[Answer]
    timer: asyncio.TimerHandle | None = None


class DeviceRpc:
    """One session's calls. `send` enqueues and never waits."""

    def __init__(self, session_id: str, send: Callable[[Mcp], None]) -> None:
        self._session_id = session_id
        self._send = send
        self._calls: json_rpc.Calls[Waiting] = json_rpc.Calls()

    def ask(self, method: str, params: Json) -> asyncio.Future[Answer]:
        """Call the device. The future always gets an answer and never an error; whoever waits may give up."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        waiting = Waiting(answer)
        try:
            number = self._calls.add(waiting)
        except Overloaded as error:
            answer.set_result(Silence(str(error), sent=False))
            return answer
        waiting.timer = loop.call_later(ANSWER_WITHIN_S, self._give_up, number)
        self._tell(json_rpc.request(number, method, params))
        return answer

    def receive(self, payload: Json) -> Notification | None:
        """Take what the device says; what it tells on its own account is given back.

        Raises:
            ProtocolError: it is no JSON-RPC.
        """
        said = json_rpc.read(payload)
        match said:
            case Notification():
                return said
            case Request(id=number, method="ping"):
                self._tell(json_rpc.result(number, {}))
            case Request(id=number, method=method):
                self._tell(json_rpc.refusal(number, json_rpc.METHOD_NOT_FOUND, f"no method {method[:80]}"))
            case Result(id=number) | Failure(id=number):
                waiting = self._calls.take(number)
                if waiting is None:
                    log.info("device answered what nobody asks", session=self._session_id, id=number)
                else:
                    self._settle(waiting, said)
        return None

    def silence(self, reason: str) -> None:
        """No answer will come any more to what was asked so far."""
        for waiting in self._calls.take_all():
            self._settle(waiting, Silence(reason))

    def _give_up(self, number: int) -> None:
        waiting = self._calls.take(number)
        if waiting is not None:
            self._settle(waiting, Silence(f"the device did not answer within {ANSWER_WITHIN_S:g} s"))

    @staticmethod
    def _settle(waiting: Waiting, answer: Answer) -> None:
        if waiting.timer is not None:
            waiting.timer.cancel()
        if not waiting.answer.done():
            waiting.answer.set_result(answer)

    def _tell(self, payload: Json) -> None:
        self._send(Mcp(payload=payload, session_id=self._session_id))
