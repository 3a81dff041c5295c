"""A chat bot in ten lines: what you type is answered, until the input ends.

python examples/chat_bot.py ws://127.0.0.1:8000/
"""

import asyncio
import sys

import lumi


async def main(url: str) -> None:
    async with lumi.connect(url) as client:
        for line in sys.stdin:
            reply = await client.chat(line.strip())
            print(reply.content)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/"))
