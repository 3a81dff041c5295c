"""The last turns, each with what happened when: for the operator's view. No word of what was said is kept.

lease ──▶ trace ──watched──▶ a turn's events ──▶ release ──▶ record, in a ring of `KEPT`
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from lumi.engines.base import Speaker
from lumi.voice.events import (
    Heard,
    ReplyDelta,
    ReplyDone,
    SentenceAudio,
    SentenceEnded,
    SpeakingStarted,
    StageFailed,
    ToolUsed,
    TurnEnded,
    TurnEvent,
)

KEPT = 300
"""Turns; some 100 kB."""

MOST_FAILURES = 8
MOST_TOOLS = 16
"""Of one turn; more are not noted."""

Emit = Callable[[TurnEvent], Awaitable[None]]
Kind = Literal["spoken", "typed", "notice", "written"]


class StageSpan(Struct, frozen=True):
    """From when to when a stage was at work, in milliseconds from the turn's beginning; `first_ms`: its first result."""

    name: Literal["hear", "stt", "llm", "tts", "speak"]
    start_ms: float
    end_ms: float
    first_ms: float | None = None


class Failure(Struct, frozen=True):
    """What an engine did not do."""

    stage: str
    engine: str
    trouble: str
    message: str


class TurnRecord(Struct, frozen=True, kw_only=True):
    """One turn that is over. `latency_ms`: from the end of the user's words to each stage's first result."""

    number: int
    """Counts up: ask for those after the last you have."""
    id: str
    session_id: str
    device_id: str
    kind: Kind
    started_at: float
    duration_ms: float
    ending: str
    latency_ms: dict[str, float]
    stages: tuple[StageSpan, ...]
    tools: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


class TurnHistory:
    """Owns the ring. `wall_clock` gives UNIX seconds."""

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._wall_clock = wall_clock
        self._ring: deque[TurnRecord] = deque(maxlen=KEPT)
        self.count = 0
        """Turns so far."""
        self.running = 0

    def trace(self) -> TurnTrace:
        """For a turn that begins."""
        return TurnTrace(self, self._wall_clock())

    def after(self, number: int) -> list[TurnRecord]:
        """Those that came after a number, in order."""
        return [record for record in self._ring if record.number > number]

    def add(self, record: TurnRecord) -> None:
        self._ring.append(record)


@dataclass(slots=True)
class _Marks:
    """When something happened, in the loop's seconds."""

    began: float
    heard: float | None = None
    first_word: float | None = None
    written: float | None = None
    voice: float | None = None
    sound: float | None = None
    spoken: float | None = None
    ended: float | None = None


@dataclass(slots=True)
class TurnTrace:
    """Follows one turn. `over` may be said more than once."""

    history: TurnHistory
    started_at: float
    _turn_id: str = ""
    _speaker: Speaker = field(default_factory=Speaker)
    _aloud: bool = True
    _marks: _Marks | None = None
    _latency_ms: dict[str, float] = field(default_factory=dict)
    _ending: str = "aborted"
    _tools: list[str] = field(default_factory=list)
    _failures: list[Failure] = field(default_factory=list)

    def watched(self, turn_id: str, speaker: Speaker, emit: Emit, *, aloud: bool) -> Emit:
        """The same `emit`, whose events are noted first."""
        self._turn_id, self._speaker, self._aloud = turn_id, speaker, aloud
        self._marks = marks = _Marks(_now())
        self.history.running += 1

        async def told(event: TurnEvent) -> None:
            self._note(marks, event)
            await emit(event)

        return told

    def over(self) -> None:
        """The turn is over, and what it had to say has been played."""
        marks, self._marks = self._marks, None
        if marks is None:
            return
        self.history.running -= 1
        self.history.count += 1
        self.history.add(self._record(marks, _now()))

    def _note(self, marks: _Marks, event: TurnEvent) -> None:
        now = _now()
        match event:
            case Heard(transcript=heard) if heard.is_final:
                marks.heard = now
            case ReplyDelta() if marks.first_word is None:
                marks.first_word = now
            case ReplyDone():
                marks.written = now
            case SpeakingStarted():
                marks.voice = now
            case SentenceAudio() if marks.sound is None:
                marks.sound = now
            case SentenceEnded():
                marks.spoken = now
            case TurnEnded():
                marks.ended = now
                self._ending, self._latency_ms = event.ending.value, dict(event.stages_ms)
            case _:
                self._note_rare(event)

    def _note_rare(self, event: TurnEvent) -> None:
        if isinstance(event, ToolUsed) and len(self._tools) < MOST_TOOLS:
            self._tools.append(f"{event.name}: {event.outcome}")
        elif isinstance(event, StageFailed) and len(self._failures) < MOST_FAILURES:
            failure = Failure(event.stage.value, event.engine, event.trouble.value, event.message)
            self._failures.append(failure)

    def _record(self, marks: _Marks, now: float) -> TurnRecord:
        return TurnRecord(
            number=self.history.count,
            id=self._turn_id,
            session_id=self._speaker.session_id,
            device_id=self._speaker.device_id,
            kind=self._kind(marks),
            started_at=self.started_at,
            duration_ms=round((now - marks.began) * 1000, 1),
            ending=self._ending,
            latency_ms=self._latency_ms,
            stages=tuple(spans(marks, self._latency_ms.get("stt"), now)),
            tools=tuple(self._tools),
            failures=tuple(self._failures),
        )

    def _kind(self, marks: _Marks) -> Kind:
        if not self._aloud:
            return "written"
        if marks.heard is None and (marks.written is not None or marks.voice is not None):
            return "notice"
        typed = marks.heard is not None and marks.ended is not None and "stt" not in self._latency_ms
        return "typed" if typed and not self._failures else "spoken"


def spans(marks: _Marks, stt_ms: float | None, now: float) -> list[StageSpan]:
    """The stages that a turn went through. The recogniser's time counts from the end of the user's words."""
    found: list[StageSpan] = []
    asked = marks.heard if marks.heard is not None else marks.began

    def add(
        name: Literal["hear", "stt", "llm", "tts", "speak"], start: float, end: float, first: float | None
    ) -> None:
        begins, ends = (round((at - marks.began) * 1000, 1) for at in (start, end))
        came = None if first is None else round((first - marks.began) * 1000, 1)
        found.append(StageSpan(name, begins, ends, came))

    if stt_ms is not None and marks.heard is not None:
        silent = max(marks.began, marks.heard - stt_ms / 1000)
        add("hear", marks.began, silent, None)
        add("stt", silent, marks.heard, None)
    elif marks.heard is None and marks.voice is None and marks.written is None:
        add("hear", marks.began, now, None)
    if marks.first_word is not None:
        add("llm", asked, marks.written or now, marks.first_word)
    if marks.voice is not None:
        add("tts", marks.voice, marks.spoken or now, marks.sound)
    if marks.sound is not None:
        add("speak", marks.sound, now, None)
    return found


def _now() -> float:
    return asyncio.get_running_loop().time()
