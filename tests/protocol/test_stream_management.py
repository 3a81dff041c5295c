from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.ends import FUZZ

from lumi.errors import ProtocolError
from lumi.protocol.messages import ErrorCode, Notify, Response, Stt, Tts, TtsState
from lumi.protocol.stream_management import Arrival, ReceivedEvents, SentEvents, must_not_be_lost


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (Response(id="1"), True),
        (Response(id="1", is_final=False), False),
        (Stt(text="a"), True),
        (Stt(text="a", is_final=False), False),
        (Notify(id="1", kind="push", text="a"), True),
        (Tts(state=TtsState.STOP), False),
    ],
)
def test_what_must_not_be_lost(message, kept):
    assert must_not_be_lost(message) is kept


def test_numbers_grow_by_one_and_events_are_kept_until_acknowledged():
    sent = SentEvents[str]()
    assert sent.next_seq == 1
    assert [sent.keep(one) for one in "abc"] == [1, 2, 3]
    assert (len(sent), sent.last_seq, sent.acknowledged) == (3, 3, 0)
    assert sent.acknowledge(2) == 2
    assert sent.acknowledge(1) == 0
    assert (len(sent), sent.acknowledged) == (1, 2)


def test_after_a_resume_the_unseen_are_said_again_in_order():
    sent = SentEvents[str]()
    for one in "abcd":
        sent.keep(one)
    sent.acknowledge(1)
    assert sent.can_resume(2)
    assert sent.after(2) == [(3, "c"), (4, "d")]
    assert sent.after(4) == []


def test_a_session_taken_up_again_counts_on():
    sent = SentEvents(last_seq=7, unacknowledged=("f", "g"))
    assert sent.after(5) == [(6, "f"), (7, "g")]
    assert sent.keep("h") == 8


@pytest.mark.parametrize("ask", [SentEvents.acknowledge, SentEvents.after])
def test_a_number_never_given_out_is_refused(ask):
    sent = SentEvents[str]()
    sent.keep("a")
    with pytest.raises(ProtocolError, match=r"is 2; accepted: at most 1, the last sent") as caught:
        ask(sent, 2)
    assert caught.value.code == ErrorCode.BAD_MESSAGE
    assert len(sent) == 1


def test_too_many_unacknowledged_end_the_resumption():
    sent = SentEvents[int](limit=3)
    for one in range(5):
        sent.keep(one)
    assert len(sent) == 3
    assert not sent.can_resume(1)
    assert sent.can_resume(2)
    assert not sent.can_resume(6)


def test_the_receiver_tells_new_from_repeated_and_missing():
    received = ReceivedEvents()
    assert received.ack_due is None
    assert received.take(1) is Arrival.NEXT
    assert received.take(3) is Arrival.GAP
    assert received.received == 1
    assert received.ack_due == 1
    received.acked(1)
    assert received.ack_due is None
    assert received.take(1) is Arrival.REPEATED
    assert received.ack_due == 1


def test_an_ack_beyond_what_was_received_is_not_believed():
    received = ReceivedEvents(received=4)
    received.acked(9)
    received.take(5)
    assert received.ack_due == 5


@FUZZ
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=60))
def test_over_any_line_every_event_arrives_once_in_order(steps):
    """Each step sends an event; the event, the ack or the connection may be lost."""
    sent, received, shown = SentEvents[int](), ReceivedEvents(), list[int]()

    def arrive(events: list[tuple[int, int]]) -> None:
        shown.extend(event for seq, event in events if received.take(seq) is Arrival.NEXT)

    for event, (event_lost, ack_lost, cut) in enumerate(steps):
        seq = sent.keep(event)
        arrive([] if event_lost else [(seq, event)])
        if (due := received.ack_due) is not None and not ack_lost:
            sent.acknowledge(due)
            received.acked(due)
        if cut:
            assert sent.can_resume(received.received)
            arrive(sent.after(received.received))
    arrive(sent.after(received.received))
    assert shown == list(range(len(steps)))
