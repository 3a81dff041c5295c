from __future__ import annotations

import pytest

from lumi.errors import ProtocolError
from lumi.protocol.faults import FaultCounter, Limits, out_of_turn, too_large, utf8_size
from lumi.protocol.messages import CloseCode, ErrorCode
from lumi.protocol.state import State

NONSENSE = ProtocolError(ErrorCode.BAD_JSON, "no sense", message_id="m-1")


def test_a_server_tells_the_sender():
    fault = FaultCounter(3, replies=True).fault(NONSENSE, session_id="s")
    assert (fault.code, fault.message, fault.message_id) == (ErrorCode.BAD_JSON, "no sense", "m-1")
    assert fault.fatal_close is None
    assert fault.reply is not None
    assert (fault.reply.id, fault.reply.session_id, fault.reply.error_message) == ("m-1", "s", "no sense")


def test_a_client_has_nobody_to_tell():
    assert FaultCounter(3, replies=False).fault(NONSENSE, session_id=None).reply is None


def test_too_many_in_a_row_end_the_connection_and_say_so():
    counter = FaultCounter(2, replies=True)
    counter.fault(NONSENSE, session_id=None)
    fault = counter.fault(NONSENSE, session_id=None)
    assert fault.fatal_close == CloseCode.TRY_LATER
    assert fault.message == "no sense (frame 2 in a row without sense: the connection ends)"
    assert fault.reply is not None
    assert fault.reply.error_message == fault.message


def test_sense_between_them_is_forgiveness():
    counter = FaultCounter(2, replies=True)
    counter.fault(NONSENSE, session_id=None)
    counter.forgive()
    assert counter.fault(NONSENSE, session_id=None).fatal_close is None


def test_one_may_be_fatal_by_itself():
    counter = FaultCounter(1, replies=True)
    fault = counter.fault(too_large("text", 9, 8), session_id=None)
    assert fault.fatal_close == CloseCode.TOO_LARGE
    assert fault.message == "a text frame of 9 bytes; accepted: at most 8 bytes"


def test_the_limits_a_peer_meets_by_default():
    assert Limits() == Limits(text_bytes=65_536, binary_bytes=4_096, content_chars=8_000, faults_in_a_row=20)


@pytest.mark.parametrize(
    ("text", "limit", "size"),
    [
        ("x" * 8, 8, 8),
        ("x" * 9, 8, 9),
        ("语" * 2, 8, 2),
        ("语" * 3, 8, 9),
        ("\ud800" * 3, 8, 9),
    ],
)
def test_the_size_is_counted_in_bytes_where_it_matters(text, limit, size):
    assert utf8_size(text, limit) == size


def test_errors_say_what_is_accepted():
    assert str(too_large("text", 9, 8)) == "a text frame of 9 bytes; accepted: at most 8 bytes"
    early = out_of_turn("chat", State.OPENING, "c-1")
    assert (early.code, early.message_id) == (ErrorCode.NOT_READY, "c-1")
    assert str(early) == (
        "chat is out of turn while the connection is opening; send hello first and await its answer"
    )
    assert "nothing new after goodbye" in str(out_of_turn("hello", State.ENDING, None))
