from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.client.scripted_server import Peer, scripted_server
from tests.client.scripted_server import converse as greeting_and_echo
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen

from lumi.client.client import connect
from lumi.commands.chat import ChatOptions, ask_once, chat, converse
from lumi.errors import ConfigError
from lumi.protocol.messages import Chat, Error, Features, Notify, Response


async def typed(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        await asyncio.sleep(1)
        yield line


async def test_one_question_one_answer(screen: Screen):
    async with (
        scripted_server() as server,
        connect("ws://x/", device_id="me", connector=server.connector) as client,
    ):
        await ask_once(ENGLISH, client, "hello")
        assert screen.read() == ("HELLO\n", "")
        await ask_once(AS_JSON, client, "hello")
        answer = screen.object()
        assert set(answer) == {"id", "content", "session_id", "ms"}
        assert (answer["content"], answer["session_id"], answer["ms"]) == ("HELLO", "session-1", 0.0)


async def streaming(peer: Peer, item: Any) -> None:
    if not isinstance(item, Chat):
        await greeting_and_echo(peer, item)
    elif item.content == "break":
        await peer.send(Error(error_code="llm_failed", error_message="no idea", id=item.id))
    elif item.content == "whole":
        await peer.send(Response(id=item.id, content="in one piece"))
    else:
        await peer.send(Response(id=item.id, is_final=False, delta="In "))
        await peer.send(Response(id=item.id, is_final=False, delta="pieces"))
        await peer.send(Response(id=item.id, content="In pieces."))


async def test_line_by_line_until_the_input_ends(screen: Screen):
    async with (
        scripted_server(streaming) as server,
        connect(
            "ws://x/", device_id="me", connector=server.connector, features=Features(stream=True)
        ) as client,
    ):
        await converse(ENGLISH, client, typed("go", "", "whole", "break"))
        out, err = screen.read()
    assert out == "Lumi: In pieces.\nLumi: in one piece\n"
    assert err == (
        "Connected (session session-). Type and press Enter; Ctrl-D ends.\n"
        "the answer could not be made: no idea\n"
    )


async def test_leaving_by_a_word_and_in_chinese(screen: Screen):
    async with (
        scripted_server() as server,
        connect("ws://x/", device_id="me", connector=server.connector) as client,
    ):
        await converse(CHINESE, client, typed("/quit", "never said"))
    assert server.received(Chat) == []
    assert "Ctrl-D 结束" in screen.read()[1]


async def test_what_rings_in_between_is_shown(screen: Screen):
    async def ringing(peer: Peer, item: Any) -> None:
        await greeting_and_echo(peer, item)
        if isinstance(item, Chat):
            await peer.send(Notify(id="n", kind="timer", text="Tea is ready."))

    async with (
        scripted_server(ringing) as server,
        connect("ws://x/", device_id="me", connector=server.connector) as client,
    ):
        await converse(ENGLISH, client, typed("hi", "/q"))
    assert screen.read()[0] == "Lumi: HI\n⏰ Tea is ready.\n"


@pytest.mark.parametrize(
    ("console", "options", "problem"),
    [
        (ENGLISH, ChatOptions(once="  "), "--once: there is no text"),
        (AS_JSON, ChatOptions(), "--json: needs --once TEXT"),
    ],
)
async def test_wrong_arguments_are_told_before_anything_starts(console, options, problem):
    with pytest.raises(ConfigError, match=problem):
        await chat(console, options)


async def test_at_a_terminal_it_shows_whose_turn_it_is(screen: Screen):
    async with (
        scripted_server() as server,
        connect("ws://x/", device_id="me", connector=server.connector) as client,
    ):
        await converse(CHINESE, client, typed("hi"), prompt=True)
    out, err = screen.read()
    assert out == "Lumi: HI\n"
    assert err.endswith("结束。\n你：你：")
