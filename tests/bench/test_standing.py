from __future__ import annotations

import pytest

from lumi.bench import standing
from lumi.bench.processes import BenchFailed
from lumi.bench.standing import Standing, measure, sentences


@pytest.mark.real
async def test_a_real_server_is_started_and_holds_connections():
    found = await measure(starts=1, links=20, seconds=1.0)
    assert len(found.start_s) == len(found.start_cpu_s) == 1
    assert found.start_cpu_s[0] > 0.1
    assert 0.1 < found.start_s[0] < 60
    assert found.links == 20
    assert found.link_kib >= 0


@pytest.mark.real
async def test_a_server_that_never_listens_is_told(monkeypatch):
    monkeypatch.setattr(standing, "PATIENCE_S", 0.3)
    with pytest.raises(TimeoutError):
        await standing.greeted("ws://127.0.0.1:9/", 0)
    with pytest.raises(BenchFailed, match=r"not ready after 0\.3 s"):
        standing._well("http://127.0.0.1:9/")


def test_what_people_read():
    told = sentences(Standing([1.0, 3.0, 2.0], [0.5, 0.7, 0.6], 1000, 40.0, 0.5))
    assert told == (
        "From the command to the first answered hello: 2.00 s, of which 0.60 s CPU (median of 3).\n"
        "1000 connections on which nothing happens: 40.0 KiB each, 0.5 % of a core together."
    )
