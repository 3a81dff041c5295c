"""The page's client in a real browser, with a real server: talks, loses it, comes back, and says nothing twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.flows.scripted import CONFIG, answering, scripted_lumi
from tests.web.browsing import IN_BROWSER, Watch
from tests.web.sdk import BLANK, connect, new_client, told, until, until_told

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.engines.base import LlmEvent, Prompt, TextDelta
from lumi.errors import EngineError
from lumi.testing import ScriptedLlm
from lumi.testing.tcp_fault_proxy import ByteCut, TcpFaultProxy, random_byte_cut

pytestmark = IN_BROWSER

NO_LINE = "WebSocket connection to .* failed"
"""What Chromium writes in red whatever a page does."""


STORED_TWO = """async () => {
  const [{ name }] = await indexedDB.databases();
  const database = await new Promise((done) => (indexedDB.open(name).onsuccess = (e) => done(e.target.result)));
  const all = await new Promise((done) =>
    (database.transaction("chats").objectStore("chats").getAll().onsuccess = (e) => done(e.target.result)));
  database.close();
  return all.length === 2;
}"""


def lasting(home: Path, port: int = 0) -> Config:
    """A server that finds its sessions again after a restart."""
    return Config(
        server=ServerSettings(port=port, drain_s=0.0, data_dir=home),
        store=StoreSettings(engine="sqlite"),
        log=LogSettings(file=False, level="error"),
    )


async def test_a_page_talks_to_a_server(visit) -> None:
    async with scripted_lumi() as server, visit(server.page_url, BLANK) as page:
        agreement = await connect(page)
        answer = await page.evaluate("client.chat('What time is it?', { id: 'c-1' })")
        assert answer["content"] == "It is noon."
        assert [(one["state"], one["previous"]) for one in await told(page, "state")] == [
            ("connecting", "initial"),
            ("connected", "connecting"),
            ("handshaking", "connected"),
            ("ready", "handshaking"),
        ]
        assert agreement["sessionId"] == answer["session_id"] == await page.evaluate("client.sessionId")
        assert agreement["features"]["stream"]
        assert [one["content"] for one in await told(page, "delta")] == ["It", "It is", "It is noon."]
        assert [one["id"] for one in await told(page, "response")] == ["c-1"]
        assert (await told(page, "queue"))[-1] == {"messages": []}


async def test_chats_are_answered_in_order_and_one_that_fails_for_now_is_asked_again(visit) -> None:
    tries = iter([EngineError("scripted", "not now", retryable=True)])
    llm = ScriptedLlm(lambda text: [next(tries, text.upper())])
    async with scripted_lumi(llm=llm) as server, visit(server.page_url, BLANK) as page:
        await connect(page)
        answers = await page.evaluate("Promise.all(['one', 'two', 'three'].map((text) => client.chat(text)))")
        assert [answer["content"] for answer in answers] == ["ONE", "TWO", "THREE"]
        assert [prompt.messages[-1].content for prompt in llm.prompts] == ["one", "one", "two", "three"]
        assert await told(page, "error") == []


async def test_what_is_refused_is_told_once_and_holds_nothing_up(visit) -> None:
    async with scripted_lumi() as server, visit(server.page_url, BLANK) as page:
        await connect(page)
        await page.evaluate("client.chat('one thing', { id: 'same' })")
        refused = await page.evaluate("client.chat('another', { id: 'same' }).catch((error) => error.code)")
        too_long = await page.evaluate("client.chat('x'.repeat(8001)).catch((error) => error.message)")
        assert refused == "bad_message"
        assert "8000 characters" in too_long
        assert [one["id"] for one in await told(page, "refused")] == ["same"]
        assert (await page.evaluate("client.chat('next')"))["content"] == "It is noon."


async def test_a_wrong_token_is_final_and_the_right_one_lets_in(visit) -> None:
    config = CONFIG.model_copy(
        update={"server": ServerSettings(port=0, token=SecretStr("let-me-in-please"), drain_s=0.0)}
    )
    async with scripted_lumi(config) as server, visit(server.page_url, BLANK) as page:
        await new_client(page, token="wrong-one")
        code = await page.evaluate("client.connect().catch((error) => [error.code, error.retryable])")
        assert code == ["unauthorized", False]
        state = (await told(page, "state"))[-1]
        assert (state["state"], state["final"], state["retryInS"]) == ("failed", True, None)
        await connect(page, token="let-me-in-please")


async def test_the_server_is_gone_for_ten_seconds_and_nothing_is_lost(visit, tmp_path) -> None:
    """The literal ten seconds, once: the waits are those that people get."""
    async with AsyncExitStack() as last:
        async with scripted_lumi(lasting(tmp_path), llm=answering("Before.")) as server:
            page = await last.enter_async_context(
                visit(server.page_url, BLANK, watch=Watch(allowed=[NO_LINE]))
            )
            before = await connect(page, reconnect={"capS": 2})
            await page.evaluate("client.chat('one')")
        gone = time.monotonic()
        await until(page, "client.state !== 'ready'")
        await page.evaluate("() => { client.chat('while you were away', { id: 'away' }); }")
        lost = next(one for one in await told(page, "state") if one["previous"] == "ready")
        assert 0 < lost["retryInS"] <= 1
        assert await page.evaluate("client.queue.map(({ id }) => id)") == ["away"]
        await asyncio.sleep(10 - (time.monotonic() - gone))
        async with scripted_lumi(lasting(tmp_path, server.port), llm=answering("After.")):
            await until_told(page, "response", 2)
            assert time.monotonic() - gone < 16
            assert await page.evaluate("[client.sessionId, client.resumed]") == [before["sessionId"], True]
            assert [one["content"] for one in await told(page, "response")] == ["Before.", "After."]
            states = [one["state"] for one in await told(page, "state")]
            assert states.count("failed") >= 3
            assert states[-4:] == ["connecting", "connected", "handshaking", "ready"]
            await page.evaluate("client.disconnect()")


class Hesitant(ScriptedLlm):
    """Says half of an answer, and the rest when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        self.prompts.append(prompt)
        yield TextDelta("It ")
        yield TextDelta("is ")
        await self.go_on.wait()
        yield TextDelta("noon.")


