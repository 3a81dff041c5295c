import pytest

from lumi.engines.thoughts import Spoken


def said(text: str, size: int, *, thinking: bool = False) -> str:
    spoken = Spoken(thinking=thinking)
    pieces = [spoken.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(pieces) + spoken.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("plain", "plain"),
        ("<think>secret</think>\n\nHello", "Hello"),
        ("Hi <thinking>a < b</thinking>there", "Hi there"),
        ("1 < 2 <thin> <", "1 < 2 <thin> <"),
        ("<think>never ends", ""),
        ("a</think>b", "a</think>b"),
        ("<think></think><reasoning>x</reasoning>y", "y"),
    ],
)
def test_thoughts_are_left_out_however_they_are_cut(text: str, heard: str, size: int) -> None:
    assert said(text, size) == heard


def test_a_model_may_begin_in_its_thoughts() -> None:
    assert said("secret</think> Hello", 3, thinking=True) == "Hello"
