"""How tests run: `async def` tests in virtual time, those marked `real` on a real loop with an overall timeout.

No test may leave a task behind.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import hypothesis
import pytest

from lumi.testing.clock import VirtualTimeLoop, WallClock
from lumi.testing.leftovers import leaving_nothing

REAL_TIMEOUT_S = 60.0
"""For a test marked `real`; `@pytest.mark.real(timeout_s=…)` sets another."""

# What is generated is the same every time, and how long an example takes is no test's business.
hypothesis.settings.register_profile("lumi", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("lumi")

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def _real_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    if item.get_closest_marker("real"):
        return {"real": _real_loop}
    return {"virtual": VirtualTimeLoop}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Guard an async test (or the async function inside a hypothesis test) for the time of its call."""
    target, name = _async_function(item)
    if target is None:
        return (yield)
    original = getattr(target, name)
    mark = item.get_closest_marker("real")
    timeout_s = mark.kwargs.get("timeout_s", REAL_TIMEOUT_S) if mark else None
    setattr(target, name, leaving_nothing(original, timeout_s=timeout_s))
    try:
        return (yield)
    finally:
        setattr(target, name, original)


def _async_function(item: pytest.Item) -> tuple[Any, str]:
    if not isinstance(item, pytest.Function):
        return None, ""
    hypothesis = getattr(item.obj, "hypothesis", None)
    target, name = (hypothesis, "inner_test") if hypothesis else (item, "obj")
    return (target, name) if inspect.iscoroutinefunction(getattr(target, name)) else (None, "")


@pytest.fixture
def wall_clock() -> WallClock:
    """A wall clock that goes with the test's loop, starting on a Monday morning."""
    return WallClock()
