"""Measures whether the console stays smooth while many devices converse.

python -m tests.web.console_smoothness [DEVICES] [--seconds N] [--write docs/console.md]

A browser shows one part of the console after the other, and notes when it draws and whenever its page keeps it from
drawing for 50 ms or more. The devices and their server are those of `python -m lumi.bench.console`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
from playwright.async_api import Page
from tests.web.browsing import Watch, chromium_for_script, watched_page

from lumi.bench.load import Event, Job, LoadResult, Ready
from lumi.bench.processes import line, process
from lumi.bench.report import into_page

PARTS = ("overview", "sessions", "turns")
"""Those that change while devices converse."""

BEGIN, END = "<!-- smooth:begin -->", "<!-- smooth:end -->"

WATCH = """() => {
  const seen = (window.seen = { gaps: [], long: [] });
  new PerformanceObserver((list) => seen.long.push(...list.getEntries().map((task) => task.duration)))
    .observe({ type: "longtask" });
  let last = performance.now();
  const drawn = (now) => {
    seen.gaps.push(now - last);
    last = now;
    requestAnimationFrame(drawn);
  };
  requestAnimationFrame(drawn);
}"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One part of the console, looked at for a while. Milliseconds between two pictures; of tasks of 50 ms or more."""

    part: str
    rows: int
    gaps: list[float]
    long: list[float]

    def row(self) -> str:
        late = 100 * sum(gap > 50 for gap in self.gaps) / len(self.gaps)
        slowest = f", {max(self.long):.0f} ms" if self.long else ""
        return (
            f"| {self.part} | {self.rows} | {1000 / statistics.median(self.gaps):.0f} | {late:.2f} % "
            f"| {max(self.gaps):.0f} | {len(self.long)}{slowest} |"
        )


async def look(page: Page, part: str, seconds: float) -> Seen:
    await page.goto(f"/console?{part}#{part}")
    await page.locator(f"#tabs a[href='#{part}'][aria-current]").wait_for()
    await page.wait_for_timeout(2_000)  # what the first drawing costs is not what staying costs
    await page.evaluate(WATCH)
    await page.wait_for_timeout(1_000 * seconds)
    rows = await page.locator("#view tbody tr, #view .turn").count()
    return Seen(part, rows, **await page.evaluate("window.seen"))


async def measure(devices: int, seconds: float) -> str:
    async with (
        chromium_for_script() as (browser, heard),
        process("lumi.bench.target", "cached") as server,
    ):
        ready = msgspec.json.decode(await line(server, "server"), type=Ready)
        job_file = heard.path.with_name("job.json")
        length_s = (seconds + 5.0) * len(PARTS)
        job_file.write_bytes(msgspec.json.encode(Job(ready.url, devices, length_s, ready.utterance)))
        async with process("lumi.bench.load", str(job_file)) as load:
            msgspec.json.decode(await line(load, "load generator"), type=Event)
            address = ready.url.replace("ws:", "http:")
            async with watched_page(browser, address, watch=Watch(allowed=["401"])) as page:
                await page.goto("/console")
                await page.locator("#token").fill(ready.admin_token)
                await page.keyboard.press("Enter")
                await page.locator("#tabs a").first.wait_for()
                seen = [await look(page, part, seconds) for part in PARTS]
            msgspec.json.decode(await line(load, "load generator"), type=Event)
            result = msgspec.json.decode(await line(load, "load generator"), type=LoadResult)
        version = browser.version
    where = (
        f"{devices} devices in conversation, {seconds:g} s for each part; Chromium {version}, headless, without a graphics card; "
        f"{os.cpu_count()} cores shared by browser, server and devices, of whose frames {result.late_percent:.2f} % were late."
    )
    return "\n".join(
        [
            where,
            "",
            "| part | rows | pictures a second (median) | drawn over 50 ms late | longest pause, ms | tasks of 50 ms or more |",
            "|---|--:|--:|--:|--:|--:|",
            *(one.row() for one in seen),
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measures whether the console stays smooth.")
    parser.add_argument("devices", type=int, nargs="?", default=100)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--write", type=Path, help="a page of the docs with the marks")
    asked = parser.parse_args()
    measured = asyncio.run(measure(asked.devices, asked.seconds))
    sys.stdout.write(measured + "\n")
    if asked.write:
        page = asked.write.read_text(encoding="utf-8")
        asked.write.write_text(into_page(page, measured + "\n", BEGIN, END), encoding="utf-8")
