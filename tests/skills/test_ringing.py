from __future__ import annotations

from lumi.skills import ringing
from lumi.skills.ringing import Ringing
from lumi.store.base import Timer


def timer(timer_id: str, owner: str = "a") -> Timer:
    return Timer(timer_id, owner, 0.0, "timer", "", "en", 0.0, 1.0)


def test_what_is_under_way_or_done_is_not_ready() -> None:
    memory = Ringing()
    one, two, three = timer("1"), timer("2"), timer("3")
    memory.begin(one)
    memory.begin(two)
    memory.heard(two, 5.0)
    assert memory.ready([one, two, three], 0.0) == [three]
    assert memory.known == 2
    assert [memory.was_tried(name) for name in "123"] == [False, True, False]
    last = memory.last("a")
    assert last
    assert (last.timer, last.at) == (two, 5.0)
    memory.silence("a")
    assert memory.last("a") is None


def test_the_unheard_wait_for_their_time_or_their_device() -> None:
    memory = Ringing()
    mine, other = timer("1"), timer("2", "b")
    for each in (mine, other):
        memory.begin(each)
        memory.unheard(each, 30.0)
        assert memory.was_tried(each.id)
    assert memory.next_retry() == 30.0
    assert memory.ready([mine, other], 29.0) == []
    memory.offer("a")
    assert memory.ready([mine, other], 29.0) == [mine]
    assert memory.ready([mine, other], 30.0) == [mine, other]
    memory.keep_only(["2"])
    assert memory.known == 1


def test_an_offer_during_the_ring_counts() -> None:
    memory = Ringing()
    memory.begin(timer("1"))
    memory.offer("a")
    memory.unheard(timer("1"), 30.0)
    assert memory.ready([timer("1")], 0.0) == [timer("1")]
    assert Ringing().next_retry() is None


def test_what_is_gone_from_the_store_is_forgotten() -> None:
    memory = Ringing()
    memory.begin(timer("1"))
    memory.heard(timer("1"), 0.0)
    memory.keep_only(["1"])
    assert memory.done == {"1"}
    memory.keep_only([])
    assert not memory.done


def test_remembers_only_so_many_owners() -> None:
    memory = Ringing()
    for number in range(ringing.MAX_RUNG + 1):
        each = timer(str(number), str(number))
        memory.begin(each)
        memory.heard(each, 0.0)
    assert memory.last("0") is None
    assert memory.last(str(ringing.MAX_RUNG)) is not None


def test_what_was_not_heard_after_all_may_ring_again() -> None:
    memory = Ringing()
    one, other = timer("1"), timer("2")
    for each in (one, other):
        memory.begin(each)
        memory.heard(each, 5.0)
    memory.restore(one)
    assert memory.ready([one, other], 0.0) == [one]
    assert memory.last("a") is not None, "another one has rung since"
    memory.restore(other)
    assert memory.last("a") is None
