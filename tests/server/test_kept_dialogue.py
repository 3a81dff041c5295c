from __future__ import annotations

from lumi.server.kept_dialogue import KeptDialogue
from lumi.store.memory import MemoryStore
from lumi.testing.clock import WallClock
from lumi.voice.dialogue import Dialogue


async def test_a_turn_that_was_kept_comes_back_to_a_session_taken_up_again() -> None:
    store, said = MemoryStore(), Dialogue()
    kept = KeptDialogue("s-1", said, store.dialogues, WallClock())
    said.heard_user("t-1", "set a timer")
    said.answered("t-1", "For how long?")
    said.heard_user("t-2", "not yet settled")
    await kept.keep("t-1")
    again = Dialogue()
    await KeptDialogue("s-1", again, store.dialogues, WallClock()).restore()
    assert [(entry.role, entry.content) for entry in again.entries] == [
        ("user", "set a timer"),
        ("assistant", "For how long?"),
    ]


async def test_a_store_that_fails_is_no_reason_to_fail() -> None:
    store, said = MemoryStore(), Dialogue()
    await store.aclose()
    said.heard_user("t-1", "hello")
    await KeptDialogue("s-1", said, store.dialogues, WallClock()).keep("t-1")
