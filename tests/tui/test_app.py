from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.client.scripted_server import Peer, converse
from tests.tui.stage import PIECE, Stage, dial_by, without_sound
from textual.widgets import Static

from lumi.errors import ConnectFailed
from lumi.protocol.messages import (
    Abort,
    AudioFrame,
    Chat,
    Error,
    Goodbye,
    Listen,
    Response,
    Stt,
    Tts,
    TtsState,
)
from lumi.transport.base import Link
from lumi.tui.app import LumiApp, run
from lumi.tui.model import Model
from lumi.tui.widgets import ConversationView

pytestmark = pytest.mark.real


async def stream(peer: Peer, item: Any) -> None:
    """Answers a chat piece by piece, a recording with a partial transcript first."""
    if isinstance(item, Chat) and item.content == "break":
        await peer.send(Error(error_code="llm_failed", error_message="the model is away", id=item.id))
    elif isinstance(item, Chat):
        await peer.send(Response(id=item.id, content=f"You said {item.content}."))
    elif isinstance(item, Listen) and item.state == "start":
        await peer.send(Stt(text="what ti", is_final=False))
    else:
        await converse(peer, item)


async def test_a_conversation_in_text_grows_on_the_screen():
    seen = asyncio.Event()

    async def with_a_pause(peer: Peer, item: Any) -> None:
        if isinstance(item, Chat):
            await peer.send(Response(id=item.id, delta="You said ", is_final=False))
            await seen.wait()
        await stream(peer, item)

    async with Stage(with_a_pause) as stage:
        await stage.see("✓ Ready")
        await stage.type("hello [b]you")
        await stage.see("You said  ▍")
        seen.set()
        await stage.see("You said hello [b]you.")
        await stage.see("queue 0 · last turn")
        assert "Lumi 9.9 · ws://x/" in stage.screen


async def test_empty_lines_are_not_sent():
    async with Stage(stream) as stage:
        await stage.ready()
        await stage.pilot.press("space", "enter", "enter")
        await stage.type("x")
        await stage.see("You said x.")
        assert [chat.content for chat in stage.server.received(Chat)] == ["x"]


async def test_an_error_of_the_server_is_shown_and_the_conversation_goes_on():
    async with Stage(stream) as stage:
        await stage.ready()
        await stage.type("break")
        await stage.see("the model is away")
        await stage.see("break (not delivered)")
        await stage.type("hello")
        await stage.see("You said hello.")


async def test_keys_hold_and_end_a_recording():
    async with Stage(stream) as stage:
        await stage.ready()
        await stage.pilot.press("ctrl+t")
        await stage.see("● what ti")
        await stage.see("^t Finish")
        await stage.gone("Mic ─")
        await asyncio.sleep(0.3)
        await stage.pilot.press("ctrl+t")
        await stage.see("It is noon.")
        await stage.see("Mic ─")
        assert stage.server.received(AudioFrame)


async def test_hands_free_and_interrupting_by_key():
    async def chatty(peer: Peer, item: Any) -> None:
        if isinstance(item, Listen) and len([one for one in peer.received if isinstance(one, Listen)]) == 1:
            await peer.send(
                Stt(text="hi", turn_id="t"),
                Tts(state=TtsState.START, turn_id="t"),
                Tts(state=TtsState.SENTENCE_START, text="A long story.", turn_id="t"),
                AudioFrame(PIECE),
            )
        elif isinstance(item, Abort):
            await peer.send(Tts(state=TtsState.STOP, turn_id="t"))
        else:
            await converse(peer, item)

    async with Stage(chatty) as stage:
        await stage.ready()
        await stage.pilot.press("f3")
        await stage.see("^o Hands-free off")
        await stage.see("A long story.")
        await stage.pilot.press("escape")
        await stage.see("Speaker ─")
        assert len(stage.server.received(Abort)) == 1


async def test_a_lost_line_counts_down_and_a_key_cuts_it_short():
    async def cut(peer: Peer, item: Any) -> None:
        if isinstance(item, Chat) and len(stage.server.peers) == 1:
            await peer.send(Goodbye(reason="a fuse blew", retry_after=30.0))
            await peer.link.close(1011, "a fuse blew")
        else:
            await converse(peer, item)

    async with Stage(cut, size=(80, 20)) as stage:
        await stage.ready()
        await stage.type("hello")
        await stage.see("reconnecting in 29 s · ^r connects now")
        await stage.see("! Connection error")
        await stage.see("hello (waiting to be sent)")
        await stage.see("queue 1")
        await stage.pilot.press("ctrl+r")
        await stage.see("HELLO")
        await stage.gone("waiting")
        first, second = stage.server.received(Chat)
        assert first.id == second.id


async def test_a_key_switches_the_language():
    async with Stage(stream, model=Model("zh")) as stage:
        await stage.see("✓ 已就绪")
        await stage.see("^l English")
        await stage.pilot.press("ctrl+l")
        await stage.see("✓ Ready")
        await stage.see("^l 中文")
        await stage.see("Type something and press Enter")


async def test_a_machine_without_sound_says_why():
    async with Stage(stream, devices=without_sound()) as stage:
        await stage.see("Answers come as text: this machine has no loudspeaker")
        await stage.ready()
        await stage.pilot.press("f2")
        await stage.see("You cannot talk: this machine has no microphone")


async def test_the_newest_line_is_in_sight_until_the_user_looks_back():
    async with Stage(stream) as stage:
        await stage.ready()
        for number in range(40):
            stage.model.event(Response(id=f"q{number}", content=f"line {number}."), 0.0)
        await stage.see("line 39.")
        await stage.pilot.press("pageup")
        await stage.gone("line 39.")
        await stage.pilot.press("pagedown")
        await stage.see("line 39.")
        assert stage.app.query_one(ConversationView).max_scroll_y > 0


async def test_the_keys_at_the_bottom_can_be_clicked():
    async with Stage(stream) as stage:
        await stage.see("^l 中文")
        rows = stage.screen.splitlines()
        row = next(number for number, text in enumerate(rows) if "^l 中文" in text)
        await stage.pilot.click(offset=(rows[row].index("^l") + 1, row))
        await stage.see("^l English")


async def test_ctrl_q_leaves():
    async with Stage(stream) as stage:
        await stage.ready()
        await stage.pilot.press("ctrl+q")
        await stage.pilot.pause()
        assert not stage.app.is_running


async def test_a_timer_that_comes_after_the_end_finds_nothing_to_draw():
    async with Stage(stream) as stage:
        await stage.ready()
    stage.model.welcome()
    stage.app.redraw()


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (200, 60)], ids=str)
async def test_the_screen_holds_on_any_terminal(size: tuple[int, int]):
    async with Stage(stream, size=size) as stage:
        await stage.see("Ready")
        await stage.type("hello")
        await stage.see("You said hello.")
        await stage.see("^q")


async def test_run_is_the_whole_app(monkeypatch: pytest.MonkeyPatch):
    seen = []

    async def leave(app: LumiApp) -> None:
        async with app.run_test() as pilot:
            seen.append(str(app.query_one("#title", Static).content))
            await pilot.press("ctrl+q")

    async def never(url: str, *, headers: object) -> Link:
        raise ConnectFailed("nothing there")

    monkeypatch.setattr(LumiApp, "run_async", leave)
    await run(dial_by(never), Model("en", address="ws://x/"), without_sound())
    assert seen == ["Lumi · ws://x/"]