async def test_a_reload_in_mid_answer_brings_the_answer_once(visit) -> None:
    llm = Hesitant()
    async with scripted_lumi(llm=llm) as server, visit(server.page_url, BLANK) as page:
        before = await connect(page)
        await page.evaluate("() => { client.chat('What time is it?', { id: 'c-1' }); }")
        await until_told(page, "delta", 2)
        await page.reload()
        after = await connect(page)
        assert (after["sessionId"], after["resumed"]) == (before["sessionId"], True)
        assert await page.evaluate("client.queue.map(({ content }) => content)") == ["What time is it?"]
        llm.go_on.set()
        await until_told(page, "response")
        await page.evaluate("client.chat('and now?')")  # whatever came twice would be here by now
        assert [one["content"] for one in await told(page, "response") if one["id"] == "c-1"] == [
            "It is noon."
        ]
        assert all(one["requestId"] != "c-1" for one in await told(page, "delta"))
        assert llm.calls == 2
        await page.reload()
        await connect(page)
        await page.evaluate("client.chat('once more')")
        assert [one["id"] for one in await told(page, "response") if one["id"] == "c-1"] == []


async def test_what_was_said_offline_survives_the_page_and_is_delivered_later(visit, tmp_path) -> None:
    watch = Watch(allowed=[NO_LINE])
    async with AsyncExitStack() as last:
        async with scripted_lumi(lasting(tmp_path)) as server:
            page = await last.enter_async_context(visit(server.page_url, BLANK, watch=watch))
            await connect(page)
        await until(page, "client.state !== 'ready'")
        await page.evaluate(
            "() => { client.chat('first', { id: 'a' }); client.chat('second', { id: 'b' }); }"
        )
        await until(page, STORED_TWO)
        other = await page.context.new_page()
        await page.close()
        async with scripted_lumi(lasting(tmp_path, server.port), llm=ScriptedLlm(str.upper)):
            await other.goto(BLANK)
            await connect(other)
            await until_told(other, "response", 2)
            answers = [(one["id"], one["content"]) for one in await told(other, "response")]
            assert answers == [("a", "FIRST"), ("b", "SECOND")]
            assert await other.evaluate("client.queue") == []
            await other.evaluate("client.disconnect()")


async def test_without_a_network_the_client_waits_and_goes_on_when_it_is_back(visit) -> None:
    watch = Watch(allowed=[NO_LINE, "ERR_INTERNET_DISCONNECTED"])
    async with scripted_lumi() as server, visit(server.page_url, BLANK, watch=watch) as page:
        await new_client(page, reconnect={"firstS": 60})
        await page.context.set_offline(True)
        await page.evaluate("() => { client.connect(); client.chat('hello?', { id: 'a' }); }")
        await until(page, "client.state === 'failed' && client.retryInS > 30")
        await page.context.set_offline(False)
        await until_told(page, "response")


async def test_a_server_that_falls_silent_is_left(visit) -> None:
    """A line that looks open and gives no sign of life: found out by the heartbeat."""
    async with scripted_lumi() as server, visit(server.page_url, BLANK) as page:
        swallow = {"on": False}

        def relay(socket) -> None:
            far = socket.connect_to_server()
            socket.on_message(lambda data: None if swallow["on"] else far.send(data))

        await page.route_web_socket("**", relay)
        await connect(page, timing={"heartbeatS": 0.1, "answerS": 0.5, "handshakeS": 1})
        swallow["on"] = True
        await until(page, "told.some(([name, detail]) => name === 'state' && detail.state === 'error')")
        swallow["on"] = False
        await until(page, "client.state === 'ready'")
        lost = next(one for one in await told(page, "state") if one["state"] == "error")
        assert "no sign of life" in lost["reason"]


