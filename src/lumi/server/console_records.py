"""What the operator's view is told, as it stands in `/api/v1/openapi.json`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from lumi.server.load_history import Sample
from lumi.server.problems import Problem
from lumi.server.turn_history import TurnRecord


class SessionRecord(Struct, frozen=True, kw_only=True):
    """A session that lives."""

    id: str
    device_id: str
    device_name: str
    client: str
    """Name of the client's profile."""
    dialect: str
    uplink: str
    """E.g. `opus 16000 Hz`."""
    downlink: str
    phase: str
    """`idle`, `listening`, `answering` or `away`."""
    age_s: float
    recorded: bool


class EngineRecord(Struct, frozen=True, kw_only=True):
    """One engine of a list."""

    kind: str
    name: str
    state: str
    last_trouble: str
    retry_s: float | None


class Live(Struct, frozen=True, kw_only=True):
    """What is going on now."""

    at: float
    version: str
    started_at: float
    health: str
    """Empty: ready."""
    sessions: tuple[SessionRecord, ...]
    running_turns: int
    turn_count: int
    turns: tuple[TurnRecord, ...]
    """Those after the number that was asked for."""
    engines: tuple[EngineRecord, ...]
    problem_count: int
    load: Sample | None


class LoadSamples(Struct, frozen=True):
    """How the server fared."""

    every_s: float
    samples: tuple[Sample, ...]


class ProblemList(Struct, frozen=True):
    problems: tuple[Problem, ...]


class SettingRecord(Struct, frozen=True, kw_only=True):
    """A setting as it holds; a secret is masked."""

    name: str
    value: Any
    default: Any
    accepted: str
    about: str
    about_zh: str
    """The same in Chinese."""


class SettingList(Struct, frozen=True):
    settings: tuple[SettingRecord, ...]


class RecordingRecord(Struct, frozen=True, kw_only=True):
    """A recording. `ended_at`: when it was last written."""

    session_id: str
    device_id: str
    started_at: float
    ended_at: float
    size_bytes: int


class RecordingList(Struct, frozen=True):
    recordings: tuple[RecordingRecord, ...]


RECORDS = (Live, LoadSamples, ProblemList, SettingList, RecordingList)
