import pytest

from lumi.engines.openai_credit import codes_of, used_up

USED_UP = [
    (402, "Insufficient Balance", {"message": "Insufficient Balance", "code": "invalid_request_error"}),
    (429, "You exceeded your current quota.", {"type": "insufficient_quota", "code": "insufficient_quota"}),
    (429, "Your account is not active", {"error": {"type": "exceeded_current_quota_error"}}),
    (403, "Sorry, your account balance is insufficient", {"code": 30001}),
    (400, "Your credit balance is too low to access the API.", {"type": "invalid_request_error"}),
    (429, "余额不足或无可用资源包,请充值。", {"code": "1113"}),
    (0, "error", {"code": "Arrearage"}),
    (0, "Insufficient credits. Add more", None),
]
NOT_USED_UP = [
    (429, "Rate limit reached.", {"code": "rate_limit_exceeded"}),
    (429, "You exceeded your current quota, please check your plan and billing details. Retry in 3 s.", {}),
    (
        429,
        "Limit 6000 tokens per minute. Upgrade at https://example.org/settings/billing",
        {"type": "tokens"},
    ),
    (403, "Insufficient permissions for this operation", {}),
    (400, "This model needs more memory than is available", ["what"]),
    (500, "no credit card service today", "plain"),
]


@pytest.mark.parametrize(("status", "said", "body"), USED_UP)
def test_an_account_that_is_used_up_is_known_however_a_service_says_it(status: int, said: str, body: object):
    assert used_up(status, said, codes_of(body))


@pytest.mark.parametrize(("status", "said", "body"), NOT_USED_UP)
def test_a_limit_that_passes_or_another_refusal_is_none(status: int, said: str, body: object):
    assert not used_up(status, said, codes_of(body))


def test_codes_are_read_from_an_error_within_an_error():
    assert codes_of({"error": {"code": 402, "type": "Insufficient_Quota"}}) == {"402", "insufficient_quota"}
    assert codes_of("insufficient_quota") == frozenset()
