import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.voice.sentences import SentenceCutter, played_part


def cut(*pieces: str) -> list[str]:
    cutter = SentenceCutter()
    return [sentence for piece in pieces for sentence in cutter.feed(piece)] + cutter.flush()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is three. Time for tea!", ["It is three.", "Time for tea!"]),
        ("现在三点。该喝茶了！", ["现在三点。", "该喝茶了！"]),
        ("他说：“好的。”然后走了。", ["他说：“好的。”", "然后走了。"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("Pi is 3.14 or so. See example.com for more.", ["Pi is 3.14 or so.", "See example.com for more."]),
        ("Mr. Smith met Dr. No at 5 p.m. sharp.", ["Mr. Smith met Dr. No at 5 p.m. sharp."]),
        ("Two things:\n1. Tea.\n2. Cake.", ["Two things:", "1. Tea.", "2. Cake."]),
        ("Wait... what?", ["Wait...", "what?"]),
        ("no mark at the end", ["no mark at the end"]),
        ("1.", ["1."]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_would_pause(text: str, sentences: list[str]) -> None:
    assert cut(text) == sentences


def test_a_sentence_is_given_as_soon_as_it_is_certain() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("It costs 3") == []
    assert cutter.feed(".") == []  # might be 3.14
    assert cutter.feed("50 in all.") == []
    assert cutter.feed(" Fine") == ["It costs 3.50 in all."]
    assert cutter.feed("好。") == ["Fine好。"]
    assert cutter.flush() == []


def test_an_endless_sentence_is_cut_at_a_pause_a_space_or_anywhere() -> None:
    assert SentenceCutter(20).feed("one two, three four five six") == ["one two,"]
    assert SentenceCutter(20).feed("one two three four five six") == ["one two three four"]
    assert SentenceCutter(4).feed("一二三四五六") == ["一二三四"]


@given(st.text(alphabet='ab .!?,。！，\n1"”', max_size=400), st.lists(st.integers(0, 400), max_size=10))
def test_no_word_is_lost_however_the_text_is_cut_into_pieces(text: str, cuts: list[int]) -> None:
    points = [0, *sorted(point for point in cuts if point < len(text)), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(points)]
    assert "".join("".join(cut(*pieces)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "played_ms", "total_ms", "heard"),
    [
        ("one two three four", 0, 1000, ""),
        ("one two three four", 1000, 1000, "one two three four"),
        ("one two three four", 500, 1000, "one two"),
        ("今天天气很好", 500, 1000, "今天天"),
        ("one two", 10, 0, ""),
        ("one two", -5, 1000, ""),
    ],
)
def test_what_was_heard_ends_with_a_whole_word(
    text: str, played_ms: float, total_ms: float, heard: str
) -> None:
    assert played_part(text, played_ms, total_ms) == heard
