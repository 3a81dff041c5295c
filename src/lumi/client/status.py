"""What a connection's state looks like: the badge that a terminal or a page draws."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lumi.client.error_handler import Language
from lumi.client.state_machine import ConnectionState, Errored, Failed, Phase, Ready


class Colour(StrEnum):
    """A badge's background, as CSS and most toolkits name it."""

    GREY = "grey"
    ORANGE = "orange"
    BLUE = "blue"
    PURPLE = "purple"
    GREEN = "green"
    RED = "red"


HEX: dict[Colour, str] = {
    Colour.GREY: "#616161",
    Colour.ORANGE: "#b75301",
    Colour.BLUE: "#1565c0",
    Colour.PURPLE: "#7b1fa2",
    Colour.GREEN: "#2e7d32",
    Colour.RED: "#c62828",
}
"""Shades dark enough for a white label: a contrast of 4.5 to 1 or more (WCAG 2.1, 1.4.3)."""


class Icon(StrEnum):
    """An icon's name in the Material set."""

    WIFI_OFF = "wifi_off"
    PROGRESS = "progress_activity"
    WIFI = "wifi"
    HANDSHAKE = "handshake"
    CHECK_CIRCLE = "check_circle"
    ERROR = "error"
    WARNING = "warning"


GLYPHS: dict[Icon, str] = {
    Icon.WIFI_OFF: "⊘",
    Icon.PROGRESS: "◌",
    Icon.WIFI: "◉",
    Icon.HANDSHAKE: "⇄",
    Icon.CHECK_CIRCLE: "✓",
    Icon.ERROR: "✗",
    Icon.WARNING: "!",
}
"""The icon where only text can be drawn: one character that takes one column in every terminal."""


@dataclass(frozen=True, slots=True)
class BadgeStyle:
    """What all badges have in common; pixels where there are any."""

    label_colour: str = "#ffffff"
    label_px: int = 12
    label_weight: int = 500
    icon_px: int = 14
    gap_px: int = 4
    padding_px: tuple[int, int] = (8, 4)
    """To the sides, above and below."""
    radius_px: int = 12


BADGE_STYLE = BadgeStyle()


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One state, drawn. `spinner` says that a turning circle takes the icon's place."""

    zh: str
    en: str
    colour: Colour
    icon: Icon
    spinner: bool = False
    style: BadgeStyle = BADGE_STYLE

    def label(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    @property
    def hex(self) -> str:
        """The background as `#rrggbb`."""
        return HEX[self.colour]

    @property
    def glyph(self) -> str:
        return GLYPHS[self.icon]


STATUSES: dict[Phase, ConnectionStatus] = {
    Phase.INITIAL: ConnectionStatus("未连接", "Not connected", Colour.GREY, Icon.WIFI_OFF),
    Phase.CONNECTING: ConnectionStatus("连接中", "Connecting", Colour.ORANGE, Icon.PROGRESS, spinner=True),
    Phase.CONNECTED: ConnectionStatus("已连接", "Connected", Colour.BLUE, Icon.WIFI),
    Phase.HANDSHAKING: ConnectionStatus("握手中", "Handshaking", Colour.PURPLE, Icon.HANDSHAKE),
    Phase.READY: ConnectionStatus("已就绪", "Ready", Colour.GREEN, Icon.CHECK_CIRCLE),
    Phase.DISCONNECTED: ConnectionStatus("已断开", "Disconnected", Colour.RED, Icon.WIFI_OFF),
    Phase.FAILED: ConnectionStatus("连接失败", "Connection failed", Colour.RED, Icon.ERROR),
    Phase.ERROR: ConnectionStatus("连接错误", "Connection error", Colour.RED, Icon.WARNING),
}


def status_of(state: ConnectionState) -> ConnectionStatus:
    """How to draw `state`."""
    return STATUSES[state.phase]


def detail_of(state: ConnectionState) -> str:
    """What `state` carries, for a second line or a tooltip: the error, or who answered; else empty."""
    if isinstance(state, Failed):
        return state.error
    if isinstance(state, Errored):
        return state.message
    if isinstance(state, Ready):
        return f"Lumi {state.server_version} · {state.session_id[:8]}"
    return ""
