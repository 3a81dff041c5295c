from collections.abc import AsyncIterator

import pytest

from lumi.engines.base import Prompt, Speaker, Transcript
from lumi.engines.guarded_duplex import GuardedDuplex
from lumi.engines.roster import Member, Roster
from lumi.errors import EngineError, Trouble
from lumi.testing.engines import ScriptedDuplex

AWAY = EngineError("far", "connection refused", trouble=Trouble.UNREACHABLE)


async def sound() -> AsyncIterator[bytes]:
    yield b"aa"


async def test_a_model_that_does_not_work_is_not_tried_again_at_once():
    duplex = ScriptedDuplex([[Transcript("a")], [AWAY]])
    guarded = GuardedDuplex(Roster("duplex", [Member("far", "duplex.engine", duplex)], slow_s=5))
    await guarded.start()
    assert (guarded.name, guarded.sample_rate_hz) == ("scripted-duplex", 24_000)
    assert [event async for event in guarded.converse(sound(), Prompt(()))] == [Transcript("a")]
    for says in ("connection refused", "left out"):
        with pytest.raises(EngineError, match=says):
            assert [event async for event in guarded.converse(sound(), Prompt(()))]
    assert len(duplex.prompts) == 2
    guarded.interrupted(Speaker(), 120.0)
    assert duplex.cut_at_ms == [120.0]
    await guarded.aclose()
    assert duplex.closed
