from __future__ import annotations

from typing import get_args

import pytest

from lumi.client.state_machine import (
    Connected,
    Connecting,
    ConnectionState,
    Disconnected,
    Errored,
    Failed,
    Handshaking,
    Initial,
    Phase,
    Ready,
)
from lumi.client.status import GLYPHS, HEX, STATUSES, Colour, Icon, detail_of, status_of

STATES: dict[ConnectionState, tuple[str, str, str, str]] = {
    Initial(): ("未连接", "Not connected", "grey", "wifi_off"),
    Connecting(): ("连接中", "Connecting", "orange", "progress_activity"),
    Connected(): ("已连接", "Connected", "blue", "wifi"),
    Handshaking(): ("握手中", "Handshaking", "purple", "handshake"),
    Ready("1234567890", "1.2"): ("已就绪", "Ready", "green", "check_circle"),
    Disconnected(): ("已断开", "Disconnected", "red", "wifi_off"),
    Failed("no"): ("连接失败", "Connection failed", "red", "error"),
    Errored("gone"): ("连接错误", "Connection error", "red", "warning"),
}


def test_every_state_of_the_machine_has_a_badge():
    assert set(STATUSES) == set(Phase)
    assert {type(state) for state in STATES} == set(get_args(ConnectionState))


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.phase.value)
def test_the_badge_is_the_founding_document_s(state: ConnectionState):
    status = status_of(state)
    assert (status.label("zh"), status.label("en"), status.colour, status.icon) == STATES[state]
    assert status.spinner is isinstance(state, Connecting)
    assert status.glyph == GLYPHS[status.icon]
    assert status.hex == HEX[status.colour]


def test_all_badges_are_round_with_a_small_white_label():
    for status in STATUSES.values():
        assert status.style.label_colour == "#ffffff"
        assert (status.style.label_px, status.style.label_weight, status.style.icon_px) == (12, 500, 14)
        assert (status.style.radius_px, status.style.padding_px, status.style.gap_px) == (12, (8, 4), 4)


def test_tables_leave_no_name_out():
    assert set(HEX) == set(Colour)
    assert set(GLYPHS) == set(Icon)
    assert all(len(glyph) == 1 for glyph in GLYPHS.values())


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.1)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", Colour)
def test_the_white_label_can_be_read_on_every_colour(colour: Colour):
    assert 1.05 / (luminance(HEX[colour]) + 0.05) >= 4.5


def test_what_a_state_carries_is_told_in_a_line():
    assert detail_of(Ready("1234567890", "1.2")) == "Lumi 1.2 · 12345678"
    assert detail_of(Failed("refused")) == "refused"
    assert detail_of(Errored("broken")) == "broken"
    assert detail_of(Connecting()) == ""
