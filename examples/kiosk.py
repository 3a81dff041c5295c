"""A kiosk: stays connected for ever, says how the line is, and answers whatever is typed, late rather than never.

python examples/kiosk.py ws://127.0.0.1:8000/ kiosk-queue.db
"""

import asyncio
import sys

import lumi
from lumi.client.status import status_of


async def watch(client: lumi.Client) -> None:
    """Say how the line is, at every change."""
    print(f"[{status_of(client.state).en}]", flush=True)
    async for state in client.states():
        print(f"[{status_of(state).en}]", flush=True)


async def ask(client: lumi.Client, question: str) -> None:
    """Wait for the answer for as long as it takes, over any number of lines."""
    try:
        reply = await client.chat(question)
        print(reply.content, flush=True)
    except lumi.LumiError as error:
        print(f"sorry: {error}", flush=True)


async def main(url: str, queue_path: str) -> None:
    # What is typed while there is no line lies in the queue's file: not even a power cut loses it.
    async with lumi.connect(url, queue_path=queue_path, wait_ready=False) as client:
        watching = asyncio.create_task(watch(client))
        async with asyncio.TaskGroup() as questions:
            while line := await asyncio.to_thread(sys.stdin.readline):
                questions.create_task(ask(client, line.strip()))
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
