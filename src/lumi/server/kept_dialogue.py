"""One session's dialogue in the store, for a client that comes back to a server started anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lumi.errors import StoreError
from lumi.server.log import Subject, logger
from lumi.store.base import DialogueEntry, DialogueStore
from lumi.voice.dialogue import Dialogue

log = logger(Subject.SESSION)


@dataclass(frozen=True, slots=True)
class KeptDialogue:
    """What stands in `dialogue` as it will stay goes into the store.

    Args:
        session_id: whose it is.
        dialogue: what was said.
        store: where it is kept.
        wall_clock: UNIX seconds.
    """

    session_id: str
    dialogue: Dialogue
    store: DialogueStore
    wall_clock: Callable[[], float]

    async def restore(self) -> None:
        """Remember what was stored."""
        for entry in await self.store.load(self.session_id):
            self.dialogue.remember(entry.role, entry.content)

    async def keep(self, turn_id: str) -> None:
        """Store a turn. A store that fails costs a later server what was said, and nobody else anything."""
        now = self.wall_clock()
        said = [entry for entry in self.dialogue.entries if entry.turn_id == turn_id]
        try:
            await self.store.append(
                self.session_id, [DialogueEntry(entry.role, entry.content, now) for entry in said]
            )
        except StoreError as error:
            log.warning("dialogue not safe", session=self.session_id, error=str(error))
