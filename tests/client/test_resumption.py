from __future__ import annotations

import asyncio

import pytest

from lumi.client.resumption import Resumption
from lumi.errors import ConnectionLost
from lumi.protocol.messages import Ack, Features, Notify, Response, ResumeRequest, ServerHello, Stt


def hello(
    session_id: str | None = "session-1", *, resumed: bool = False, granted: bool = True
) -> ServerHello:
    return ServerHello(session_id=session_id, resumed=resumed, features=Features(resume=granted))


async def test_what_the_next_hello_says():
    resumption = Resumption()
    assert resumption.request() is None
    await resumption.greeted(hello())
    assert resumption.request() == ResumeRequest(session_id="session-1", received=0)
    await resumption.count(Stt(text="a", seq=1))
    assert (resumption.request(), resumption.received) == (
        ResumeRequest(session_id="session-1", received=1),
        1,
    )
    resumption.forget()
    assert resumption.request() is None


async def test_a_server_that_does_not_resume_is_not_asked_to():
    resumption = Resumption()
    await resumption.greeted(hello(granted=False))
    assert resumption.request() is None
    await resumption.greeted(ServerHello(session_id="session-1"))
    assert resumption.request() is None


@pytest.mark.parametrize(
    ("answer", "received"),
    [
        (hello(resumed=True), 2),
        (hello(), 2),  # the same session greets again: a later hello on the same line
        (hello("session-2"), 0),
        (hello(None), 2),  # makes no sense, and changes nothing
    ],
)
async def test_events_are_counted_anew_in_a_new_session(answer, received):
    resumption = Resumption()
    await resumption.greeted(hello())
    for seq in (1, 2):
        await resumption.count(Stt(text="a", seq=seq))
    await resumption.greeted(answer)
    assert resumption.received == received


async def test_each_event_passes_once_and_none_after_a_gap():
    resumption = Resumption()
    await resumption.greeted(hello())
    first = Response(id="a", content="x", seq=1)
    assert await resumption.count(first) is first
    assert await resumption.count(first) is None
    gap = asyncio.create_task(resumption.gap())
    assert await resumption.count(Notify(id="n", kind="timer", text="t", seq=3)) is None
    await gap
    assert resumption.received == 1
    await resumption.greeted(hello(resumed=True))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(resumption.gap(), 60)


async def test_what_has_no_number_passes_by():
    resumption = Resumption()
    delta = Response(id="a", is_final=False, delta="x")
    assert await resumption.count(delta) is delta
    assert resumption.received == 0


async def test_events_are_acknowledged_together_and_within_a_second():
    resumption = Resumption()
    acks: list[tuple[float, Ack]] = []
    clock = asyncio.get_running_loop().time
    start = clock()

    async def send(ack: Ack) -> None:
        acks.append((clock() - start, ack))

    task = asyncio.create_task(resumption.acknowledge(send))
    await asyncio.sleep(5)
    await resumption.count(Stt(text="a", seq=1))
    await asyncio.sleep(0.2)
    await resumption.count(Stt(text="b", seq=2))
    await asyncio.sleep(10)
    await resumption.count(Stt(text="b", seq=2))  # the server did not hear us
    await asyncio.sleep(10)
    task.cancel()
    assert [at for at, _ in acks] == pytest.approx([5.5, 15.7])
    assert [ack for _, ack in acks] == [Ack(seq=2), Ack(seq=2)]


async def test_an_acknowledgement_that_did_not_go_out_goes_out_on_the_next_line():
    resumption = Resumption()
    await resumption.count(Stt(text="a", seq=1))

    async def broken(_ack: Ack) -> None:
        raise ConnectionLost(1006)

    with pytest.raises(ConnectionLost):
        await resumption.acknowledge(broken)
    await resumption.count(Stt(text="b", seq=2))
    sent: list[Ack] = []

    async def send(ack: Ack) -> None:
        sent.append(ack)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(resumption.acknowledge(send), 5)
    assert sent == [Ack(seq=2)]
