from __future__ import annotations

from tests.skills.conftest import Talk, Talks


async def test_keeps_the_name_between_sessions(talks: Talks) -> None:
    before = talks()
    assert await before.say("my name is ada lovelace") == "Nice to meet you, Ada Lovelace."
    after = talks("zh", store=before.store)
    assert await after.say("我叫什么名字") == "你叫Ada Lovelace。"
    await after.say("我叫小明")
    assert await after.say("what is my name") == "Your name is 小明."


async def test_a_name_that_is_none_is_not_taken(talk: Talk) -> None:
    assert (await talk.ask("my name is one two three four five")).emotion == "confused"


async def test_repeats_what_was_said_last(talk: Talk) -> None:
    assert await talk.say("say that again") == "I haven't said anything yet."
    await talk.say("17 * 23")
    assert await talk.say("what did you say") == "17 × 23 = 391."
    assert await talk.say("再说一遍") == "17 × 23 = 391."


async def test_yes_and_no_go_with_a_question(talk: Talk) -> None:
    assert (await talk.say("yes")).startswith("I haven't asked anything.")
    assert await talk.say("no") == "All right."
    await talk.say("add milk to my shopping list")
    await talk.say("clear my shopping list")
    assert await talk.say("no thanks") == "All right, I'll leave it as it is."
