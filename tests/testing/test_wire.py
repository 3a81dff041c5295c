from __future__ import annotations

import pytest

from lumi.testing.wire import (
    GATEWAY,
    V1,
    V2,
    V3,
    DeviceFraming,
    Received,
    SpokenTurn,
    is_tts,
    kind,
    matches,
    runs,
)


@pytest.mark.parametrize("framing", [V1, V2, V3, GATEWAY], ids=lambda framing: framing.name)
def test_what_is_wrapped_comes_out_again(framing: DeviceFraming) -> None:
    assert framing.unwrap(framing.wrap(b"packet", 120, 2)) == b"packet"


def test_headers_are_those_of_the_field() -> None:
    assert V1.wrap(b"ab", 60, 1).hex() == "6162"
    assert V2.wrap(b"ab", 60, 1).hex() == "00020000000000000000003c000000026162"
    assert V3.wrap(b"ab", 60, 1).hex() == "000000026162"
    assert GATEWAY.wrap(b"ab", 60, 1).hex() == "01000002000000010000003c000000026162"


@pytest.mark.parametrize("framing", [V2, V3, GATEWAY], ids=lambda framing: framing.name)
def test_a_wrong_header_is_noticed(framing: DeviceFraming) -> None:
    with pytest.raises(AssertionError, match=framing.name):
        framing.unwrap(b"\x07" * 40)


def test_messages_are_named_matched_and_counted() -> None:
    stop = {"type": "tts", "state": "stop"}
    assert (kind(stop), kind({"type": "stt"})) == ("tts stop", "stt")
    assert matches({"type": "response"}, {"type": "response", "is_final": True})
    assert not matches({"type": "response", "is_final": False}, {"is_final": True})
    assert is_tts(Received(0, stop), "stop")
    assert not is_tts(Received(0, b""), "stop")
    assert runs(["packet", "packet", "stt"]) == "2 × packet, stt"
    said = SpokenTurn([{"type": "tts", "state": "sentence_start", "text": "Hi."}, stop], [], 0, 1)
    assert said.sentences == ["Hi."]
