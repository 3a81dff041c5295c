from __future__ import annotations

import pytest
from textual.app import App, ComposeResult

from lumi.tui.entries import Speaker
from lumi.tui.view import Badge, Key, Line, Meter, Tone
from lumi.tui.widgets import (
    METER_CELLS,
    NAME_STYLES,
    SPINNER,
    TONES,
    ConversationView,
    KeyBar,
    LineView,
    MeterView,
    StatusBadge,
    TranscriptLine,
    bar,
)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0.0, "    "),
        (1.0, "████"),
        (0.5, "██  "),
        (0.53, "██▏ "),
        (0.25 + 7 / 32, "█▉  "),
        (7.0, "████"),
        (-1.0, "    "),
    ],
)
def test_a_bar_is_filled_in_eighths_of_a_column(level: float, expected: str):
    assert bar(level, 4) == expected


def test_everybody_and_every_tone_has_a_style():
    assert set(NAME_STYLES) == set(Speaker)
    assert set(TONES) == set(Tone)


class Parts(App[None]):
    """One of each."""

    def compose(self) -> ComposeResult:
        yield StatusBadge()
        yield ConversationView()
        yield TranscriptLine()
        yield MeterView()
        yield KeyBar()


def text(widget: object) -> str:
    return str(widget.content)  # type: ignore[attr-defined]


def line(number: int, words: str = "hi", **more: object) -> Line:
    return Line(number, Speaker.LUMI, "Lumi", words, **more)  # type: ignore[arg-type]


@pytest.mark.real
async def test_the_badge_turns_only_while_it_has_a_spinner():
    app = Parts()
    async with app.run_test():
        badge = app.query_one(StatusBadge)
        badge.show(Badge("Ready", "✓", "#2e7d32"), 0.0)
        assert text(badge) == "▐ ✓ Ready ▌"
        turning = Badge("Connecting", "◌", "#b75301", spinner=True)
        shown = set()
        for tenth in range(10):
            badge.show(turning, tenth / 10 + 0.05)
            shown.add(text(badge)[2])
        assert shown == set(SPINNER)


@pytest.mark.real
async def test_the_conversation_keeps_step_with_its_lines():
    app = Parts()
    async with app.run_test() as pilot:
        conversation = app.query_one(ConversationView)
        conversation.show((line(1, "one"), line(2, "tw", growing=True, emotion="🙂")))
        await pilot.pause()
        first, second = conversation.query(LineView)
        conversation.show((line(2, "two [b]", remark="(late)"), line(3)))
        await pilot.pause()
        views = list(conversation.query(LineView))
        assert len(views) == 2
        assert views[0] is second
        assert not first.is_attached
        assert text(second.query_one(".text")) == "two [b] (late)"
        conversation.show((line(2, "two", growing=True, emotion="🙂"), line(3)))
        assert text(second.query_one(".text")) == "two ▍"
        assert text(second.query_one(".name")) == "Lumi 🙂"


@pytest.mark.real
async def test_meters_are_a_dash_until_something_is_measured():
    app = Parts()
    async with app.run_test():
        meter = app.query_one(MeterView)
        meter.show(Meter("Mic"))
        assert text(meter) == "Mic " + "─" * METER_CELLS
        for level in (0.2, 0.9, 1.0):
            meter.show(Meter("Mic", level))
            assert text(meter) == "Mic " + bar(level, METER_CELLS)


@pytest.mark.real
async def test_the_transcript_has_a_dot_while_somebody_is_heard():
    app = Parts()
    async with app.run_test():
        transcript = app.query_one(TranscriptLine)
        transcript.show("what time", Tone.GOOD)
        assert text(transcript) == "● what time"
        transcript.show("idle", Tone.FAINT)
        assert text(transcript) == "  idle"


@pytest.mark.real
async def test_keys_are_shown_in_a_row():
    app = Parts()
    async with app.run_test():
        keys = app.query_one(KeyBar)
        keys.show((Key("^t", "Talk", "talk"), Key("^q", "Quit", "quit")))
        assert text(keys) == "^t Talk  ^q Quit"
