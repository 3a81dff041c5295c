"""A page with nothing on it but a `LumiClient`, and what it has told so far."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page

BLANK = "/sdk/lumi.js"
"""An address of the server's that comes with its policy and runs nothing by itself."""

QUICK = {"firstS": 0.05, "capS": 0.2}
"""Waits between two tries, for tests."""

EVENTS = (
    "state",
    "hello",
    "delta",
    "response",
    "queue",
    "refused",
    "error",
    "nonsense",
    "stt",
    "tts",
    "notify",
    "goodbye",
)

_OPEN = """async ([options, events]) => {
  const { LumiClient } = await import("/sdk/lumi.js");
  const client = new LumiClient(options);
  const told = [];
  for (const name of events) client.addEventListener(name, ({ detail }) => told.push([name, structuredClone(detail)]));
  Object.assign(window, { client, told });
}"""


async def new_client(page: Page, **options: Any) -> None:
    """`window.client`, not connected yet; what it tells stands in `window.told` as `[event, detail]`."""
    await page.evaluate(_OPEN, [{"reconnect": QUICK, **options}, list(EVENTS)])


async def connect(page: Page, **options: Any) -> dict[str, Any]:
    """The same, connected; the agreement."""
    await new_client(page, **options)
    agreement: dict[str, Any] = await page.evaluate("client.connect()")
    return agreement


async def told(page: Page, name: str) -> list[Any]:
    """What every event of this name had in its detail."""
    details: list[Any] = await page.evaluate(
        "(name) => told.filter(([one]) => one === name).map(([, d]) => d)", name
    )
    return details


async def until(page: Page, condition: str, *, timeout_s: float = 10.0) -> None:
    """Wait until this expression holds in the page. Playwright's own waiting wants `eval`, which the policy forbids."""
    async with asyncio.timeout(timeout_s):
        while not await page.evaluate(condition):  # noqa: ASYNC110 - there is nothing in the page that could tell
            await asyncio.sleep(0.02)


async def until_told(page: Page, name: str, count: int = 1) -> Any:
    """Wait for so many events of a name; the last one's detail."""
    await until(page, f"told.filter(([one]) => one === '{name}').length >= {count}")
    return (await told(page, name))[-1]
