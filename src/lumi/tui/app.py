"""`lumi tui`: the screen and its keys. What they mean stands in the conductor, what is shown in the model."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from lumi.tui.conductor import Conductor, HandsFree, Interrupt, Reconnect, Say, Talk
from lumi.tui.line import Dial
from lumi.tui.model import Model
from lumi.tui.screen import draw
from lumi.tui.view import View
from lumi.tui.voice import Devices
from lumi.tui.widgets import ConversationView, KeyBar, MeterView, StatusBadge, TranscriptLine

REDRAWS_PER_S = 12


class LumiApp(App[None]):
    """Draws the model several times a second and hands keys to the conductor."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t,f2", "talk", priority=True),
        Binding("ctrl+o,f3", "hands_free", priority=True),
        Binding("escape", "interrupt", priority=True),
        Binding("ctrl+r,f5", "reconnect", priority=True),
        Binding("ctrl+l,f4", "language", priority=True),
        Binding("pageup", "page_up", priority=True),
        Binding("pagedown", "page_down", priority=True),
        Binding("ctrl+q", "quit", priority=True),
    ]

    def __init__(self, model: Model, conductor: Conductor) -> None:
        super().__init__()
        self._model = model
        self._conductor = conductor
        self._drawn: View | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="header"):
            yield Static(id="title", markup=False)
            yield StatusBadge(id="badge")
        yield Static(id="banner", markup=False)
        yield ConversationView(id="conversation")
        yield TranscriptLine(id="transcript")
        with Horizontal(id="meters"):
            yield MeterView(id="microphone")
            yield MeterView(id="loudspeaker")
            yield Static(id="facts", markup=False)
        yield Input(id="input")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one("#input", Input).focus()
        self.redraw()
        self.set_interval(1 / REDRAWS_PER_S, self.redraw)

    def redraw(self) -> None:
        """Show the model as it stands now; nothing any more once the app is leaving."""
        if not self.is_running:  # the timer's last call may come when the widgets are gone
            return
        now_s = asyncio.get_running_loop().time()
        self._conductor.look(now_s)
        view, before = draw(self._model, now_s), self._drawn
        self._drawn = view
        if view.badge.spinner or before is None or view.badge != before.badge:
            self.query_one(StatusBadge).show(view.badge, now_s)
        if view == before:
            return
        self._show_texts(view)
        self.query_one(ConversationView).show(view.lines)
        self.query_one(TranscriptLine).show(view.transcript, view.transcript_tone)
        self.query_one("#microphone", MeterView).show(view.microphone)
        self.query_one("#loudspeaker", MeterView).show(view.loudspeaker)
        if before is None or view.keys != before.keys:
            self.query_one(KeyBar).show(view.keys)
            # Opening a sound card silences standard error for a moment, which textual draws on: draw all again.
            self.refresh()

    def _show_texts(self, view: View) -> None:
        self.query_one("#title", Static).update(view.title)
        banner = self.query_one("#banner", Static)
        banner.update(view.banner)
        banner.display = bool(view.banner)
        self.query_one("#facts", Static).update(" · ".join(view.facts))
        self.query_one("#input", Input).placeholder = view.placeholder

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        event.input.clear()
        if text:
            self._conductor.ask(Say(text))

    def action_talk(self) -> None:
        self._conductor.ask(Talk())

    def action_hands_free(self) -> None:
        self._conductor.ask(HandsFree())

    def action_interrupt(self) -> None:
        self._conductor.ask(Interrupt())

    def action_reconnect(self) -> None:
        self._conductor.ask(Reconnect())

    def action_language(self) -> None:
        self._model.switch_language()
        self.redraw()

    def action_page_up(self) -> None:
        self.query_one(ConversationView).scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        self.query_one(ConversationView).scroll_page_down(animate=False)


async def run(dial: Dial, model: Model, devices: Devices | None = None) -> None:
    """Show the app in this terminal until the user leaves."""
    conductor = Conductor(dial, model, devices)
    model.welcome()
    app: App[Any] = LumiApp(model, conductor)
    async with asyncio.TaskGroup() as tasks:
        conducting = tasks.create_task(conductor.run(), name="conductor")
        await asyncio.sleep(0)  # it opens the loudspeaker, and what that writes must not hit the screen
        await app.run_async()
        conducting.cancel()
