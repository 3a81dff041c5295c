import asyncio

import pytest
from tests.server.doubles import NotedSession

from lumi.errors import Overloaded
from lumi.protocol.handshake import negotiate
from lumi.protocol.messages import ClientHello, CloseCode, Features
from lumi.server.session_manager import SessionManager
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock

HELLO = ClientHello(id="h")
AGREEMENT = negotiate(HELLO, headers={}, query={}, offered=Features())


def opened(
    manager: SessionManager, session_id: str, device_id: str = "d", hang_up=lambda _code, _reason: None
) -> NotedSession:
    session = manager.open(session_id, device_id, AGREEMENT, HELLO, hang_up)
    assert isinstance(session, NotedSession)
    return session


async def test_sessions_are_found_by_id_and_by_device_newest_first():
    async with SessionManager(NotedSession, MemoryStore(), WallClock(), max_sessions=5) as manager:
        a, b, c = opened(manager, "a"), opened(manager, "b"), opened(manager, "c", "other")
        assert manager.get("a") is a
        assert manager.get("zzz") is None
        assert manager.of_device("d") == (b, a)
        assert manager.of_device("other") == (c,)
        assert len(manager) == 3
        await manager.close("a", "done")
        await manager.close("a", "done")
        assert manager.of_device("d") == (b,)
        await manager.close("c", "done")
        assert manager.of_device("other") == ()
        assert a.noted == ["closed: done"]
        assert list(manager.visitors) == ["other", "d"]


async def test_leaving_closes_every_session_and_waits_for_it():
    async with SessionManager(NotedSession, MemoryStore(), WallClock(), max_sessions=5) as manager:
        sessions = [opened(manager, name) for name in "abc"]
    assert len(manager) == 0
    assert all(session.noted == ["closed: server going away"] for session in sessions)


async def test_one_more_than_there_may_be_is_told_to_come_back():
    async with SessionManager(NotedSession, MemoryStore(), WallClock(), max_sessions=1) as manager:
        opened(manager, "a")
        with pytest.raises(Overloaded, match=r"limits\.sessions") as caught:
            opened(manager, "b")
        assert caught.value.retry_after_s
        await manager.close("a", "done")
        opened(manager, "b")


async def test_a_push_goes_to_the_newest_session_that_can():
    async with SessionManager(NotedSession, MemoryStore(), WallClock(), max_sessions=5) as manager:
        a, b = opened(manager, "a"), opened(manager, "b")
        assert await manager.push("d", "ring", kind="timer", notice_id="1", due_at=5.0)
        assert (a.noted, b.noted) == ([], [("ring", "timer", "1", 5.0)])
        b.hears_pushes = False
        assert await manager.push("d", "ring", kind="timer", notice_id="2", due_at=5.0)
        assert a.noted == [("ring", "timer", "2", 5.0)]
        a.hears_pushes = False
        assert not await manager.push("d", "ring", kind="timer", notice_id="3", due_at=5.0)
        assert not await manager.push("nobody", "ring", kind="timer", notice_id="4", due_at=5.0)


async def test_a_session_that_breaks_takes_its_own_link_with_it_and_no_other():
    hung_up = []
    async with SessionManager(NotedSession, MemoryStore(), WallClock(), max_sessions=5) as manager:
        broken = opened(manager, "a", hang_up=lambda code, reason: hung_up.append((code, reason)))
        other = opened(manager, "b")
        broken.break_down(ValueError("a bug"))
        await asyncio.sleep(1)
        assert hung_up == [(CloseCode.INTERNAL, "internal error")]
        assert other.noted == []
