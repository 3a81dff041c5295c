from __future__ import annotations

from tests.skills.conftest import Talk, Talks

from lumi.skills.lists import MAX_ITEMS, MAX_READ


async def test_lists_outlive_the_process(talks: Talks) -> None:
    before = talks()
    await before.say("add milk to my shopping list")
    after = talks(store=before.store)
    assert await after.say("what is on my shopping list") == "There is one item on your shopping list: milk."


async def test_both_languages_mean_the_same_lists(talk: Talk) -> None:
    await talk.say("把牛奶加到购物清单")
    assert await talk.say("what is on my shopping list") == "There is one item on your shopping list: 牛奶."


async def test_adds_once_and_removes_whatever_the_case(talk: Talk) -> None:
    assert await talk.say("add Milk, some eggs and milk to my shopping list") == (
        "I've added Milk, eggs and milk to your shopping list."
    )
    assert await talk.say("add MILK to my shopping list") == "Your shopping list already has MILK."
    assert await talk.say("remove EGGS from my shopping list") == "I've taken EGGS off your shopping list."
    assert await talk.say("is an egg on my shopping list") == "Your shopping list doesn't have egg."


async def test_a_long_list_is_not_read_to_its_end(talk: Talk) -> None:
    for number in range(MAX_READ + 1):
        await talk.store.lists.add("kitchen", "shopping", f"thing {number}")
    answer = await talk.say("what is on my shopping list")
    assert answer.startswith("There are 16 items on your shopping list. The first 15 are thing 0,")
    assert "thing 14" in answer
    assert "thing 15" not in answer


async def test_a_full_list_says_so(talk: Talk) -> None:
    for number in range(MAX_ITEMS):
        await talk.store.lists.add("kitchen", "shopping", str(number))
    assert await talk.say("add milk to my shopping list") == "Your shopping list is full: it has 200 items."


async def test_a_question_that_was_answered_is_over(talk: Talk) -> None:
    await talk.say("add milk to my shopping list")
    await talk.say("clear my shopping list")
    await talk.say("what time is it")
    assert (await talk.say("yes")).startswith("I haven't asked anything.")
    assert await talk.say("how many items are on my shopping list") == "Your shopping list has one item."


async def test_a_question_cut_short_is_still_known(talk: Talk) -> None:
    await talk.say("add milk to my shopping list")
    question = await talk.say("clear my shopping list")
    assert await talk.say("Yes!") == "Your shopping list is empty now."
    assert question == "Shall I clear your shopping list? It has one item."


async def test_clearing_what_is_gone_says_so(talk: Talk) -> None:
    await talk.say("add milk to my shopping list")
    await talk.say("clear my shopping list")
    await talk.store.lists.clear("kitchen", "shopping")
    assert await talk.say("yes") == "Your shopping list is empty."
    assert await talk.say("clear my shopping list") == "Your shopping list is empty."


async def test_own_lists_are_confirmed_by_their_own_name(talk: Talk) -> None:
    for add, clear, yes, done in (
        ("add tent to my packing list", "clear my packing list", "yes", "Your packing list is empty now."),
        ("把帐篷加到旅行清单", "清空旅行清单", "好的", "旅行清单清空了。"),
    ):
        await talk.say(add)
        await talk.say(clear)
        assert await talk.say(yes) == done
