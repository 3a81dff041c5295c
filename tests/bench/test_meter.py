from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from lumi.bench.meter import Reading, between, read


def test_usage_is_cpu_per_elapsed_time_and_the_state_at_the_end() -> None:
    usage = between(Reading(10.0, 1.0, 5_000_000, 3, 1), Reading(14.0, 3.0, 7_000_000, 4, 2))
    assert (usage.cpu_percent, usage.rss_mb, usage.threads, usage.processes) == (50.0, 7.0, 4, 2)


def test_two_readings_at_one_moment_divide_nothing_by_zero() -> None:
    reading = Reading(1.0, 1.0, 1, 1, 1)
    assert between(reading, reading).cpu_percent == 0.0


@pytest.mark.real
def test_a_process_tree_is_counted_with_its_children() -> None:
    parent = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        reading = read(process.pid, 0.0)
        process.communicate(b"\n")
    assert reading.processes == 2
    assert reading.rss_bytes > 5_000_000


def test_reading_oneself_shows_the_work_done() -> None:
    before = read(os.getpid(), time.monotonic())
    sum(range(3_000_000))
    after = read(os.getpid(), time.monotonic())
    assert after.cpu_s > before.cpu_s
    assert after.threads >= 1


def test_a_process_that_is_gone_is_an_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with pytest.raises(psutil.NoSuchProcess):
        read(process.pid, 0.0)
