from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from lumi.tools.threads import OwnThreads


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What holds the hanging calls of a test; over at its end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_call_gives_its_result_or_its_error() -> None:
    threads = OwnThreads()
    assert threads.submit(divmod, 7, 2).result(5) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 7, 0).result(5)


def test_those_that_hang_hold_up_no_other(released: threading.Event) -> None:
    threads = OwnThreads()
    for _ in range(20):
        threads.submit(released.wait)
    assert threads.submit(divmod, 7, 2).result(5) == (3, 1)


def test_there_are_only_so_many(released: threading.Event) -> None:
    threads = OwnThreads(2)
    hanging = [threads.submit(released.wait) for _ in range(2)]
    with pytest.raises(RuntimeError, match="2 calls are still at work"):
        threads.submit(divmod, 7, 2)
    released.set()
    for one in hanging:
        one.result(5)


def test_a_call_that_is_over_gives_its_place_back() -> None:
    threads = OwnThreads(1)
    for number in range(20):
        assert threads.submit(divmod, number, 1).result(5) == (number, 0)
        with pytest.raises(ZeroDivisionError):
            threads.submit(divmod, number, 0).result(5)


async def test_whoever_waits_can_be_cut_off(released: threading.Event) -> None:
    waiting = asyncio.get_running_loop().run_in_executor(OwnThreads(), released.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.real
def test_a_program_ends_while_a_call_hangs() -> None:
    program = (
        "import asyncio, threading\n"
        "from lumi.tools.threads import OwnThreads\n"
        "async def main():\n"
        "    work = asyncio.get_running_loop().run_in_executor(OwnThreads(), threading.Event().wait)\n"
        "    await asyncio.wait({work}, timeout=0.01)\n"
        "    work.cancel()\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", program], timeout=30, check=True)
