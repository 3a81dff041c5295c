"""Draws the console: every part of it, on a phone and a desktop, light and dark, in Chinese and English.

python -m tests.web.console_screenshots DIRECTORY [PATTERN …]

As `screenshots.py` draws the page: single pictures, and one sheet for each look.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import groupby
from pathlib import Path

from playwright.async_api import Browser
from tests.web.browsing import Watch, chromium_for_script, watched_page
from tests.web.console_scenes import SCENES, elsewhere
from tests.web.scenes import LOOKS, Look
from tests.web.screenshots import draw_sheet, figures, named

GRID = {"phone": (1800, 5), "desktop": (1800, 3)}
"""Width of a sheet, pictures in a row."""

SHEET = """<!doctype html><meta charset="utf-8"><style>
  body {{ margin: 0; width: {width}px; padding: 12px; box-sizing: border-box; background: #8d8a86;
    font: 13px sans-serif; color: #fff; }}
  div {{ display: grid; grid-template-columns: repeat({columns}, 1fr); gap: 10px; align-items: start; }}
  figure {{ margin: 0; }} figcaption {{ padding: 1px 3px; }} img {{ display: block; width: 100%; }}
</style><div>{scenes}</div>"""


def picture(scene: str, look: Look) -> str:
    return f"console-{scene}-{look}.png"


def sheet_picture(look: Look) -> str:
    return f"console-all-{look}.webp"


def sheet(look: Look, directory: Path) -> str:
    """One look's pictures on one page."""
    width, columns = GRID[look.size]
    scenes = {scene: directory / picture(scene, look) for scene in SCENES}
    return SHEET.format(width=width, columns=columns, scenes=figures(scenes))


async def draw(browser: Browser, address: str, token: str, pictures: dict[str, Path], look: Look) -> None:
    """The scenes that are named, in one look."""
    async with watched_page(browser, address, watch=Watch(allowed=["401"]), **look.options) as page:
        await page.goto("/console")
        await page.locator("#token").fill(token)
        await page.keyboard.press("Enter")
        await page.locator("#tabs a").first.wait_for()
        for scene, path in pictures.items():
            part, act = SCENES[scene]
            await page.goto(f"/console?{scene}#{part}")
            await page.locator(f"#tabs a[href='#{part}'][aria-current]").wait_for()
            await act(page)
            await page.wait_for_timeout(300)
            await page.screenshot(path=path)


async def main(directory: Path, patterns: list[str]) -> None:
    """Draw what the patterns name."""
    async with chromium_for_script() as (browser, _):
        for language, looks in groupby(sorted(LOOKS, key=spoken_language), spoken_language):
            async with elsewhere(language) as (address, token):
                for look in looks:
                    names = {scene: picture(scene, look) for scene in SCENES}
                    wanted = {
                        scene: directory / name for scene, name in names.items() if named(name, patterns)
                    }
                    await draw(browser, address, token, wanted, look)
        for look in LOOKS:
            if named(name := sheet_picture(look), patterns):
                drawn = await draw_sheet(browser, GRID[look.size][0], sheet(look, directory))
                await asyncio.to_thread((directory / name).write_bytes, drawn)


def spoken_language(look: Look) -> str:
    return look.language


if __name__ == "__main__":
    to = Path(sys.argv[1])
    to.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(to, sys.argv[2:] or ["*"]))
