from __future__ import annotations

from lumi.tui.entries import Entries, Progress, Speaker
from lumi.tui.wording import quote


def texts(entries: Entries) -> list[str]:
    return [entry.words.en for entry in entries]


def test_the_oldest_entry_makes_room():
    entries = Entries(limit=2)
    assert entries.last() is None
    first = entries.add(Speaker.YOU, quote("one"))
    entries.add(Speaker.LUMI, quote("two"))
    third = entries.add(Speaker.YOU, quote("three"))
    assert texts(entries) == ["two", "three"]
    assert [entry.number for entry in entries] == [2, 3]
    assert entries.last() == third
    entries.change(first, words=quote("changed"))
    assert texts(entries) == ["two", "three"]


def test_the_latest_entry_with_a_key_is_found():
    entries = Entries()
    entries.add(Speaker.YOU, quote("old"), key="a")
    entries.add(Speaker.YOU, quote("new"), key="a")
    entries.add(Speaker.LUMI, quote("answer"), key="a")
    found = entries.find(Speaker.YOU, "a")
    assert found is not None
    assert found.words == quote("new")
    assert entries.find(Speaker.YOU, "b") is None


def test_an_entry_changes_where_it_stands():
    entries = Entries()
    entry = entries.add(Speaker.LUMI, quote("It"), progress=Progress.GROWING, emotion="🙂")
    entries.add(Speaker.YOU, quote("after"))
    entries.change(entry, words=quote("It is"))
    entries.change(entry, progress=Progress.DONE)
    entries.change(entry, speaker=Speaker.BELL)
    changed = next(iter(entries))
    assert changed.speaker is Speaker.BELL
    assert (changed.words, changed.progress, changed.emotion) == (quote("It is"), Progress.DONE, "🙂")
    assert texts(entries) == ["It is", "after"]
