from concurrent.futures import ThreadPoolExecutor

import pytest

from lumi.errors import EngineUnavailable
from lumi.server.late_vad import LateVad
from lumi.testing.engines import ScriptedVad


def test_the_engine_is_made_when_it_is_needed_and_once():
    made = []

    def make():
        made.append(ScriptedVad([0.25]))
        return made[-1]

    vad = LateVad(make)
    assert made == []
    slot = vad.open()
    assert vad.score([slot], [b"\0" * 1024]) == [0.25]
    vad.close(slot)
    assert len(made) == 1
    assert made[0].streams == 0


def test_two_threads_make_one():
    made = []
    vad = LateVad(lambda: made.append(1) or ScriptedVad())  # type: ignore[func-returns-value]
    with ThreadPoolExecutor(4) as threads:
        engines = {id(engine) for engine in threads.map(lambda _: vad.load(), range(8))}
    assert len(engines) == len(made) == 1


def test_what_cannot_start_says_so_each_time():
    def make():
        raise EngineUnavailable("silero", "install it")

    vad = LateVad(make)
    for _ in range(2):
        with pytest.raises(EngineUnavailable, match="install it"):
            vad.open()
