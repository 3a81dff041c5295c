"""The page waits between two tries as the Python client does, and tells the same errors from each other."""

from __future__ import annotations

from itertools import islice

from tests.web.browsing import IN_BROWSER

from lumi.client.reconnection import FIRST_DELAY_S, MAX_ASKED_DELAY_S, MAX_DELAY_S, backoff
from lumi.protocol.codes import ERROR_NUMBERS, FATAL_CLOSE_CODES, RETRYABLE

pytestmark = IN_BROWSER


async def test_the_waits_are_the_python_clients(module_page):
    told = await module_page.evaluate(
        """async () => {
          const { backoff, FIRST_DELAY_S, MAX_DELAY_S, MAX_ASKED_DELAY_S } = await import("/sdk/reconnection.js");
          const take = (steps, n) => Array.from({ length: n }, () => steps.next().value);
          return [[FIRST_DELAY_S, MAX_DELAY_S, MAX_ASKED_DELAY_S], take(backoff(), 100), [...backoff({ firstS: 0.5, capS: 3, tries: 5 })]];
        }"""
    )
    assert told[0] == [FIRST_DELAY_S, MAX_DELAY_S, MAX_ASKED_DELAY_S]
    assert told[1] == list(islice(backoff(tries=None), 100))
    assert told[2] == list(backoff(first_s=0.5, cap_s=3, tries=5))


async def test_pages_that_lost_one_server_do_not_come_back_at_one_moment(module_page):
    least, most, different = await module_page.evaluate(
        """async () => {
          const { spread } = await import("/sdk/reconnection.js");
          const all = Array.from({ length: 200 }, () => spread(8));
          return [Math.min(...all), Math.max(...all), new Set(all).size];
        }"""
    )
    assert 6 <= least < 6.5 < 7.5 < most <= 8
    assert different > 100


async def test_a_server_may_ask_for_a_longer_wait_and_what_is_final_has_none(module_page):
    told = await module_page.evaluate(
        """async () => {
          const { backoff, nextWait } = await import("/sdk/reconnection.js");
          const error = (retryable, retryAfterS = null) => ({ retryable, retryAfterS });
          const steps = backoff({ tries: 4 });
          return [error(true), error(true, 30), error(true, 1e9), error(false), error(true), error(true)]
            .map((one) => nextWait(steps, one));
        }"""
    )
    assert told == [1, 30, MAX_ASKED_DELAY_S, None, 8, None]


async def test_which_ends_are_final(module_page):
    codes = [1000, 1001, 1005, 1006, 1009, 1011, 1013, 4401, 4408, 4409]
    told = await module_page.evaluate(
        """async (codes) => {
          const { closedError } = await import("/sdk/errors.js");
          return codes.map((code) => closedError({ code, reason: "" }).retryable);
        }""",
        codes,
    )
    assert {code for code, retryable in zip(codes, told, strict=True) if not retryable} == FATAL_CLOSE_CODES


async def test_which_errors_of_a_server_are_final(module_page):
    codes = [code.value for code in ERROR_NUMBERS]
    told = await module_page.evaluate(
        """async (codes) => {
          const { serverError } = await import("/sdk/errors.js");
          return codes.map((error_code) => serverError({ error_code, error_message: "why" }).retryable);
        }""",
        codes,
    )
    assert {code for code, retryable in zip(codes, told, strict=True) if retryable} == {
        one.value for one in RETRYABLE
    }
