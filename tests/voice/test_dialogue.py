from lumi.engines.base import ChatMessage
from lumi.voice.dialogue import Dialogue


def test_messages_are_the_persona_and_what_was_said() -> None:
    dialogue = Dialogue()
    dialogue.heard_user("1", "hello")
    dialogue.answered("1", "hi")
    assert dialogue.messages("be kind") == (
        ChatMessage("system", "be kind"),
        ChatMessage("user", "hello"),
        ChatMessage("assistant", "hi"),
    )
    assert len(dialogue) == 2


def test_an_interrupted_answer_keeps_the_words_that_were_heard() -> None:
    dialogue = Dialogue()
    dialogue.heard_user("1", "tell me a story")
    dialogue.answered("1", "Once upon a time there was a fox.")
    dialogue.answered("1", "Once upon")
    assert [said.content for said in dialogue.entries] == ["tell me a story", "Once upon"]
    dialogue.answered("1", "")
    assert [said.content for said in dialogue.entries] == ["tell me a story"]
    dialogue.answered("1", "")
    assert len(dialogue) == 1


def test_the_oldest_entries_go_first() -> None:
    dialogue = Dialogue(limit=2)
    for number in range(3):
        dialogue.heard_user(str(number), f"word {number}")
    assert [said.content for said in dialogue.entries] == ["word 1", "word 2"]


def test_a_turn_that_came_to_nothing_is_forgotten_whole() -> None:
    dialogue = Dialogue()
    dialogue.heard_user("1", "first")
    dialogue.heard_user("2", "second")
    dialogue.forget("1")
    assert [said.turn_id for said in dialogue.entries] == ["2"]


def test_a_turn_sees_what_was_said_up_to_its_own_question() -> None:
    dialogue = Dialogue()
    dialogue.heard_user("1", "what time is it")
    dialogue.heard_user("2", "what day is it")
    dialogue.answered("2", "Monday.")
    assert dialogue.messages(turn_id="1") == (ChatMessage("user", "what time is it"),)
    assert [one.content for one in dialogue.messages(turn_id="2")] == ["what time is it", "what day is it"]
    assert [one.content for one in dialogue.messages("be kind", "3")] == [
        "be kind", "what time is it", "what day is it", "Monday.",
    ]  # fmt: skip
