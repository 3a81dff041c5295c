"""Two tools of one's own: a model that answers for Lumi may call them.

Put them in a package of yours that names them in its pyproject.toml, and install it beside Lumi:

    [project.entry-points."lumi.tools"]
    house = "house_tools"

This program calls them as a model would: python house_tools.py
"""

from __future__ import annotations

import asyncio
from typing import Literal

import lumi
from lumi.engines.base import Speaker, ToolCall
from lumi.tools.functions import FunctionTools

STOCK = {"milk": 2, "eggs": 0}


@lumi.tool(read_only=True)
def stock(item: str) -> str:
    """Say how many of something are in the larder.

    Args:
        item: what, in the singular, in English.
    """
    return f"{STOCK.get(item, 0)} {item}"


@lumi.tool(title="order from the shop", confirm=True)
async def order(
    item: str, speaker: Speaker, count: int = 1, when: Literal["today", "tomorrow"] = "tomorrow"
) -> str:
    """Order something from the shop. It costs money, so the user is asked first."""
    await asyncio.sleep(0)  # the shop's own API goes here
    return f"{count} {item} for {speaker.device_id}, {when}"


async def main() -> None:
    tools = FunctionTools([stock, order])
    speaker = Speaker(device_id="kitchen")
    for spec in await tools.specs(speaker):
        print(f"{spec.name}: {spec.description}{' (asks first)' if spec.confirm else ''}")
    for name, arguments in (("stock", '{"item": "milk"}'), ("order", '{"item": "eggs", "count": 12}')):
        result = await tools.call(ToolCall("1", name, arguments), speaker)
        print(result.text)


if __name__ == "__main__":
    asyncio.run(main())
