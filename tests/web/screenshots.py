"""Draws the page: every situation and every state, on a phone and a desktop, light and dark, in Chinese and English.

python -m tests.web.screenshots DIRECTORY [PATTERN …]

A real server with the built-in skills answers; Debian's Chromium draws. Beside the single pictures it writes one sheet for
each look, which shows all of them. Without patterns everything is drawn; a sheet takes what lies in the directory.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from fnmatch import fnmatch
from html import escape
from pathlib import Path

from playwright.async_api import Browser
from tests.web.browsing import FakeMicrophone, Watch, chromium_for_script, watched_page
from tests.web.gate import Gate
from tests.web.scenes import LOOKS, SCENES, SHOW_STATE, STATES, Look, Stage, answering

from lumi.client.state_machine import Phase

STATE_HEIGHT = {"phone": 140, "desktop": 110}
"""Of a state only the top is drawn, in CSS pixels: there the badge is, and what it has to say."""

SHEET = """<!doctype html><meta charset="utf-8"><style>
  body {{ margin: 0; width: {width}px; padding: 12px; box-sizing: border-box; background: #8d8a86;
    font: 13px sans-serif; color: #fff; }}
  div {{ display: grid; grid-template-columns: repeat({columns}, 1fr); gap: 10px; margin-bottom: 12px; }}
  div + div {{ grid-template-columns: repeat({wide}, 1fr); margin: 0; }}
  figure {{ margin: 0; }} figcaption {{ padding: 1px 3px; }} img {{ display: block; width: 100%; }}
</style><div>{states}</div><div>{scenes}</div>"""
GRID = {"phone": (1800, 4, 6), "desktop": (1800, 2, 3)}
"""Width of a sheet, states in a row, scenes in a row."""
QUALITY = 62


def state_picture(phase: Phase, look: Look) -> str:
    return f"page-state-{phase.value}-{look}.png"


def scene_picture(scene: str, look: Look) -> str:
    return f"page-{scene}-{look}.png"


def sheet_picture(look: Look) -> str:
    return f"page-all-{look}.webp"


async def draw_scene(browser: Browser, heard: FakeMicrophone, name: str, look: Look, path: Path) -> None:
    """One situation."""
    heard.says(b"", 16_000)
    async with (
        answering(look.language, name) as server,
        Gate(server.port) as gate,
        watched_page(browser, gate.url, watch=Watch(allowed=[".*"]), **look.options) as page,
    ):
        await page.route("**/tls", lambda route: route.fulfill(json={"port": 8443, "authority": True}))
        await page.goto("/")
        await page.locator(
            "#badge:is([data-state=ready], [data-state=failed], [data-state=error])"
        ).wait_for()
        await SCENES[name](Stage(page, gate, heard, look.language))
        await page.wait_for_timeout(300)
        await page.screenshot(path=path)


async def draw_states(browser: Browser, look: Look, wanted: dict[Phase, Path]) -> None:
    """What stands above the conversation, as the page's own badge draws it in each state."""
    async with (
        answering(look.language, "") as server,
        watched_page(browser, server.page_url, **look.options) as page,
    ):
        await page.goto("/")
        await page.locator("#badge[data-state=ready]").wait_for()
        for phase, path in wanted.items():
            assert await page.evaluate(SHOW_STATE, STATES[phase]) == phase.value
            width = look.options["viewport"]["width"]
            await page.screenshot(
                path=path, clip={"x": 0, "y": 0, "width": width, "height": STATE_HEIGHT[look.size]}
            )


def sheet(look: Look, directory: Path) -> str:
    """One look's pictures on one page."""
    width, columns, wide = GRID[look.size]
    states = {phase.value: directory / state_picture(phase, look) for phase in Phase}
    scenes = {scene: directory / scene_picture(scene, look) for scene in SCENES}
    return SHEET.format(
        width=width, columns=columns, wide=wide, states=figures(states), scenes=figures(scenes)
    )


def figures(pictures: dict[str, Path]) -> str:
    return "".join(
        f'<figure data-name="{escape(name)}"><figcaption>{escape(name)}</figcaption>'
        f'<img src="data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" alt=""></figure>'
        for name, path in pictures.items()
    )


async def draw_sheet(browser: Browser, width: int, html: str) -> bytes:
    """A WebP, which playwright does not write but Chromium does."""
    page = await browser.new_page(viewport={"width": width, "height": 800})
    await page.set_content(html)
    size = await page.locator("body").bounding_box()
    assert size is not None
    devtools = await page.context.new_cdp_session(page)
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    options = {"format": "webp", "quality": QUALITY, "clip": clip, "captureBeyondViewport": True}
    taken = await devtools.send("Page.captureScreenshot", options)
    await page.close()
    return base64.b64decode(taken["data"])


async def draw(
    browser: Browser, heard: FakeMicrophone, look: Look, directory: Path, patterns: list[str]
) -> None:
    """Everything of one look that is named."""
    states = {phase: state_picture(phase, look) for phase in Phase}
    wanted = {phase: directory / name for phase, name in states.items() if named(name, patterns)}
    if wanted:
        await draw_states(browser, look, wanted)
    for one in SCENES:
        if named(name := scene_picture(one, look), patterns):
            await draw_scene(browser, heard, one, look, directory / name)
    if named(name := sheet_picture(look), patterns):
        drawn = await draw_sheet(browser, GRID[look.size][0], sheet(look, directory))
        await asyncio.to_thread((directory / name).write_bytes, drawn)


async def main(directory: Path, patterns: list[str]) -> None:
    """Draw what the patterns name."""
    async with chromium_for_script() as (browser, heard):
        for look in LOOKS:
            await draw(browser, heard, look, directory, patterns)


def named(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name.rpartition(".")[0], pattern) for pattern in patterns)


if __name__ == "__main__":
    to = Path(sys.argv[1])
    to.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(to, sys.argv[2:] or ["*"]))
