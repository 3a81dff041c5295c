"""Frames survive any way the pipe cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.engines.worker_frames import (
    HEADER,
    MAX_BODY_BYTES,
    Frame,
    FrameReader,
    Kind,
    credit_of,
    pack,
    pack_credit,
)

frames = st.lists(
    st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=50)), max_size=8
)


@given(frames, st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_what_was_packed_is_read_however_it_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    data = b"".join(pack(frame.kind, frame.stream, frame.body) for frame in sent)
    reader, got, at, turn = FrameReader(), list[Frame](), 0, 0
    while at < len(data):
        step = cuts[turn % len(cuts)]
        got += reader.feed(data[at : at + step])
        at, turn = at + step, turn + 1
    assert got == sent


def test_credit_is_a_number_of_bytes() -> None:
    (frame,) = FrameReader().feed(pack_credit(7, 70_000))
    assert (frame.kind, frame.stream, credit_of(frame)) == (Kind.CREDIT, 7, 70_000)


@pytest.mark.parametrize("header", [HEADER.pack(MAX_BODY_BYTES + 1, Kind.DATA, 1), HEADER.pack(0, 99, 1)])
def test_what_is_no_frame_is_an_error(header: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes; at most|99 is not a valid Kind"):
        list(FrameReader().feed(header))