async def test_two_tabs_do_not_answer_for_each_other(visit) -> None:
    """Also one that was duplicated, storage and all."""
    async with scripted_lumi() as server, visit(server.page_url, BLANK) as page:
        first = await connect(page)
        copy = await page.evaluate("JSON.stringify(sessionStorage)")
        other = await page.context.new_page()
        await other.goto(BLANK)
        await other.evaluate("(copy) => Object.assign(sessionStorage, JSON.parse(copy))", copy)
        second = await connect(other)
        assert second["sessionId"] != first["sessionId"]
        await page.evaluate("client.chat('mine')")
        assert await page.evaluate("client.state") == "ready"
        assert await told(other, "response") == []


async def test_closing_is_final_until_connecting_again(visit) -> None:
    async with scripted_lumi() as server, visit(server.page_url, BLANK) as page:
        first = await connect(page)
        await page.evaluate("client.disconnect()")
        state = (await told(page, "state"))[-1]
        assert (state["state"], state["final"]) == ("disconnected", True)
        assert await page.evaluate(
            "[client.listen.stop(), client.abort('x'), client.sendAudio(new Uint8Array(3))]"
        ) == [
            False,
            False,
            False,
        ]
        second = await page.evaluate("client.connect()")
        assert second["sessionId"] != first["sessionId"]
        assert not second["resumed"]
        assert await page.evaluate("client.state") == "ready"


@pytest.mark.parametrize("storage", ["browser", "memory"])
async def test_time_to_a_ready_connection(visit, storage) -> None:
    async with scripted_lumi() as server, visit(server.page_url, BLANK) as page:
        await new_client(page, storage=storage)
        took_ms = await page.evaluate(
            "async () => { const t = performance.now(); await client.connect(); return performance.now() - t; }"
        )
        assert took_ms < 1000  # 25 ms on an idle machine


async def test_lines_that_break_anywhere_lose_nothing_and_repeat_nothing(visit) -> None:
    """A proxy that cuts connections in mid-frame: every chat is answered once, in order."""
    chance = random.Random(6)

    def plan(number: int) -> ByteCut | None:
        # The first brings the page; the last ones last.
        if 1 <= number <= 8:
            return random_byte_cut(chance, up_bytes=1500, down_bytes=1500)
        return None

    llm = ScriptedLlm(str.upper)
    asked = [f"question {n}" for n in range(12)]
    watch = Watch(allowed=["WebSocket", "ERR_"])
    async with (
        scripted_lumi(llm=llm) as server,
        TcpFaultProxy("127.0.0.1", server.port) as proxy,
        visit(proxy.url.replace("ws", "http"), BLANK, watch=watch) as page,
    ):
        await new_client(page)
        proxy.connections, proxy.plan = 1, plan
        await page.evaluate("() => { client.connect(); }")
        answers = await page.evaluate("(asked) => Promise.all(asked.map((text) => client.chat(text)))", asked)
        assert [one["content"] for one in answers] == [text.upper() for text in asked]
        assert [one["content"] for one in await told(page, "response")] == [text.upper() for text in asked]
        assert [prompt.messages[-1].content for prompt in llm.prompts] == asked
        assert proxy.cuts >= 5


class Seeing(ScriptedLlm):
    sees_images = True


async def test_a_picture_is_looked_at(visit) -> None:
    llm = Seeing({"What is this?": "A red square."})
    async with scripted_lumi(llm=llm) as server, visit(server.page_url, BLANK) as page:
        await connect(page)
        answer = await page.evaluate(
            """async () => {
              const canvas = new OffscreenCanvas(8, 8);
              const context = canvas.getContext("2d");
              context.fillStyle = "red";
              context.fillRect(0, 0, 8, 8);
              return client.chat("What is this?", { id: "p-1", image: await canvas.convertToBlob() });
            }"""
        )
        assert (answer["id"], answer["content"]) == ("p-1", "A red square.")
        assert [one["id"] for one in await told(page, "response")] == ["p-1"]
        assert llm.prompts[0].messages[0].images[0].media_type == "image/png"


async def test_a_picture_that_cannot_be_looked_at_says_why(visit) -> None:
    watch = Watch(allowed=["status of 4"])
    async with scripted_lumi(llm=Seeing()) as server, visit(server.page_url, BLANK, watch=watch) as page:
        await connect(page)
        said = await page.evaluate(
            "client.chat('?', { image: new Blob(['no picture']) }).catch((error) => [error.code, error.message])"
        )
        assert said[0] == "not_seen"
        assert "JPEG, PNG" in said[1]
