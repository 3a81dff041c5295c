"""Nothing lost, nothing twice: real clients, real server sessions, and lines that break."""

from __future__ import annotations

import pytest

from lumi.bench.chaos.boundaries import Conversation, every_cut
from lumi.bench.chaos.campaigns import cuts_at_boundaries, cuts_in_memory, cuts_with_disk
from lumi.bench.chaos.sockets import SocketCampaign, SocketPlan
from lumi.testing import clock
from lumi.testing.fault_proxy import Cut, Way


def test_every_message_boundary_lost_and_delivered() -> None:
    outcome = cuts_at_boundaries(1_000, 0, lambda _cuts: None)
    assert outcome.problems == []
    assert outcome.faults > 70
    assert outcome.chats == 3 * outcome.faults


def test_what_becomes_of_a_spoken_turn() -> None:
    """The line breaks while the user speaks: it is gone, and whoever speaks is told. While the server answers: its
    text comes in place of the speech. Right after the last word, when only `tts stop` is lost: nothing more.
    """
    calm = Conversation(None)
    assert clock.run(calm.run()) == []
    ends = {}
    for cut in every_cut(calm.frames):
        talk = Conversation(cut)
        assert clock.run(talk.run()) == []
        spoken = talk.spoken
        ends[cut] = (talk.heard, spoken.transcripts, spoken.stops, spoken.responses)
        assert spoken.said or not talk.heard
    stop_lost = Cut(Way.DOWN, calm.frames[Way.DOWN], lost=True)
    assert ends.pop(stop_lost) == (1, 1, 0, 0)
    assert set(ends.values()) == {(0, 0, 0, 0), (1, 1, 1, 0), (1, 1, 0, 1)}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_cuts_and_forty_restarts(seed: int) -> None:
    outcome = cuts_in_memory(1_000, seed, lambda _cuts: None)
    assert outcome.problems == []
    assert outcome.faults >= 1_000
    assert outcome.restarts == 40
    assert outcome.chats > 1_000
    assert outcome.chats + outcome.remade == outcome.answers_made
    assert outcome.remade > 0, "no server died in the middle of an answer: the campaign is too kind"


def test_cuts_with_the_queue_on_disk() -> None:
    outcome = cuts_with_disk(300, 3, lambda _cuts: None)
    assert outcome.problems == []
    assert outcome.faults >= 300
    assert outcome.restarts == 12


@pytest.mark.real
async def test_real_sockets_cut_at_any_byte() -> None:
    outcome = await SocketCampaign(SocketPlan(cuts=30, seed=1), lambda _cuts: None).run()
    assert outcome.problems == []
    assert outcome.faults >= 30
    assert outcome.chats == outcome.answers_made > 30
