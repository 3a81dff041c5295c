"""What was said without a line is heard and answered later, by the real sessions, turns and codecs, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from lumi.audio.format import duration_ms
from lumi.client.client import Client, connect
from lumi.client.events import Event
from lumi.errors import AudioError, ConnectFailed
from lumi.protocol.messages import Response, Stt
from lumi.testing import Faults, FaultyLink, ScriptedStt, tone
from lumi.testing.rehearsal import Rehearsal
from lumi.transport.base import Link, LinkInfo
from lumi.transport.memory import memory_link_pair


class Road:
    """The way to a rehearsal's server; closed at first. What is in `cuts` says after how many frames each link that is
    opened breaks.
    """

    def __init__(self, rehearsal: Rehearsal, tasks: asyncio.TaskGroup) -> None:
        self.open = asyncio.Event()
        self.cuts: list[int] = []
        self.opened = 0
        self._rehearsal = rehearsal
        self._tasks = tasks

    async def connector(self, url: str, *, headers: Mapping[str, str]) -> Link:
        if not self.open.is_set():
            raise ConnectFailed("no road")
        client, server = memory_link_pair(LinkInfo())
        self._tasks.create_task(self._rehearsal.gateway.serve(server))
        self.opened += 1
        faults = Faults(cut_after_sent=self.cuts.pop(0)) if self.cuts else Faults()
        return FaultyLink(client, faults)


@asynccontextmanager
async def travelling(stt: ScriptedStt) -> AsyncIterator[Road]:
    async with Rehearsal(stt=stt) as rehearsal, asyncio.TaskGroup() as tasks:
        yield Road(rehearsal, tasks)


def dial(road: Road, path: Path) -> AbstractAsyncContextManager[Client]:
    return connect("ws://x/", device_id="d", connector=road.connector, queue_path=path, wait_ready=False)


async def both_parts(client: Client, note_id: str) -> tuple[Stt, Response]:
    """What was understood, and what was answered."""
    found: list[Event] = []
    async with asyncio.timeout(120):
        async for event in client.events():
            if isinstance(event, Stt | Response) and event.id == note_id:
                found.append(event)
            if len(found) == 2:
                break
    stt, response = found
    assert isinstance(stt, Stt)
    assert isinstance(response, Response)
    return stt, response


async def test_a_note_left_offline_is_heard_whole_and_answered_in_its_place(tmp_path: Path):
    stt = ScriptedStt(["remind me of the tea"])
    async with (
        travelling(stt) as road,
        dial(road, tmp_path / "q.db") as client,
    ):
        note_id = await client.leave_note(tone(24_000), 16_000)
        asking = asyncio.create_task(client.chat("and after it"))
        await asyncio.sleep(30)
        assert client.unanswered == 2
        answers = asyncio.create_task(both_parts(client, note_id))
        road.open.set()
        heard, answered = await answers
        assert heard.text == "remind me of the tea"
        assert answered.content.startswith("You said: remind me of the tea")
        assert (await asking).content.startswith("You said: and after it")
        await asyncio.sleep(1)
        assert client.unanswered == 0
    assert len(stt.heard) == 1
    assert duration_ms(stt.heard[0], 16_000) == 24_000, "not one of 400 packets was dropped on the way"


async def test_it_survives_the_program_and_a_line_that_breaks_under_it(tmp_path: Path):
    stt = ScriptedStt(["remind me of the tea"])
    path = tmp_path / "q.db"
    async with travelling(stt) as road:
        async with dial(road, path) as client:
            note_id = await client.leave_note(tone(6_000), 16_000)
            await asyncio.sleep(1)
        async with dial(road, path) as again:
            assert again.unanswered == 1
            answers = asyncio.create_task(both_parts(again, note_id))
            await asyncio.sleep(0)
            road.cuts = [2, 60, 101]
            road.open.set()
            _, response = await answers
            assert response.content.startswith("You said: remind me")
            await asyncio.sleep(1)
            assert again.unanswered == 0
    assert road.opened == 4
    assert [duration_ms(pcm, 16_000) for pcm in stt.heard] == [6_000]


async def test_a_note_that_nobody_could_answer_is_not_kept(tmp_path: Path):
    async with (
        travelling(ScriptedStt()) as road,
        dial(road, tmp_path / "q.db") as client,
    ):
        with pytest.raises(AudioError, match="may last 60 s"):
            await client.leave_note(tone(61_000), 16_000)
        with pytest.raises(AudioError, match="no sound"):
            await client.leave_note(b"", 16_000)
        assert client.unanswered == 0
