from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest

from lumi.testing.clock import run
from lumi.testing.leftovers import leaving_nothing


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


def test_a_task_left_behind_is_named() -> None:
    async def test() -> None:
        test.task = asyncio.create_task(_sleep(60), name="the straggler")  # type: ignore[attr-defined]

    with pytest.raises(AssertionError, match=r"left 1 task\(s\) behind.*the straggler"):
        run(leaving_nothing(test)())


def test_a_task_in_its_last_step_is_no_leftover() -> None:
    async def test(answer: int) -> int:
        task = asyncio.create_task(_sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        return answer

    assert run(leaving_nothing(test)(42)) == 42


def test_tasks_that_were_there_before_are_none_of_its_business() -> None:
    async def test() -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        fixture = asyncio.create_task(_sleep(60))
        await leaving_nothing(test)()
        fixture.cancel()

    run(main())


def test_a_test_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TimeoutError):
        run(leaving_nothing(_sleep, timeout_s=1)(2))


@pytest.fixture
def left() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Where the processes below are put, so that they can be waited for."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def leave(left: list[subprocess.Popen[bytes]]) -> None:
    left.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", " -m lumi.something"]))


def test_a_process_left_behind_is_named_and_ended(left: list[subprocess.Popen[bytes]]) -> None:
    async def test() -> None:
        leave(left)

    with pytest.raises(AssertionError, match=r"left 1 process\(es\) behind.*lumi.something"):
        run(leaving_nothing(test)())
    assert left[0].wait(10)


def test_a_process_of_a_test_that_failed_is_ended_and_the_failure_stands(
    left: list[subprocess.Popen[bytes]],
) -> None:
    async def test() -> None:
        leave(left)
        raise ValueError("the test's own")

    with pytest.raises(ValueError, match="the test's own"):
        run(leaving_nothing(test)())
    assert left[0].wait(10)
