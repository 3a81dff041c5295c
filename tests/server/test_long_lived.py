"""What a collection leaves out."""

from __future__ import annotations

import gc
import weakref

from lumi.server.long_lived import set_aside


class Ring:
    """Garbage that only a collection finds."""

    def __init__(self) -> None:
        self.itself = self


def test_what_exists_is_left_out_while_the_server_runs_and_found_again_later() -> None:
    before = Ring()
    gone = weakref.ref(before)
    with set_aside():
        del before
        gc.collect()
        assert gone() is not None
    gc.collect()
    assert gone() is None


def test_what_comes_later_is_collected() -> None:
    with set_aside():
        later = weakref.ref(Ring())
        gc.collect()
        assert later() is None


def test_garbage_is_not_set_aside() -> None:
    gc.disable()
    try:
        gone = weakref.ref(Ring())
        with set_aside():
            assert gone() is None
    finally:
        gc.enable()
