import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.server.tokens import AHEAD_S, VALID_S, Judgement, judge, make, may_have_token, same

SECRET = "s" * 43
NOW = 1_700_000_000.5


def test_a_token_is_made_as_the_protocol_says():
    digest = hmac.new(SECRET.encode(), b"client|aa:bb|1700000000", hashlib.sha256).digest()
    expected = base64.urlsafe_b64encode(digest).decode().rstrip("=") + ".1700000000"
    assert make(SECRET, "client", "aa:bb", NOW) == expected
    assert judge(SECRET, expected, "client", "aa:bb", NOW) is Judgement.VALID


@pytest.mark.parametrize(
    ("later_s", "judgement"),
    [
        (0, Judgement.VALID),
        (VALID_S - 2, Judgement.VALID),
        (VALID_S, Judgement.EXPIRED),
        (-AHEAD_S, Judgement.VALID),
        (-AHEAD_S - 1, Judgement.WRONG),
    ],
)
def test_it_holds_thirty_days_and_not_from_the_future(later_s, judgement):
    assert judge(SECRET, make(SECRET, "c", "d", NOW), "c", "d", NOW + later_s) is judgement


def test_older_tokens_of_a_device_can_be_made_void_within_the_same_second():
    old = make(SECRET, "c", "d", NOW)
    tokens_from = int(NOW) + 1
    assert judge(SECRET, old, "c", "d", NOW, tokens_from=tokens_from) is Judgement.VOID
    new = make(SECRET, "c", "d", NOW, tokens_from=tokens_from)
    assert judge(SECRET, new, "c", "d", NOW, tokens_from=tokens_from) is Judgement.VALID


def test_another_secret_another_device_another_time_are_wrong():
    token = make(SECRET, "c", "d", NOW)
    signature, _, made_at = token.rpartition(".")
    assert judge("t" * 43, token, "c", "d", NOW) is Judgement.WRONG
    assert judge(SECRET, token, "x", "d", NOW) is Judgement.WRONG
    assert judge(SECRET, token, "c", "x", NOW) is Judgement.WRONG
    assert judge(SECRET, f"{signature}.{int(made_at) + 1}", "c", "d", NOW) is Judgement.WRONG
    assert judge(SECRET, f"{token}=", "c", "d", NOW) is Judgement.WRONG


def test_names_that_could_be_read_in_two_ways_get_no_token():
    assert not may_have_token("a|b", "c")
    assert not may_have_token("a", "b|c")
    assert not may_have_token("a", "")
    assert may_have_token("", "a")
    assert judge(SECRET, make(SECRET, "a", "b|c", NOW), "a|b", "c", NOW) is Judgement.WRONG


@pytest.mark.parametrize("token", ["\udcff", "\udcff.1", "1.\udcff", "a.\udcff.1700000000", "é.1700000000"])
def test_bytes_that_are_no_text_are_a_wrong_token(token):
    assert judge(SECRET, token, "c", "d", NOW) is Judgement.WRONG
    assert same(token, token)
    assert not same(token, token.encode("utf-8", "surrogatepass").decode("latin-1"))


anything = st.text(st.characters(exclude_categories=()))
"""Surrogates too: so a header's bytes come that are no UTF-8."""


@given(anything, anything, anything)
def test_no_text_is_a_token_and_none_is_too_strange_to_be_told_so(token, client_id, device_id):
    assert judge(SECRET, token, client_id, device_id, NOW) is Judgement.WRONG
    assert judge(SECRET, f"{token}.1", client_id, device_id, NOW) is Judgement.WRONG
