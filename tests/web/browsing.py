"""Debian's Chromium for tests: one for all of a worker's tests, with a microphone that plays what a test gives it.

Its pages are watched: whatever a developer would see as red in the console fails the test, and so does a request to any
other host.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Route, async_playwright

WEB = Path(__file__).parents[2] / "src" / "lumi" / "web"

IN_BROWSER = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
"""`pytestmark = IN_BROWSER`: the browser lives on the session's loop, so what talks to it does too, in real time."""

WITHOUT_NETWORK = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-features=Translate,OptimizationHints,MediaRouter,AudioServiceSandbox",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-pings",
)
FAKE_MEDIA = (
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
ELSEWHERE = "home.example"
"""A name of this machine that Chromium takes for another one's: pages from there are not secure."""

LAST_WORDS_S = 2.0
"""How long playwright may take over what it still had to say to a page that is closed."""

LOCAL_SCHEMES = frozenset({"data", "blob", "about", "chrome-error"})


def chromium() -> str | None:
    """Where the system's Chromium is; None if there is none. No other browser is looked for, and none fetched."""
    return shutil.which("chromium") or shutil.which("chromium", path="/usr/bin")


class FakeMicrophone:
    """A WAV that the browser reads anew each time a page opens the microphone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.says(b"", 16_000)

    def says(self, pcm: bytes, rate_hz: int, *, then_silent_s: float = 30.0) -> None:
        """Say `pcm` (s16le mono) once, from when the microphone is opened, and be silent after it."""
        with wave.open(str(self.path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(pcm + bytes(int(then_silent_s * rate_hz) * 2))


@dataclass
class Watch:
    """What went wrong on the pages of one context. `allowed`: regular expressions of what a test provokes."""

    wrong: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    host: str = ""

    def follow(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self._note(f"uncaught: {error.error}"))
        context.on("request", lambda request: self._visit(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._visit(socket.url)))

    def check(self) -> None:
        """AssertionError where anything went wrong."""
        wrong = [text for text in self.wrong if not any(re.search(known, text) for known in self.allowed)]
        assert not wrong, "the page complained:\n" + "\n".join(wrong)

    def _console(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        if where.endswith("/favicon.ico"):  # asked for by the browser, not by the page
            return
        if message.type == "error" or "Content Security Policy" in message.text:
            self._note(f"console: {message.text} ({where})")

    def _visit(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in LOCAL_SCHEMES and parts.netloc != self.host:
            self._note(f"a request to another host: {url}")

    def _note(self, text: str) -> None:
        self.wrong.append(text)


@asynccontextmanager
async def chromium_running(executable: str, microphone: Path) -> AsyncIterator[Browser]:
    """A headless Chromium that hears the WAV at `microphone` and may use it without asking."""
    sound = f"--use-file-for-fake-audio-capture={microphone}%noloop"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            headless=True,
            chromium_sandbox=False,
            args=[
                "--disable-gpu",
                *WITHOUT_NETWORK,
                *FAKE_MEDIA,
                sound,
                f"--host-resolver-rules=MAP {ELSEWHERE} 127.0.0.1",
            ],
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def chromium_for_script() -> AsyncIterator[tuple[Browser, FakeMicrophone]]:
    """The browser and its microphone, for a program that draws or measures; without Chromium it ends."""
    executable = chromium()
    if executable is None:
        sys.exit("Chromium is not here; to have it: apt-get install chromium")
    with tempfile.TemporaryDirectory() as place:
        heard = FakeMicrophone(Path(place) / "heard.wav")
        async with chromium_running(executable, heard.path) as browser:
            yield browser, heard


@asynccontextmanager
async def watched_page(
    browser: Browser, address: str, *, watch: Watch | None = None, **options: Any
) -> AsyncIterator[Page]:
    """A page in a context (cookies, storage) of its own, allowed the microphone; nothing is loaded yet.

    Args:
        address: the server's page, whose host is the only one the page may talk to.
        watch: what is allowed to go wrong; nothing if None.
        options: of the context, as `viewport`, `color_scheme`, `locale`.
    """
    watch = watch or Watch()
    watch.host = urlsplit(address).netloc
    context = await browser.new_context(base_url=address, **options)
    try:
        watch.follow(context)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        yield page
    finally:
        await context.close()
        await last_words()
    watch.check()


async def last_words() -> None:
    """Wait for what playwright started by itself and nobody awaits."""
    its_own = [task for task in asyncio.all_tasks() if "_wrap_api_call" in repr(task.get_coro())]
    if its_own:
        await asyncio.wait(its_own, timeout=LAST_WORDS_S)


async def from_disk(route: Route) -> None:
    """Answer a page's request with the file of that path, and no server."""
    path = WEB / urlsplit(route.request.url).path.lstrip("/")
    await (route.fulfill(path=path) if path.is_file() else route.fulfill(status=404))
