from __future__ import annotations

import pytest
from tests.skills.conftest import Talk


@pytest.mark.parametrize(
    ("ask", "when", "answer", "due_in_s"),
    [
        ("remind me to buy milk", "in ten minutes", "All right, I'll remind you at 3:35 PM: buy milk.", 600),
        ("set an alarm", "at eight", "Your alarm is set: at 8:00 PM.", 16500),
        ("提醒我买牛奶", "十分钟后", "好的，下午3点35分提醒你：买牛奶。", 600),
        ("设一个闹钟", "晚上八点", "闹钟设好了：晚上8点。", 16500),
    ],
)
async def test_asks_for_what_is_missing(
    ask: str, when: str, answer: str, due_in_s: float, talk: Talk
) -> None:
    assert (await talk.ask(ask)).emotion == "thinking"
    assert await talk.say(when) == answer
    (timer,) = await talk.timers.of("kitchen")
    assert timer.due_at == talk.now + due_in_s


async def test_a_moment_alone_means_nothing(talk: Talk) -> None:
    assert (await talk.ask("tomorrow at nine")).emotion == "confused"
    assert (await talk.ask("明天九点")).emotion == "confused"


async def test_too_far_and_passed(talk: Talk) -> None:
    assert await talk.say("remind me to sleep today at 3 pm") == "That time has already passed."
    assert await talk.say("两年后提醒我换护照") == "我可以设一秒到一年的计时器。"


async def test_which_of_several(talk: Talk) -> None:
    await talk.say("remind me to feed the cat at 6 pm")
    await talk.say("remind me to feed the dog at 7 pm")
    assert (
        await talk.say("cancel the reminder")
        == "Which one: feed the cat at 6:00 PM and feed the dog at 7:00 PM?"
    )
    assert await talk.say("cancel the reminder to feed the dog") == "The reminder is cancelled."
    assert await talk.say("cancel the reminder to fly") == "I have no “fly” timer."
    assert await talk.say("cancel all reminders") == "The reminder is cancelled."
    assert await talk.say("cancel the reminder") == "You have no reminders."
