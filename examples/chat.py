"""Ask in text, read the answer: `python examples/chat.py "what is 17 times 23"` beside a running server."""

import asyncio
import sys

import lumi

URL = "ws://127.0.0.1:8000/"


async def main(question: str) -> None:
    async with lumi.connect(URL) as client:
        reply = await client.chat(question)
        print(reply.content)


asyncio.run(main(" ".join(sys.argv[1:]) or "what is 17 times 23"))
