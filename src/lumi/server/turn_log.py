"""A spoken turn's lines in the log: what failed in it, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from lumi.server.log import Subject, logger
from lumi.voice.events import StageFailed, TurnEnded, TurnEvent

log = logger(Subject.VOICE)


def write_down(event: TurnEvent, tools: Sequence[str]) -> None:
    """Note an event that belongs in the log. `tools` are those that were called, and how that went."""
    match event:
        case StageFailed(stage=stage):
            log.warning(
                "stage failed",
                turn=event.turn_id,
                stage=str(stage),
                engine=event.engine,
                trouble=str(event.trouble),
                error=event.message,
            )
        case TurnEnded(ending=ending):
            used = {"tools": list(tools)} if tools else {}
            log.info("turn ended", turn=event.turn_id, ending=str(ending), **used, **event.stages_ms)
        case _:
            pass
