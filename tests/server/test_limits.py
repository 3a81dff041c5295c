import pytest

from lumi.server.limits import Addresses, Allowance, Bucket, Rates, network_of


def test_a_bucket_gives_what_flowed_in_and_says_how_long_the_rest_takes():
    bucket = Bucket(rate=2.0, burst=4.0, now=0.0)
    assert [bucket.take(1, 0.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.0, 0.5]
    assert bucket.take(1, 0.5) == 0.0
    assert bucket.take(3, 1.0) == 1.0
    assert bucket.take(4, 100.0) == 0.0


def test_more_than_fits_at_once_is_given_once_the_bucket_is_full():
    bucket = Bucket(rate=1.0, burst=2.0, now=0.0)
    assert bucket.take(10, 0.0) == 0.0
    assert bucket.take(1, 1.0) == pytest.approx(8.0)


def test_messages_and_sound_are_counted_apart():
    allowance = Allowance(Rates(messages_per_s=1.0, audio_bytes_per_s=10.0, flood_s=5.0), 0.0)
    assert [allowance.spend("x", 0.0) for _ in range(11)] == [0.0] * 10 + [1.0]
    assert allowance.spend(bytes(200), 0.0) == 0.0
    assert allowance.spend(b"x", 0.0) == pytest.approx(0.1)


def test_who_goes_on_for_too_long_floods():
    allowance = Allowance(Rates(messages_per_s=1.0, flood_s=5.0), 0.0)
    waits = [allowance.spend("x", number / 10) for number in range(60)]
    assert waits.count(0.0) < 20
    assert not allowance.is_flood
    for number in range(60, 70):
        allowance.spend("x", number / 10)
    assert allowance.is_flood


def test_who_stops_for_a_while_is_forgiven():
    allowance = Allowance(Rates(messages_per_s=1.0, flood_s=5.0), 0.0)
    for _ in range(10):
        allowance.spend("x", 0.0)
    for second in range(0, 60, 4):
        allowance.spend("x", second)
        allowance.spend("x", second)
        assert not allowance.is_flood


def test_a_place_that_is_full_takes_nobody_until_somebody_leaves():
    addresses = Addresses(limit=2)
    assert [addresses.enter("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert addresses.enter("10.0.0.2")
    addresses.leave("10.0.0.1")
    assert addresses.enter("10.0.0.1")
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        addresses.leave(address)
    assert len(addresses) == 0


def test_this_machine_is_exempt():
    addresses = Addresses(limit=1)
    assert all(addresses.enter("127.0.0.1") and addresses.enter("::1") for _ in range(5))
    addresses.leave("127.0.0.1")
    assert len(addresses) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("a name", "a name"),
    ],
)
def test_whom_an_address_stands_for(address: str, network: str):
    assert network_of(address) == network


def test_a_machine_with_many_addresses_is_one():
    addresses = Addresses(limit=2)
    assert [addresses.enter(f"2001:db8::{host}") for host in "123"] == [True, True, False]
    assert addresses.enter("2001:db8:0:1::1")
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"):
        addresses.leave(address)
    assert len(addresses) == 0
