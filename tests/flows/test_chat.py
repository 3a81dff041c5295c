"""`client.chat` and `lumi chat` against the real server over a real socket; the engines are scripted."""

from __future__ import annotations

import asyncio

import pytest
from tests.commands.screen import Screen
from tests.flows.scripted import answering, scripted_lumi

from lumi.client.client import connect
from lumi.commands.chat import ChatOptions, chat
from lumi.commands.console import Console
from lumi.errors import ServerError
from lumi.protocol.messages import Features
from lumi.testing import ScriptedLlm, echo

pytestmark = pytest.mark.real


@pytest.fixture
def screen(capsys: pytest.CaptureFixture[str]) -> Screen:
    return Screen(capsys)


async def test_a_chat_is_answered_and_answered_the_same_again():
    llm = answering("first", "second")
    async with scripted_lumi(llm=llm) as server, connect(server.url, device_id="me") as client:
        once = await client.chat("hello", chat_id="c1")
        again = await client.chat("hello", chat_id="c1")
        other = await client.chat("hello", chat_id="c2")
    assert (once.content, again.content, other.content) == ("first", "first", "second")


async def test_the_same_id_with_other_words_is_an_error():
    async with scripted_lumi() as server, connect(server.url, device_id="me") as client:
        await client.chat("hello", chat_id="c1")
        with pytest.raises(ServerError) as caught:
            await client.chat("something else", chat_id="c1")
        assert caught.value.code == "bad_message"


async def test_a_text_too_long_is_an_error_that_says_so():
    async with scripted_lumi() as server, connect(server.url, device_id="me") as client:
        with pytest.raises(ServerError, match="8000") as caught:
            await client.chat("x" * 8001)
        assert caught.value.code == "too_large"
        assert (await client.chat("shorter")).content


async def test_the_answer_comes_in_pieces_where_asked_for():
    pieces: list[str] = []
    async with (
        scripted_lumi(llm=answering("one two three")) as server,
        connect(server.url, device_id="me", features=Features(stream=True)) as client,
    ):
        reply = await client.chat("count", on_delta=pieces.append)
    assert len(pieces) > 1
    assert "".join(pieces).strip() == reply.content


async def test_twenty_sessions_each_with_its_own_words():
    async def one(url: str, number: int) -> list[str]:
        async with connect(url, device_id=f"device-{number}") as client:
            return [(await client.chat(f"session {number} line {line}")).content for line in range(3)]

    async with scripted_lumi(llm=ScriptedLlm(echo)) as server:
        heard = await asyncio.gather(*(one(server.url, number) for number in range(20)))
    for number, lines in enumerate(heard):
        for line, content in enumerate(lines):
            assert f"session {number} line {line}" in content


async def test_the_command_with_json(screen: Screen):
    async with scripted_lumi(llm=answering("It is noon.")) as server:
        options = ChatOptions(once="what time is it", url=server.url)
        assert await chat(Console("en", as_json=True), options) == 0
    answer = screen.object()
    assert answer["content"] == "It is noon."
    assert set(answer) == {"id", "content", "session_id", "ms"}
    assert answer["ms"] >= 0  # uvloop reads its clock in whole milliseconds
