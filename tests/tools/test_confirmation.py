from __future__ import annotations

import asyncio

import pytest

from lumi.engines.base import ToolCall
from lumi.tools.confirmation import KEPT_S, Answered, Confirmation, is_no, is_yes

UNLOCK = ToolCall("1", "unlock", "{}")


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes!", "Yes, please.", "OK", "go ahead", "是的。", "好的", "确定", "是的，请执行", "可以！"],
)
def test_a_clear_yes(text: str):
    assert is_yes(text)
    assert not is_no(text)


@pytest.mark.parametrize(
    "text", ["no", "No, thanks.", "don't", "don’t do it", "cancel", "不要", "算了。", "别"]
)
def test_a_clear_no(text: str):
    assert is_no(text)
    assert not is_yes(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes but not the front door",
        "yes and order pizza",
        "is it raining",
        "yesterday",
        "不是的是",
        "好像不对",
        "maybe",
        "y",
        "!",
    ],
)
def test_neither(text: str):
    assert not is_yes(text)
    assert not is_no(text)


async def test_a_yes_gives_the_call_once():
    confirmation = Confirmation()
    confirmation.ask(UNLOCK)
    assert confirmation.answered("Yes.") == Answered(call=UNLOCK)
    assert confirmation.answered("Yes.") == Answered()


@pytest.mark.parametrize(("text", "declined"), [("no", True), ("what time is it", False)])
async def test_anything_else_drops_it(text: str, declined: bool):
    confirmation = Confirmation()
    confirmation.ask(UNLOCK)
    assert confirmation.answered(text) == Answered(declined=declined)
    assert confirmation.answered("yes") == Answered()


async def test_a_late_yes_is_none():
    confirmation = Confirmation()
    confirmation.ask(UNLOCK)
    await asyncio.sleep(KEPT_S + 1)
    assert confirmation.answered("yes") == Answered()


async def test_only_the_last_question_is_open():
    confirmation = Confirmation()
    confirmation.ask(UNLOCK)
    confirmation.ask(ToolCall("2", "order", "{}"))
    call = confirmation.answered("yes").call
    assert call is not None
    assert call.name == "order"
