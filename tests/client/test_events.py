from __future__ import annotations

import pytest

from lumi.client.events import Audio, LinkClosed


def test_sound_knows_its_length_and_hides_its_bytes():
    audio = Audio(b"packet", bytes(1920), 16_000, "t1")
    assert audio.duration_ms == 60
    assert audio.type == "binary_audio"
    assert "packet" not in repr(audio).replace("Audio(", "")


@pytest.mark.parametrize(
    ("closed", "orderly"),
    [
        (LinkClosed(1000), True),
        (LinkClosed(1001, "draining"), True),
        (LinkClosed(1006, ours=True), True),
        (LinkClosed(1006), False),
        (LinkClosed(4409), False),
    ],
)
def test_what_ends_a_link_in_an_orderly_way(closed, orderly):
    assert closed.orderly is orderly
