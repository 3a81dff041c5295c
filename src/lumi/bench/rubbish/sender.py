"""Connections that send rubbish to a server and count what they are told: `python -m lumi.bench.rubbish.sender JOB.json`.

Beside each socket stands an end of the protocol of our own that is fed the same frames: it knows of which frames the
server has to complain. Ends by itself; the result is one JSON object on standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import msgspec

from lumi.bench.load import new_loop
from lumi.bench.rubbish.decoder import FRAMINGS, opened
from lumi.bench.rubbish.frames import Rubbish
from lumi.errors import ConnectionLost, NetworkError
from lumi.protocol.messages import Fault
from lumi.transport.base import Link
from lumi.transport.websocket import connect

PATIENCE_S = 20.0
STILL_THERE = "still-there"
HELLO = '{"type":"hello","id":"h","device_id":"%s"}'


class Job(msgspec.Struct, frozen=True):
    """What to send, altogether, and how fast."""

    url: str
    frames: int
    per_second: float
    connections: int
    seed: int
    longest_s: float = 3_600.0


class Sent(msgspec.Struct, frozen=True):
    """What came of it.

    `errors`: those the server named. `untold`: frames without sense that nobody complained of. `problems`: what must
    not happen at all.
    """

    frames: int
    errors: dict[str, int]
    closed: dict[str, int]
    untold: int
    seconds: float
    problems: list[str]


class Tally:
    """What all connections of one run met."""

    def __init__(self) -> None:
        self.frames = 0
        self.errors: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.untold = 0
        self.problems: list[str] = []


class Sender:
    """One connection after the other, each until the server ends it, `frames` in all."""

    def __init__(self, job: Job, number: int, tally: Tally) -> None:
        self._job = job
        self._name = f"rubbish-{number}"
        self._frames = job.frames // job.connections
        self._interval_s = job.connections / job.per_second
        self._rubbish = Rubbish(job.seed * 1_000 + number)
        self._headers = {name: value for name, value in FRAMINGS[number % 3].items() if name != "from"}
        self._tally = tally
        self._sent = 0
        self._owed = 0
        self._told = 0
        self._answers: asyncio.Queue[float] = asyncio.Queue()
        self._until_s = asyncio.get_running_loop().time() + job.longest_s

    @property
    def _in_time(self) -> bool:
        return asyncio.get_running_loop().time() < self._until_s

    async def run(self) -> None:
        """Send them all."""
        while self._sent < self._frames and self._in_time:
            try:
                link = await connect(self._job.url, {"Device-Id": self._name, **self._headers})
            except NetworkError as error:
                self._tally.problems.append(f"{self._name}: {error}")
                return
            await self._connection(link)
            await link.close()

    async def _connection(self, link: Link) -> None:
        self._owed = self._told = 0
        self._answers = asyncio.Queue()
        hearing: asyncio.Task[None] | None = None
        try:
            await link.send(HELLO % self._name)
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(self._hear(link))
                await self._send(link)
                await self._ask_whether_it_is_still_there(link)
                hearing.cancel()
            self._tally.untold += max(0, self._owed - self._told)
        except* ConnectionLost as group:
            lost = group.exceptions[0]
            self._tally.closed[str(getattr(lost, "code", ""))] += 1

    async def _send(self, link: Link) -> None:
        """Until all are sent, or the server is to end this connection for what it got."""
        judge = opened(self._headers)
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while self._sent < self._frames and self._in_time:
            frame = self._rubbish.sendable()
            await link.send(frame)
            self._sent += 1
            self._tally.frames += 1
            for event in judge.receive(frame):
                if isinstance(event, Fault):
                    self._owed += event.reply is not None
                    if event.fatal_close is not None:
                        await asyncio.sleep(PATIENCE_S)  # until the server's close ends this, too
            due_s += self._interval_s
            await asyncio.sleep(due_s - loop.time())

    async def _ask_whether_it_is_still_there(self, link: Link) -> None:
        """Until there is a pong: who has sent too much is told to ask later."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    await link.send(json.dumps({"type": "ping", "id": STILL_THERE}))
                    retry_s = await self._answers.get()
                    if not retry_s:
                        return
                    await asyncio.sleep(retry_s)
        except TimeoutError:
            self._tally.problems.append(f"{self._name}: no pong within {PATIENCE_S:g} s")

    async def _hear(self, link: Link) -> None:
        while True:
            frame = await link.receive()
            if not isinstance(frame, str):
                continue
            message = json.loads(frame)
            if message.get("id") == STILL_THERE:
                self._answers.put_nowait(message.get("retry_after", 0.0))
            elif message["type"] == "error":
                self._told += 1
                self._tally.errors[message["error_code"]] += 1
                if message["error_code"] == "internal":
                    self._tally.problems.append(f"{self._name}: {message['error_message']}")


async def send(job: Job) -> Sent:
    """Run all connections."""
    tally, loop = Tally(), asyncio.get_running_loop()
    began_s = loop.time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(job.connections):
            tasks.create_task(Sender(job, number, tally).run())
    return Sent(
        tally.frames,
        dict(tally.errors.most_common()),
        dict(tally.closed.most_common()),
        tally.untold,
        loop.time() - began_s,
        tally.problems,
    )


def main(job_file: str) -> None:
    """Run one job."""
    job = msgspec.json.decode(Path(job_file).read_bytes(), type=Job)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        sys.stdout.write(msgspec.json.encode(runner.run(send(job))).decode() + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
