import pytest

from lumi.errors import Overloaded, RateLimited
from lumi.server.fair_share import MOST_TRACKED, CodePace, find_place, is_shared


@pytest.mark.parametrize(
    ("address", "shared"),
    [("127.0.0.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("", True), ("192.0.2.7", False)],
)
def test_behind_a_proxy_on_this_machine_an_address_says_nothing(address: str, shared: bool):
    assert is_shared(address) is shared


def place(taken: dict[str, str], address: str) -> str | None:
    return find_place(taken, address, most=4, share=3, retry_s=60.0)


def waiting(*addresses: str) -> dict[str, str]:
    return {f"{number}": address for number, address in enumerate(addresses)}


def test_as_long_as_there_is_room_everybody_gets_some():
    assert place({}, "192.0.2.7") is None
    assert place(waiting("192.0.2.7", "192.0.2.7"), "192.0.2.7") is None


def test_one_address_gets_no_more_than_its_share():
    with pytest.raises(RateLimited, match="3 from this address") as refused:
        place(waiting("192.0.2.7", "192.0.2.7", "192.0.2.7"), "192.0.2.7")
    assert refused.value.retry_after_s == 60.0
    with pytest.raises(RateLimited):
        place(waiting("2001:db8::1", "2001:db8::2", "2001:db8::ffff:3"), "2001:db8::4")
    assert place(waiting("2001:db8::1", "2001:db8::2", "2001:db8::3"), "2001:db8:0:1::1") is None


def test_whoever_comes_to_a_full_house_gets_the_oldest_place_of_who_has_most():
    assert place(waiting("192.0.2.1", "192.0.2.7", "192.0.2.7", "192.0.2.2"), "192.0.2.9") == "1"
    assert place(waiting("192.0.2.1", "", "", ""), "192.0.2.9") == "1"


def test_where_nobody_has_more_than_the_next_would_have_it_has_to_wait():
    with pytest.raises(Overloaded, match="4 wait") as refused:
        place(waiting("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"), "192.0.2.9")
    assert not isinstance(refused.value, RateLimited)
    with pytest.raises(Overloaded):
        place(waiting("192.0.2.1", "192.0.2.1", "192.0.2.9", "192.0.2.2"), "192.0.2.9")


def test_a_proxys_peers_have_no_share_but_make_room_for_others():
    taken = waiting("127.0.0.1", "127.0.0.1", "127.0.0.1")
    assert place(taken, "127.0.0.1") is None
    with pytest.raises(Overloaded):
        place(waiting(*["127.0.0.1"] * 4), "127.0.0.1")
    assert place(waiting(*["127.0.0.1"] * 4), "192.0.2.7") == "0"


def take(pace: CodePace, address: str, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        pace.take(address, now)


def test_an_address_that_took_its_part_waits_and_others_do_not():
    pace = CodePace(per_s=0.4, at_once=8, parts=4)
    take(pace, "192.0.2.7", 2)
    with pytest.raises(RateLimited) as refused:
        pace.take("::ffff:192.0.2.7", 0.0)
    assert refused.value.retry_after_s == pytest.approx(10.0)
    take(pace, "192.0.2.8", 2)
    take(pace, "192.0.2.7", 1, now=10.0)
    with pytest.raises(RateLimited):
        pace.take("192.0.2.7", 10.0)


def test_nobodys_codes_keep_an_address_from_its_first():
    pace = CodePace(per_s=0.4, at_once=8, parts=4)
    take(pace, "127.0.0.1", 8)
    with pytest.raises(Overloaded) as refused:
        pace.take("127.0.0.1", 0.0)
    assert refused.value.retry_after_s == pytest.approx(2.5)
    pace.take("192.0.2.7", 0.0)
    with pytest.raises(Overloaded) as refused:
        pace.take("192.0.2.7", 0.0)
    assert not isinstance(refused.value, RateLimited), "it had one of its own left, and still has"
    pace.take("192.0.2.7", 2.5)


def test_only_so_many_addresses_are_kept_in_mind_and_none_of_more_has_a_first_one():
    pace = CodePace(per_s=0.4, at_once=8, parts=4)
    for number in range(2 * MOST_TRACKED):
        try:
            pace.take(f"2001:db8:0:{number:x}::1", 0.0)
        except Overloaded:
            assert number >= MOST_TRACKED
        else:
            assert number < MOST_TRACKED
    assert len(pace) == MOST_TRACKED
    pace.take("192.0.2.7", 100.0)
    assert len(pace) == 1, "whoever has all of its part again is as good as new"
