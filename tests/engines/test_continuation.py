import pytest

from lumi.engines.base import ChatMessage, Prompt, Speaker
from lumi.engines.continuation import LONGEST_WORD, Joint, WholeWords, continuing


def test_the_next_model_is_told_what_was_said_and_to_go_on():
    prompt = Prompt((ChatMessage("user", "capital of Australia?"),))
    asked = continuing(prompt, "The capital is")
    assert asked.messages[:2] == (prompt.messages[0], ChatMessage("assistant", "The capital is"))
    assert asked.messages[2].role == "user"
    assert "very next word" in asked.messages[2].content
    chinese = continuing(Prompt((ChatMessage("user", "首都？"),), Speaker(language="zh")), "首都是")
    assert "继续" in chinese.messages[-1].content


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["The ca", "pital ", "is Can"], ["The ", "capital ", "is "]),
        (["首都是", "堪培拉"], ["首都是", "堪培拉"]),
        (["It's 3", ":15. "], ["It's ", "3:15. "]),
        (["x" * (LONGEST_WORD + 1)], ["x" * (LONGEST_WORD + 1)]),
    ],
)
def test_only_whole_words_are_said(pieces, said):
    words = WholeWords()
    assert [words.feed(piece) for piece in pieces] == said


def test_the_last_word_comes_at_the_end():
    words = WholeWords()
    assert words.feed("is Canberra") == "is "
    assert words.flush() == "Canberra"
    assert words.flush() == ""


def joined(said: str, *pieces: str) -> str:
    joint = Joint(said)
    return said + "".join(joint.feed(piece) for piece in pieces) + joint.flush()


@pytest.mark.parametrize(
    ("said", "pieces", "whole"),
    [
        ("The capital is ", ["Canberra."], "The capital is Canberra."),
        ("The capital is ", [" Canberra", "."], "The capital is Canberra."),
        ("The capital is", ["Canberra."], "The capital is Canberra."),
        ("The capital is", [", I think, Canberra."], "The capital is, I think, Canberra."),
        ("首都是", ["堪培拉。"], "首都是堪培拉。"),
        # It begins again in spite of what it was told: with all of it …
        ("The capital is ", ["The", " capital is", " Canberra."], "The capital is Canberra."),
        ("The capital is ", ["the capital is Canberra."], "The capital is Canberra."),
        ("首都是", ["首都", "是堪培拉。"], "首都是堪培拉。"),
        # … or with the broken sentence.
        ("Yes. The capital is ", ["The capital", " is Canberra."], "Yes. The capital is Canberra."),
        ("是的。首都是", ["首都是堪培拉。"], "是的。首都是堪培拉。"),
        # What only looks like a repeat at first is all said.
        ("The capital is ", ["The", " city of Canberra."], "The capital is The city of Canberra."),
        # Nothing but a part of what was said adds nothing.
        ("The capital is ", ["The capital"], "The capital is "),
        ("The capital is ", [], "The capital is "),
    ],
)
def test_a_continuation_is_joined(said, pieces, whole):
    assert joined(said, *pieces) == whole
