"""The client over bad lines, against a whole server in memory, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lumi.client.client import connect
from lumi.client.events import Audio
from lumi.client.reconnection import ReconnectPolicy
from lumi.client.state_machine import Phase
from lumi.client.task_scope import TaskScope
from lumi.errors import ConnectFailed
from lumi.protocol.messages import LlmEmotion, Response
from lumi.store.memory import MemoryStore
from lumi.testing import Faults, FaultyLink, ScriptedLlm, echo, tone
from lumi.testing.fault_proxy import Cut, FaultProxy, Way
from lumi.testing.rehearsal import Rehearsal
from lumi.transport.base import Link, LinkInfo
from lumi.transport.memory import memory_link_pair

STEPS = ReconnectPolicy(tries=None)


class Road:
    """The way to a server that may be cut, closed and led elsewhere."""

    def __init__(self, rehearsal: Rehearsal | None, faults: Any = None) -> None:
        self.rehearsal = rehearsal
        self.links: list[FaultyLink] = []
        self._faults = faults or (lambda _number: Faults())

    async def connect(self, url: str, *, headers: Mapping[str, str]) -> Link:
        if self.rehearsal is None:
            raise ConnectFailed("nobody is there")
        client, server = memory_link_pair(LinkInfo())
        self.rehearsal._tasks.create_task(self.rehearsal.gateway.serve(server), name="served link")
        link = FaultyLink(client, self._faults(len(self.links)))
        self.links.append(link)
        return link

    def cut(self) -> None:
        self.links[-1].cut()


def joined(road: Road, **options: Any) -> Any:
    defaults: dict[str, Any] = {"device_id": "me", "reconnect": STEPS}
    return connect("ws://x/", connector=road.connect, **(defaults | options))


async def test_a_session_is_resumed():
    async with Rehearsal() as rehearsal:
        road = Road(rehearsal)
        async with joined(road) as client:
            session_id = client.session_id
            assert client.features.resume
            states = client.states()
            road.cut()
            assert [(await anext(states)).phase for _ in range(5)] == [
                Phase.ERROR,
                Phase.CONNECTING,
                Phase.CONNECTED,
                Phase.HANDSHAKING,
                Phase.READY,
            ]
            assert client.session_id == session_id
            assert (await client.chat("hello")).content


async def test_a_chat_is_answered_over_a_lost_line_by_one_generation():
    llm = ScriptedLlm(echo, delay_s=5)
    async with Rehearsal(llm=llm) as rehearsal:
        road = Road(rehearsal)
        async with joined(road) as client:
            events = client.events()
            asking = asyncio.create_task(client.chat("hello"))
            await asyncio.sleep(1)
            road.cut()
            reply = await asking
            told = [await anext(events) for _ in range(2)]
            assert [type(event) for event in told] == [LlmEmotion, Response]
            assert [event.content for event in told if isinstance(event, Response)] == [reply.content]
            assert llm.calls == 1
            assert len(road.links) == 2


async def test_what_was_answered_while_we_were_away_comes_once():
    async with Rehearsal(llm=ScriptedLlm(echo, delay_s=1)) as rehearsal:
        road = Road(rehearsal)
        async with joined(road, reconnect=ReconnectPolicy(tries=None, first_s=20)) as client:
            events = client.events()
            asking = asyncio.create_task(client.chat("hello"))
            await asyncio.sleep(0.5)
            road.cut()
            reply = await asking
            await asyncio.sleep(10)
            await client.close()
            assert [event async for event in events] == [reply]


async def test_a_chat_waits_for_a_server_that_starts_later(tmp_path: Path):
    road = Road(None)
    async with joined(road, queue_path=tmp_path / "queue", wait_ready=False) as client:
        asking = asyncio.create_task(client.chat("hello"))
        await asyncio.sleep(600)
        assert client.unanswered == 1
        assert client.retry_in_s is not None
        assert isinstance(client.last_error, ConnectFailed)
        async with Rehearsal(llm=ScriptedLlm(echo)) as rehearsal:
            road.rehearsal = rehearsal
            reply = await asking
            assert "hello" in reply.content
            assert client.unanswered == 0
            assert client.last_error is None
            await client.close()


async def test_a_server_that_was_started_anew_goes_on(tmp_path: Path):
    store = MemoryStore()
    llm = ScriptedLlm(echo)
    road = Road(None)
    async with joined(road, queue_path=tmp_path / "queue", wait_ready=False) as client:
        replies = []
        for round_number in range(3):
            async with Rehearsal(llm=llm, store=store) as rehearsal:
                road.rehearsal = rehearsal
                replies.append(await client.chat(f"number {round_number}"))
                session_id = client.session_id
                road.rehearsal = None
                await rehearsal.gateway.drain(1)
        assert [f"number {n}" in reply.content for n, reply in enumerate(replies)] == [True] * 3
        assert session_id
        assert llm.calls == 3
        await client.close()


async def test_many_cuts_and_no_word_lost(tmp_path: Path):
    """Each line is cut after a few frames, in either direction: every chat gets its one answer, in order."""
    chance = random.Random(12)

    def faults(_number: int) -> Faults:
        return Faults(
            cut_after_sent=chance.randrange(12),
            cut_after_received=chance.randrange(14),
            send_delay_s=chance.choice([0, 0.01]),
        )

    llm = ScriptedLlm(echo, delay_s=0.3)
    async with Rehearsal(llm=llm) as rehearsal:
        road = Road(rehearsal, faults)
        policy = ReconnectPolicy(first_s=0.1, cap_s=1, tries=None)
        async with joined(road, reconnect=policy, queue_path=tmp_path / "queue") as client:
            events = client.events()
            number = 0
            while len(road.links) < 120:
                replies = await asyncio.gather(*(client.chat(f"<{number + k}>") for k in range(5)))
                assert [f"<{number + k}>" in reply.content for k, reply in enumerate(replies)] == [True] * 5
                number += 5
            await client.close()
            history = [event.content async for event in events if isinstance(event, Response)]
        assert len(history) == number
        assert all(f"<{n}>" in content for n, content in enumerate(history))
        assert llm.calls == number


async def test_a_spoken_answer_cut_off_by_a_lost_line_comes_as_text():
    async with Rehearsal(llm=ScriptedLlm(lambda _: "One. Two. Three.")) as rehearsal:
        road = Road(rehearsal, lambda number: Faults() if number else Faults(cut_after_received=8))
        async with joined(road) as client:
            start_s = asyncio.get_running_loop().time()
            reply = await client.ask(tone(500), rate_hz=16_000)
            assert (reply.transcript, reply.text) == ("what time is it", "One. Two. Three.")
            assert asyncio.get_running_loop().time() - start_s < 10
            assert len(road.links) == 2


async def test_chats_sent_again_and_again_do_not_fill_the_servers_queue():
    llm = ScriptedLlm(echo, delay_s=10)
    async with Rehearsal(llm=llm) as rehearsal:
        road = Road(rehearsal)
        async with joined(road) as client, asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(client.chat(f"<{n}>", timeout_s=600)) for n in range(12)]
            for _ in range(5):
                await asyncio.sleep(1.5)
                road.cut()
        assert [f"<{n}>" in one.result().content for n, one in enumerate(asked)] == [True] * 12
        assert llm.calls == 12


async def test_a_line_that_falls_silent_before_it_was_ever_asked_is_found_out():
    async with Rehearsal(llm=ScriptedLlm(echo)) as rehearsal:
        proxy = FaultProxy(
            rehearsal.link, lambda number: None if number else Cut(Way.UP, frame=2, lost=True, silent=True)
        )
        async with connect(
            "ws://x/", connector=proxy.connect, device_id="me", reconnect=STEPS, wait_ready=False
        ) as client:
            start_s = asyncio.get_running_loop().time()
            assert "hello" in (await client.chat("hello", timeout_s=600)).content
            assert asyncio.get_running_loop().time() - start_s < 45
        proxy.cut_all()


@pytest.mark.parametrize(("away_s", "same"), [(540, True), (1800, False)])
async def test_after_the_window_a_new_session_begins_and_the_queue_still_goes_out(away_s: float, same: bool):
    async with Rehearsal(llm=ScriptedLlm(echo)) as rehearsal, TaskScope() as tasks:
        tasks.start(rehearsal.sessions.sweep(), name="sweep")
        road = Road(rehearsal)
        async with joined(road) as client:
            await client.chat("one")
            before = client.session_id
            road.rehearsal = None
            road.cut()
            await asyncio.sleep(1)
            asking = asyncio.create_task(client.chat("two", timeout_s=3600))
            await asyncio.sleep(away_s)
            road.rehearsal = rehearsal
            assert "two" in (await asking).content
            assert (client.session_id == before) is same


async def test_a_spoken_answer_that_was_cut_off_comes_in_writing():
    async with Rehearsal(
        llm=ScriptedLlm({"what time is it": "It is noon. Time to eat. Enjoy."})
    ) as rehearsal:
        road = Road(rehearsal)
        async with joined(road) as client:
            events = client.events()
            asking = asyncio.create_task(client.ask(tone(500), rate_hz=16_000))
            async for event in events:
                if isinstance(event, Audio):
                    break
            road.cut()
            reply = await asking
            assert (reply.transcript, reply.text) == ("what time is it", "It is noon. Time to eat. Enjoy.")
            assert reply.first_audio_ms is not None


async def test_a_client_that_leaves_lets_go_of_its_session():
    async with Rehearsal() as rehearsal, joined(Road(rehearsal)) as client:
        assert len(rehearsal.sessions) == 1
        await client.close()
        await asyncio.sleep(1)
        assert len(rehearsal.sessions) == 0


async def test_a_note_said_offline_is_answered_later():
    async with Rehearsal(llm=ScriptedLlm(echo)) as rehearsal:
        road = Road(None)
        async with joined(road, wait_ready=False) as client:
            events = client.events()
            note_id = await client.leave_note(tone(500), 16_000)
            await asyncio.sleep(30)
            road.rehearsal = rehearsal
            async for event in events:
                if isinstance(event, Response):
                    break
            assert event.id == note_id
            assert client.unanswered == 0
