"""Everything on the screen at one moment, as values; equal values look the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lumi.tui.entries import Speaker


class Tone(StrEnum):
    """How a text is meant; the widgets choose the colour."""

    PLAIN = "plain"
    FAINT = "faint"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Badge:
    """The connection's state. `spinner`: the glyph turns."""

    label: str
    glyph: str
    hex: str
    spinner: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the conversation: who, with which emoji, what, and a remark after it."""

    number: int
    speaker: Speaker
    name: str
    text: str
    emotion: str = ""
    remark: str = ""
    growing: bool = False


@dataclass(frozen=True, slots=True)
class Meter:
    """One level meter; `level` 0 to 1, None while it is closed, in which case `reason` may say why."""

    name: str
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the footer and the action it stands for."""

    key: str
    label: str
    action: str


@dataclass(frozen=True, slots=True)
class View:
    """The whole screen."""

    title: str
    badge: Badge
    banner: str
    """What is wrong with the connection and what happens next; empty where all is well."""
    lines: tuple[Line, ...]
    transcript: str
    transcript_tone: Tone
    microphone: Meter
    loudspeaker: Meter
    facts: tuple[str, ...]
    keys: tuple[Key, ...]
    placeholder: str
