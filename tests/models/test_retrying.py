from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.models.retrying import LONGEST_WAIT_S, WAITS_S, wait_s


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_no_is_a_no(status: int):
    assert wait_s(1, status) is None


def test_waits_grow_and_end():
    waits = [wait_s(failures) for failures in range(1, len(WAITS_S) + 2)]
    assert waits == [*WAITS_S, None]


def test_the_server_may_ask_for_more_but_not_for_ever():
    assert wait_s(1, 503, "30") == 30
    assert wait_s(1, 503, "0") == WAITS_S[0]
    assert wait_s(1, 429, "86400") == LONGEST_WAIT_S
    assert wait_s(1, 503, "Wed, 21 Oct 2026 07:28:00 GMT") == WAITS_S[0]


@given(st.integers(1, 50), st.none() | st.integers(100, 599), st.text(max_size=8))
def test_whatever_comes_the_answer_is_a_time_or_the_end(failures: int, status: int | None, header: str):
    pause = wait_s(failures, status, header)
    assert pause is None or 0 <= pause <= LONGEST_WAIT_S
