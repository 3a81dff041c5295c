"""Measures the page on loopback: what it weighs, when something is to be seen, when one can talk.

python -m tests.web.figures [RUNS] [--write docs/page.md]

Each run has a browser context of its own (nothing is cached), then loads the page once more.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page
from tests.flows.scripted import scripted_lumi
from tests.web.browsing import chromium_for_script, watched_page

from lumi.bench.report import into_page

BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"

WHEN_READY = """new MutationObserver(() => {
  if (document.querySelector("#badge[data-state=ready]")) window.readyAt ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] });"""

SEEN = """() => {
  const files = [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")];
  return {
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    ready: window.readyAt,
    files: files.length,
    sent: files.reduce((sum, file) => sum + file.transferSize, 0),
    whole: files.reduce((sum, file) => sum + file.decodedBodySize, 0),
  };
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One loading. Milliseconds from the start of the navigation; bytes."""

    paint: float
    ready: float
    files: int
    sent: int
    whole: int


async def loaded(page: Page) -> Seen:
    await page.locator("#badge[data-state=ready]").wait_for()
    await page.wait_for_function(
        "performance.getEntriesByName('first-contentful-paint').length && window.readyAt"
    )
    await page.wait_for_load_state("networkidle")
    return Seen(**await page.evaluate(SEEN))


async def run(browser: Browser, address: str) -> tuple[Seen, Seen]:
    """The first loading, and one more."""
    async with watched_page(browser, address, viewport={"width": 390, "height": 844}) as page:
        await page.add_init_script(WHEN_READY)
        await page.goto("/")
        first = await loaded(page)
        await page.reload()
        return first, await loaded(page)


def row(what: str, seen: list[Seen]) -> str:
    paint, ready = ([getattr(one, name) for one in seen] for name in ("paint", "ready"))
    sent, whole = (statistics.median(getattr(one, name) for one in seen) / 1000 for name in ("sent", "whole"))

    def times(values: list[float]) -> str:
        return f"{statistics.median(values):.0f} / {max(values):.0f}"

    return f"| {what} | {times(paint)} | {times(ready)} | {seen[0].files} | {whole:.0f} kB | {sent:.0f} kB |"


async def table(runs: int) -> str:
    async with chromium_for_script() as (browser, _), scripted_lumi() as server:
        await run(browser, server.page_url)  # the browser itself is warm now, as one in use is
        seen = [await run(browser, server.page_url) for _ in range(runs)]
        version = browser.version
    load = f"{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.0f}"
    head = f"Chromium {version}, headless, {platform.machine()}, server on the same machine, {load}; {runs} runs."
    return "\n".join(
        [
            head,
            "",
            "| | first paint, ms (median / worst) | ready to talk, ms (median / worst) | files | whole | over the line |",
            "|---|--:|--:|--:|--:|--:|",
            row("first visit", [first for first, _ in seen]),
            row("once more", [again for _, again in seen]),
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures the page on loopback.")
    parser.add_argument("runs", type=int, nargs="?", default=9)
    parser.add_argument("--write", type=Path, help="a page of the docs with the marks")
    asked = parser.parse_args()
    measured = asyncio.run(table(asked.runs))
    sys.stdout.write(measured + "\n")
    if asked.write:
        page = asked.write.read_text(encoding="utf-8")
        asked.write.write_text(into_page(page, measured + "\n", BEGIN, END), encoding="utf-8")
