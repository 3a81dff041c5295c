from __future__ import annotations

import pytest
from tests.skills.conftest import Talk


@pytest.mark.parametrize(
    ("question", "emotion", "answer"),
    [
        ("what is 2 plus 2", "confident", "2 + 2 = 4."),
        ("what is 10 divided by 3", "confident", "10 ÷ 3 is about 3.33333."),
        ("what is the square root of 9", "confident", "The square root of 9 is 3."),
        ("what is the square root of 3", "confident", "The square root of 3 is about 1.73205."),
        ("what is 1 divided by 0", "winking", "Nobody can divide by zero, not even me."),
        ("what is 10 to the power of 9999", "surprised", "That number is too large for me to work out."),
        ("what is 10 to the power of 100", "surprised", "That number is too large for me to work out."),
        ("split ten by four", "confident", "10 ÷ 4 = 2.5."),
        ("5除以0", "winking", "零不能做除数，谁也算不出来。"),
        ("十的九千次方", "surprised", "这个数太大了，我算不了。"),
    ],
)
async def test_works_out_or_says_why_not(question: str, emotion: str, answer: str, talk: Talk) -> None:
    reply = await talk.ask(question)
    assert (reply.emotion, reply.text) == (emotion, answer)
