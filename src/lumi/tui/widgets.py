"""The parts of the screen. Each shows one value of the `View` and redraws only when it has changed."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lumi.tui.entries import Speaker
from lumi.tui.view import Badge, Key, Line, Meter, Tone

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
SPINNER_PER_S = 10

METER_CELLS = 12
EIGHTHS = " ▏▎▍▌▋▊▉█"
LOUD = 0.85
TOO_LOUD = 0.97

TONES: dict[Tone, str] = {
    Tone.PLAIN: "",
    Tone.FAINT: "dim",
    Tone.GOOD: "bold #81c784",
    Tone.BAD: "bold #ef9a9a",
}

NAME_STYLES: dict[Speaker, str] = {
    Speaker.YOU: "bold #64b5f6",
    Speaker.LUMI: "bold #81c784",
    Speaker.BELL: "bold #ffd54f",
    Speaker.NOTICE: "dim",
    Speaker.ERROR: "bold #ef9a9a",
}


class StatusBadge(Static):
    """The connection's state: white on colour; half a column at each end is as round as a terminal gets."""

    def show(self, badge: Badge, now_s: float) -> None:
        turn = int(now_s * SPINNER_PER_S) % len(SPINNER)
        glyph = SPINNER[turn] if badge.spinner else badge.glyph
        self.update(
            Text.assemble(
                ("▐", badge.hex),
                (f" {glyph} {badge.label} ", f"bold #ffffff on {badge.hex}"),
                ("▌", badge.hex),
            )
        )


class LineView(Horizontal):
    """One entry of the conversation: who, and what beside it."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._who = Static(classes="name")
        self._what = Static(classes="text")
        self.show(line)

    def compose(self) -> ComposeResult:
        yield self._who
        yield self._what

    def show(self, line: Line) -> None:
        self.set_classes(line.speaker.value)
        text = Text(line.text, "dim" if line.speaker is Speaker.NOTICE else "")
        if line.growing:
            text.append(" ▍", "dim")
        if line.remark:
            text.append(f" {line.remark}", "dim italic")
        self._who.update(Text(f"{line.name} {line.emotion}".rstrip(), NAME_STYLES[line.speaker]))
        self._what.update(text)


class ConversationView(VerticalScroll):
    """All entries; follows the newest unless the user has scrolled up."""

    can_focus = False

    def on_mount(self) -> None:
        self._shown: dict[int, tuple[Line, LineView]] = {}
        self.anchor()

    def show(self, lines: tuple[Line, ...]) -> None:
        fresh = []
        for line in lines:
            known = self._shown.get(line.number)
            if known is None:
                view = LineView(line)
                fresh.append(view)
            elif known[0] == line:
                continue
            else:
                view = known[1]
                view.show(line)
            self._shown[line.number] = (line, view)
        if fresh:
            self.mount(*fresh)
        self._forget({line.number for line in lines})

    def _forget(self, present: set[int]) -> None:
        for number in [number for number in self._shown if number not in present]:
            self._shown.pop(number)[1].remove()


class MeterView(Static):
    """A bar of eighths of a column; a dash while nothing is measured."""

    def show(self, meter: Meter) -> None:
        text = Text(f"{meter.name} ")
        if meter.level is None:
            text.append("─" * METER_CELLS, "dim")
        else:
            colour = "#ef5350" if meter.level > TOO_LOUD else "#ffb74d" if meter.level > LOUD else "#66bb6a"
            text.append(bar(meter.level, METER_CELLS), f"{colour} on #2a2a2a")
        self.update(text)


def bar(level: float, cells: int) -> str:
    """`cells` columns, filled from the left to `level` (0 to 1) in steps of an eighth of a column."""
    eighths = round(min(1.0, max(0.0, level)) * cells * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(cells)


class TranscriptLine(Static):
    """What is being heard or said right now."""

    def show(self, text: str, tone: Tone) -> None:
        mark = "● " if tone is Tone.GOOD else "  "
        self.update(Text(mark + text, TONES[tone], no_wrap=True, overflow="ellipsis"))


class KeyBar(Static):
    """The keys and what they do; each can be clicked as well."""

    def show(self, keys: tuple[Key, ...]) -> None:
        parts = [
            Content.from_markup(
                f"[@click=app.{key.action}][b]$key[/b] $label[/]", key=key.key, label=key.label
            )
            for key in keys
        ]
        self.update(Content("  ").join(parts))
