"""Draws the pictures of docs/tui.md: the app itself, on a model that is told what happened.

    python docs/images/draw_tui.py DIRECTORY
    chromium --headless --hide-scrollbars --window-size=995,685 --screenshot=tui-english.png tui-english.html

The first writes one page each, with the size of its window; the second makes a picture of one.
"""

from __future__ import annotations

import asyncio
import html
import re
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from rich.cells import cell_len

from lumi.client.client import Client
from lumi.client.error_handler import Language
from lumi.client.state_machine import (
    Connected,
    Connecting,
    ConnectionState,
    Disconnected,
    Errored,
    Failed,
    Handshaking,
    Initial,
    Ready,
)
from lumi.errors import ConnectFailed, ConnectionLost
from lumi.protocol.messages import LlmEmotion, Notify, Response, Stt, Tts, TtsState
from lumi.tui.app import LumiApp
from lumi.tui.conductor import Conductor
from lumi.tui.model import Listening, Model

READY = Ready("5f0c2a9e-1d", "0.1.0")
ADDRESS = "ws://127.0.0.1:8000/"

STATES: tuple[tuple[str, Language, ConnectionState], ...] = (
    ("initial", "zh", Initial()),
    ("connecting", "en", Connecting()),
    ("connected", "zh", Connected()),
    ("handshaking", "en", Handshaking()),
    ("ready", "zh", READY),
    ("disconnected", "en", Disconnected()),
    ("failed", "zh", Failed("cannot connect to 127.0.0.1:8000")),
    ("error", "en", Errored("connection closed (1006)")),
)
"""Each state once; the languages take turns."""


def no_dial() -> AbstractAsyncContextManager[Client]:
    raise AssertionError("a picture needs no connection")


def in_state(model: Model, state: ConnectionState, now_s: float) -> None:
    model.welcome()
    model.connection(state, now_s)
    if isinstance(state, Failed):
        model.trouble_is(ConnectFailed(state.error))
        model.retry(4.0, now_s)
    elif isinstance(state, Errored):
        model.trouble_is(ConnectionLost(1006))
        model.retry(1.0, now_s)
        model.said("what time is it", "waiting", now_s)
        model.queued(1)


def chat(model: Model, number: int, question: str, answer: str, now_s: float, took_s: float) -> None:
    message_id = f"chat-{number}"
    model.said(question, message_id, now_s - took_s)
    model.event(Response(id=message_id, content=answer), now_s)


def chinese(model: Model, now_s: float) -> None:
    model.connection(READY, now_s)
    chat(model, 1, "现在几点了？", "现在是下午三点十分。", now_s, 0.021)
    chat(model, 2, "三分钟后提醒我关火", "好的，三分钟后提醒你关火。", now_s, 0.034)
    model.event(Stt(text="讲个笑话"), now_s)
    model.event(LlmEmotion("laughing", "😆"), now_s)
    model.event(Tts(state=TtsState.START), now_s)
    model.event(
        Tts(
            state=TtsState.SENTENCE_START,
            text="为什么程序员总分不清万圣节和圣诞节？因为八进制的三十一等于十进制的二十五。",
        ),
        now_s,
    )
    model.event(Tts(state=TtsState.STOP), now_s)
    model.event(Notify(id="n", kind="reminder", text="该关火了。"), now_s)
    model.listen(Listening.HOLD)
    model.event(Stt(text="谢谢你", is_final=False), now_s)
    model.microphone_heard(b"\x00\x10" * 960, now_s + 0.2)


def english(model: Model, now_s: float) -> None:
    model.connection(READY, now_s)
    chat(model, 1, "what is 17 times 23", "17 times 23 is 391.", now_s, 0.018)
    chat(model, 2, "set a timer for ten minutes", "Ten minutes, starting now.", now_s, 0.026)
    model.event(Stt(text="what time is it in Tokyo"), now_s)
    model.event(LlmEmotion("happy", "🙂"), now_s)
    model.event(Tts(state=TtsState.START), now_s)
    model.event(Tts(state=TtsState.SENTENCE_START, text="In Tokyo it is ten past eleven at night."), now_s)
    model.loudspeaker.heard(b"\x00\x18" * 960, now_s + 0.2)


CELL_PX = 12.2
"""How wide the export draws a column."""

_TEXT = re.compile(r'textLength="[^"]*"([^>]*)>([^<]*)</text>')


def widened(svg: str) -> str:
    """The export gives each character one column; Chinese ones and emoji take two."""

    def widen(text: re.Match[str]) -> str:
        columns = cell_len(html.unescape(text[2]).replace("\xa0", " "))
        return f'textLength="{columns * CELL_PX:.1f}"{text[1]}>{text[2]}</text>'

    return _TEXT.sub(widen, svg)


class Posing(Conductor):
    """Has no connection to look at."""

    def look(self, now_s: float) -> None:
        """The model stays as it was told."""


_WEB_FONT = re.compile(r"src: local.*?url.*?;", re.DOTALL)


def page(svg: str) -> str:
    """The picture in a page that asks nobody for a font."""
    return f'<!doctype html><meta charset="utf-8"><body style="margin:0">{_WEB_FONT.sub("", svg)}</body>'


async def draw(directory: Path, name: str, model: Model, tell: Callable[[float], None], rows: int) -> None:
    app = LumiApp(model, Posing(no_dial, model))
    async with app.run_test(size=(80, rows)) as pilot:
        tell(asyncio.get_running_loop().time())
        await pilot.pause(0.2)
        svg = widened(app.export_screenshot(title="lumi tui"))
        (directory / f"tui-{name}.html").write_text(page(svg), encoding="utf-8")


async def main(directory: Path) -> None:
    for name, language, state in STATES:
        model = Model(language, address=ADDRESS)
        await draw(directory, name, model, lambda now_s, m=model, s=state: in_state(m, s, now_s), 13)  # type: ignore[misc]
    for name, language, tell in (("chinese", "zh", chinese), ("english", "en", english)):
        model = Model(language, address=ADDRESS)
        await draw(directory, name, model, lambda now_s, m=model, t=tell: t(m, now_s), 26)  # type: ignore[misc]


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
