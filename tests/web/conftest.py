"""One browser for all tests of a worker, and a watched page for each. Everything here runs on one loop, the session's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from tests.web.browsing import FakeMicrophone, Watch, chromium, chromium_running, from_disk, watched_page

MISSING = "Chromium is not here, so nothing was tried in a browser; to have it: sudo apt-get install chromium"

OpenPage = Callable[..., Awaitable[Page]]
Visit = Callable[..., AbstractAsyncContextManager[Page]]


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

    The page is closed after the test, and after its server: see `visit`.
    """
    microphone.says(b"", 16_000)
    async with AsyncExitStack() as stack:

        async def open_one(address: str, path: str | None = "/", **options: Any) -> Page:
            page = await stack.enter_async_context(watched_page(browser, address, **options))
            if path is not None:
                await page.goto(path)
            return page

        yield open_one


@pytest.fixture
def visit(browser: Browser, microphone: FakeMicrophone) -> Visit:
    """`async with scripted_lumi() as server, visit(server.page_url, "/", **context_options) as page:` A page that is
    closed before its server: one that connects again by itself would complain of the loss.

    Give a `Watch` to allow a console error that the test provokes.
    """
    microphone.says(b"", 16_000)

    @asynccontextmanager
    async def visiting(address: str, path: str | None = "/", **options: Any) -> AsyncIterator[Page]:
        async with watched_page(browser, address, **options) as page:
            if path is not None:
                await page.goto(path)
            yield page

    return visiting


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workbench(browser: Browser) -> AsyncIterator[tuple[Page, Watch]]:
    """A page beside the modules and nothing else: there is no server behind it."""
    watch = Watch()
    async with watched_page(browser, "http://127.0.0.1:9", watch=watch) as page:
        await page.route("**/*", from_disk)
        await page.goto("/sdk/lumi.js")
        yield page, watch


@pytest.fixture
def module_page(workbench: tuple[Page, Watch]) -> Iterator[Page]:
    """Where single modules are tried: `await module_page.evaluate("async () => { const … = await import(…) }")`."""
    page, watch = workbench
    yield page
    watch.check()
