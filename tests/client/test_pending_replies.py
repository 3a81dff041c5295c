from __future__ import annotations

import asyncio

import pytest

from lumi.client.pending_replies import PendingReplies, server_error
from lumi.errors import ConnectionLost, LocalProtocolError, ServerError
from lumi.protocol.messages import Error, Response


def refusal(message_id: str | None) -> Error:
    return Error(
        error_code="rate_limited", error_message="slow down", id=message_id, retryable=True, retry_after=2.0
    )


async def test_a_whole_answer_ends_the_waiting():
    pending = PendingReplies()
    with pending.expect("a") as answer:
        response = Response(id="a", content="yes")
        assert await pending.answered(response) is response
        assert await answer is response
    assert len(pending) == 0


async def test_deltas_go_to_who_asked_for_them():
    pending = PendingReplies()
    heard: list[str] = []
    with pending.expect("a", heard.append) as answer:
        await pending.answered(Response(id="a", is_final=False, delta="ye"))
        await pending.answered(Response(id="a", is_final=False, delta="s"))
        assert not answer.done()
        await pending.answered(Response(id="a", content="yes"))
    assert heard == ["ye", "s"]


async def test_deltas_nobody_asked_for_only_pass():
    pending = PendingReplies()
    with pending.expect("a") as answer:
        await pending.answered(Response(id="a", is_final=False, delta="ye"))
        assert not answer.done()


async def test_an_error_is_raised_where_its_message_waits_and_forwarded_where_none_does():
    pending = PendingReplies()
    with pending.expect("a") as answer:
        assert await pending.failed(refusal("b")) is not None
        assert await pending.failed(refusal("a")) is None
        with pytest.raises(ServerError, match="slow down") as caught:
            await answer
    assert (caught.value.code, caught.value.retryable, caught.value.retry_after_s) == (
        "rate_limited",
        True,
        2.0,
    )


async def test_an_error_that_names_its_message_in_the_other_field():
    pending = PendingReplies()
    with pending.expect("a") as answer:
        assert (
            await pending.failed(Error(error_code="internal", error_message="", message="m", request_id="a"))
            is None
        )
        with pytest.raises(ServerError, match="m"):
            await answer


async def test_answers_to_nobody_and_second_answers_pass():
    pending = PendingReplies()
    assert await pending.answered(Response(id=None)) == Response(id=None)
    with pending.expect("a") as answer:
        await pending.answered(Response(id="a", content="one"))
        await pending.answered(Response(id="a", content="two"))
        assert await pending.failed(refusal("a")) is not None
        assert (await answer).content == "one"


async def test_when_the_line_is_gone_all_are_told():
    pending = PendingReplies()
    with pending.expect("a") as first, pending.expect("b") as second:
        await pending.answered(Response(id="a", content="in time"))
        pending.fail_all(ConnectionLost(1006))
        assert (await first).content == "in time"
        with pytest.raises(ConnectionLost):
            await second


async def test_a_failure_nobody_looks_at_is_no_complaint():
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    pending = PendingReplies()
    with pending.expect("a"):
        await pending.failed(refusal("a"))
    with pending.expect("b") as answer:
        answer.cancel()
    assert complaints == []


async def test_one_id_waits_once_and_the_number_is_bounded():
    pending = PendingReplies(limit=1)
    with pending.expect("a"):
        with pytest.raises(LocalProtocolError, match="'a' is waiting already"), pending.expect("a"):
            pass
        with pytest.raises(LocalProtocolError, match="1 chats are waiting"), pending.expect("b"):
            pass
    with pending.expect("b"):
        assert len(pending) == 1


def test_an_error_without_a_wait():
    assert server_error(Error(error_code="internal", error_message="x")).retry_after_s is None
