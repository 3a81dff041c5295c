"""A step of one's own in the client's pipeline: every answer passes through it before the application sees it.

python examples/pipeline_step.py ws://127.0.0.1:8000/ 'what is 17 times 23'
"""

import asyncio
import sys

import msgspec

import lumi


async def shout(response: lumi.Response) -> lumi.Response:
    return msgspec.structs.replace(response, content=response.content.upper())


async def main(url: str, question: str) -> None:
    async with lumi.connect(url) as client:
        client.pipeline.add_step(lumi.Response, shout)
        events = client.events()
        await client.chat(question)
        async for event in events:
            if isinstance(event, lumi.Response):
                print(event.content)
                return


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
