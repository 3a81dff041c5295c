"""How the page's client takes what a server does wrong, or differently: one WebSocket after the other, by script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute
from tests.web.browsing import IN_BROWSER, Watch, from_disk, watched_page
from tests.web.sdk import BLANK, connect, new_client, told, until, until_told

pytestmark = IN_BROWSER

Say = Callable[[WebSocketRoute, dict[str, Any]], Awaitable[None]]


def send(socket: WebSocketRoute, **message: Any) -> None:
    socket.send(json.dumps(message))


def greet(socket: WebSocketRoute, hello: dict[str, Any], **more: Any) -> None:
    features = hello.get("features", {})
    send(
        socket, **{"type": "hello", "id": hello["id"], "session_id": "session-1", "features": features} | more
    )


@asynccontextmanager
async def stage(browser: Browser, *lines: Say) -> AsyncIterator[tuple[Page, list[list[dict[str, Any]]]]]:
    """A page whose first WebSocket is served by the first of `lines`, and so on; the last one serves all others. And
    what the page said on each.
    """
    heard: list[list[dict[str, Any]]] = []

    def serve(socket: WebSocketRoute) -> None:
        say = lines[min(len(heard), len(lines) - 1)]
        said: list[dict[str, Any]] = []
        heard.append(said)

        async def take(data: str | bytes) -> None:
            if isinstance(data, str):
                said.append(json.loads(data))
                await say(socket, said[-1])

        socket.on_message(take)

    async with watched_page(browser, "http://127.0.0.1:9", watch=Watch()) as page:
        await page.route("**/*", from_disk)
        await page.route_web_socket("**", serve)
        await page.goto(BLANK)
        yield page, heard


async def polite(socket: WebSocketRoute, message: dict[str, Any]) -> None:
    if message["type"] == "hello":
        greet(socket, message)
    elif message["type"] == "chat":
        send(socket, type="response", id=message["id"], content="yes", is_final=True)


async def deaf(_socket: WebSocketRoute, _message: dict[str, Any]) -> None:
    """Says nothing, ever."""


async def without_session(socket: WebSocketRoute, message: dict[str, Any]) -> None:
    greet(socket, message, session_id=None)


def refusing(code: str, **more: Any) -> Say:
    async def refuse(socket: WebSocketRoute, message: dict[str, Any]) -> None:
        send(socket, type="error", error_code=code, error_message=f"no: {code}", id=message["id"], **more)

    return refuse


def hanging_up(code: int) -> Say:
    async def hang_up(socket: WebSocketRoute, message: dict[str, Any]) -> None:
        await polite(socket, message)
        if message["type"] == "hello":
            await socket.close(code=code, reason="for a reason")

    return hang_up


async def nonsense(socket: WebSocketRoute, message: dict[str, Any]) -> None:
    for text in ("{", "[]", '{"type":"greeting"}', '{"type":"stt"}'):
        socket.send(text)
    await polite(socket, message)


async def test_the_hello_says_who_we_are_and_what_we_want(browser):
    async with stage(browser, polite) as (page, heard):
        await connect(page, deviceId="kitchen", language="zh-CN", features={"stream": True, "mcp": False})
        hello = heard[0][0]
        assert hello.pop("id")
        assert hello.pop("device_info") | {"timezone": "?"} == {
            "platform": "web",
            "locale": "zh-CN",
            "timezone": "?",
        }
        assert hello == {
            "type": "hello",
            "version": 1,
            "transport": "websocket",
            "device_id": "kitchen",
            "audio_params": {"format": "opus", "sample_rate": 16000, "channels": 1, "frame_duration": 60},
            "features": {"stream": True},
        }


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (deaf, "handshake_timeout"),
        (without_session, "bad_hello"),
        (refusing("overloaded", retry_after=0.1), "overloaded"),
        (hanging_up(1013), None),
    ],
)
async def test_a_failure_that_may_pass_is_tried_again(browser, first, code):
    async with stage(browser, first, polite) as (page, heard):
        await connect(page, timing={"handshakeS": 0.2})
        if code is None:
            await until(page, "told.filter(([name]) => name === 'hello').length === 2")
        failures = [one for one in await told(page, "state") if one["state"] in {"failed", "error"}]
        assert len(failures) == 1
        assert failures[0]["retryInS"] > 0
        assert not failures[0]["final"]
        assert len(heard) == 2


@pytest.mark.parametrize(
    ("first", "state"),
    [
        (refusing("unsupported_version"), "failed"),
        (refusing("unauthorized"), "failed"),
        (hanging_up(4409), "error"),
        (hanging_up(4401), "error"),
    ],
)
async def test_a_refusal_is_final(browser, first, state):
    async with stage(browser, first, polite) as (page, heard):
        await new_client(page)
        await page.evaluate("client.connect().catch(() => null)")
        await until(page, f"client.state === '{state}'")
        last = (await told(page, "state"))[-1]
        assert (last["final"], last["retryInS"]) == (True, None)
        assert await page.evaluate("client.ended !== null")
        assert len(heard) == 1
        await page.evaluate("client.connect()")
        assert len(heard) == 2


async def test_a_server_that_lost_count_of_a_session_gets_a_new_one(browser):
    async def forgetful(socket: WebSocketRoute, message: dict[str, Any]) -> None:
        await (refusing("bad_message") if message["type"] == "hello" else deaf)(socket, message)

    async with stage(browser, hanging_up(1001), forgetful, polite) as (page, heard):
        await connect(page)
        await until(page, "told.filter(([name]) => name === 'hello').length === 2")
        assert [said[0].get("resume") for said in heard] == [
            None,
            {"session_id": "session-1", "received": 0},
            None,
        ]


async def test_a_missing_event_is_fetched_by_coming_back_at_once(browser):
    async def gappy(socket: WebSocketRoute, message: dict[str, Any]) -> None:
        await polite(socket, message)
        if message["type"] == "hello":
            for seq, text in ((1, "one"), (3, "three")):
                send(socket, type="stt", text=text, seq=seq)

    async def complete(socket: WebSocketRoute, message: dict[str, Any]) -> None:
        if message["type"] == "hello":
            greet(socket, message, resumed=True)
            for seq, text in ((2, "two"), (3, "three")):
                send(socket, type="stt", text=text, seq=seq)

    async with stage(browser, gappy, complete) as (page, heard):
        await connect(page)
        await until_told(page, "stt", 3)
        assert [one["text"] for one in await told(page, "stt")] == ["one", "two", "three"]
        assert heard[1][0]["resume"] == {"session_id": "session-1", "received": 1}


async def test_a_goodbye_is_told_and_its_wait_kept(browser):
    async def leaving(socket: WebSocketRoute, message: dict[str, Any]) -> None:
        await polite(socket, message)
        if message["type"] == "hello":
            send(socket, type="goodbye", reason="drain", retry_after=0.7)
            await socket.close(code=1001, reason="going away")

    async with stage(browser, leaving, polite) as (page, _):
        await connect(page)
        await until(page, "told.filter(([name]) => name === 'hello').length === 2")
        away = next(one for one in await told(page, "state") if one["state"] == "disconnected")
        assert away["retryInS"] == 0.7
        assert (await told(page, "goodbye"))[0]["reason"] == "drain"


async def test_nonsense_costs_nobody_the_connection(browser):
    async with stage(browser, nonsense) as (page, _):
        await connect(page)
        assert (await page.evaluate("client.chat('still there?')"))["content"] == "yes"
        assert (
            len(await told(page, "nonsense")) == 4
        )  # with the chat; those before the hello were no answer to it


async def test_closing_in_any_state_ends_there(browser):
    async with stage(browser, deaf) as (page, heard):
        for moment in ("connecting", "handshaking"):
            await new_client(page)
            ended = await page.evaluate(
                """(moment) => {
                  client.addEventListener("state", ({ detail }) => detail.state === moment && client.disconnect());
                  return client.connect().catch((error) => error.code);
                }""",
                moment,
            )
            assert ended == "ended"
            last = (await told(page, "state"))[-1]
            assert (last["state"], last["final"]) == ("disconnected", True)
        assert len(heard) <= 2


async def test_a_wait_can_be_cut_short(browser):
    async with stage(browser, hanging_up(1001), polite) as (page, heard):
        await connect(page, reconnect={"firstS": 60})
        await until(page, "client.state === 'disconnected'")
        assert 30 < await page.evaluate("client.retryInS") <= 60
        await page.evaluate("client.reconnectNow()")
        await until(page, "client.state === 'ready'")
        assert len(heard) == 2
        assert await page.evaluate("client.retryInS") is None


async def test_used_up_tries_are_the_end(browser):
    async with stage(browser, refusing("overloaded")) as (page, heard):
        await new_client(page, reconnect={"firstS": 0.02, "tries": 2})
        assert await page.evaluate("client.connect().catch((error) => error.code)") == "overloaded"
        assert len(heard) == 3
