"""Nothing lost, nothing twice: processes that are killed in the middle of chats."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumi.bench.chaos.kills import KillPlan, kill_clients, kill_servers

pytestmark = pytest.mark.real


async def test_a_server_that_is_killed(tmp_path: Path) -> None:
    outcome = await kill_servers(KillPlan(5, 1, tmp_path), lambda _kills: None)
    assert outcome.problems == []
    assert outcome.chats > 5
    assert outcome.chats + outcome.remade == outcome.answers_made


async def test_a_client_that_is_killed(tmp_path: Path) -> None:
    outcome = await kill_clients(KillPlan(5, 1, tmp_path), lambda _kills: None)
    assert outcome.problems == []
    assert outcome.chats > 5
    assert outcome.chats == outcome.answers_made
