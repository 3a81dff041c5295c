import pytest

from lumi.engines.server_sent_events import LONGEST_BYTES, EventReader, EventTooLong


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_events_come_whole_however_they_are_cut(size: int, end: str) -> None:
    lines = [
        ": hello",
        "",
        "event: x",
        'data: {"a": "你\u2028"}',
        "id: 1",
        "",
        "data:b",
        "data: c",
        "",
        "data: [DONE]",
        "",
    ]
    stream = (end.join(lines) + end).encode()
    reader = EventReader()
    events = [event for at in range(0, len(stream), size) for event in reader.push(stream[at : at + size])]
    assert events + reader.finish() == ['{"a": "你\u2028"}'.encode(), b"b\nc", b"[DONE]"]


def test_the_last_event_need_not_be_closed_but_must_be_whole() -> None:
    reader = EventReader()
    assert reader.push(b"data: a\n") == []
    assert reader.finish() == [b"a"]
    assert reader.push(b"data: a\n\ndata: {torn") == [b"a"]
    assert reader.finish() == []


def test_an_event_without_end_is_an_error() -> None:
    reader = EventReader()
    with pytest.raises(EventTooLong):
        reader.push(b"data: " + b"x" * (LONGEST_BYTES + 1))
