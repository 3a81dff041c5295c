"""One browser for all tests of a worker, and a watched page for each. Everything here runs on one loop, the session's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from tests.web.browsing import FakeMicrophone, chromium, chromium_running, watched_page

MISSING = "Chromium is not here, so nothing was tried in a browser; to have it: sudo apt-get install chromium"

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> FakeMicrophone:
    """What the browser's microphone hears; silence unless told otherwise."""
    return FakeMicrophone(tmp_path_factory.mktemp("microphone") / "heard.wav")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(microphone: FakeMicrophone) -> AsyncIterator[Browser]:
    executable = chromium()
    if executable is None:
        pytest.skip(MISSING)
    async with chromium_running(executable, microphone.path) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, microphone: FakeMicrophone) -> AsyncIterator[OpenPage]:
    """`page = await open_page(server.page_url, path="/", watch=None, **context_options)`; `path=None` loads nothing yet.

    Give a `Watch` to allow a console error that the test provokes.
    """
    microphone.says(b"", 16_000)
    async with AsyncExitStack() as stack:

        async def open_one(address: str, path: str | None = "/", **options: Any) -> Page:
            page = await stack.enter_async_context(watched_page(browser, address, **options))
            if path is not None:
                await page.goto(path)
            return page

        yield open_one
