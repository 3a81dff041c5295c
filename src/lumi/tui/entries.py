"""What was said, in order: a bounded list of entries that may still grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from lumi.tui.wording import Words

MAX_ENTRIES = 500
"""Shown at once; beyond, the oldest is forgotten (the server keeps the dialogue, this is a screen)."""


class Speaker(StrEnum):
    """Whose entry it is."""

    YOU = "you"
    LUMI = "lumi"
    BELL = "bell"
    NOTICE = "notice"
    ERROR = "error"


class Progress(StrEnum):
    """How far it has come."""

    WAITING = "waiting"
    """Yours, not sent yet."""
    GROWING = "growing"
    """Lumi's, more will come."""
    DONE = "done"
    UNSENT = "unsent"
    """Yours, and it will not be answered."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution. `number` never changes and never repeats; `key` is the message's or the turn's id."""

    number: int
    speaker: Speaker
    words: Words
    key: str = ""
    progress: Progress = Progress.DONE
    emotion: str = ""


class Entries:
    """Keeps the last `limit` entries."""

    def __init__(self, limit: int = MAX_ENTRIES) -> None:
        self._limit = limit
        self._entries: dict[int, Entry] = {}
        self._last_number = 0

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def add(
        self,
        speaker: Speaker,
        words: Words,
        *,
        key: str = "",
        progress: Progress = Progress.DONE,
        emotion: str = "",
    ) -> Entry:
        """Append; the oldest makes room."""
        self._last_number += 1
        entry = Entry(self._last_number, speaker, words, key, progress, emotion)
        self._entries[entry.number] = entry
        if len(self._entries) > self._limit:
            del self._entries[next(iter(self._entries))]
        return entry

    def find(self, speaker: Speaker, key: str) -> Entry | None:
        """The latest entry of `speaker` with this key."""
        return next(
            (
                entry
                for entry in reversed(self._entries.values())
                if entry.key == key and entry.speaker is speaker
            ),
            None,
        )

    def change(
        self,
        entry: Entry,
        *,
        words: Words | None = None,
        progress: Progress | None = None,
        speaker: Speaker | None = None,
    ) -> None:
        """Change an entry where it stands; nothing where it is forgotten already."""
        present = self._entries.get(entry.number)
        if present is not None:
            self._entries[entry.number] = replace(
                present,
                words=words or present.words,
                progress=progress or present.progress,
                speaker=speaker or present.speaker,
            )

    def last(self) -> Entry | None:
        return next(reversed(self._entries.values()), None)
