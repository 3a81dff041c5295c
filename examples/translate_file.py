"""Translates a recording: prints what was said in a WAV file, and the same in another language, piece by piece.

python examples/translate_file.py ws://127.0.0.1:8000/ speech.wav Chinese

How well it translates is the server's language model's affair. Pieces go out as voice notes: much faster than they
were spoken.
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import lumi
from lumi.audio.wav import read_wav

LONGEST_S = 20
CUT_WITHIN_S = 5


def pieces(pcm: bytes, rate_hz: int) -> Iterator[bytes]:
    """At most 20 s each, cut where it is quietest."""
    second, moment = rate_hz * 2, rate_hz // 20 * 2

    def loudness(at: int) -> int:
        return sum(map(abs, memoryview(pcm)[at : at + moment].cast("h")))

    while len(pcm) > LONGEST_S * second:
        cut = min(range((LONGEST_S - CUT_WITHIN_S) * second, LONGEST_S * second, moment), key=loudness)
        yield pcm[:cut]
        pcm = pcm[cut:]
    yield pcm


async def transcribe(client: lumi.Client, pcm: bytes, rate_hz: int) -> str:
    """What was said in one piece."""
    with client.events() as events:
        note_id = await client.leave_note(pcm, rate_hz)
        async for event in events:
            match event:
                case lumi.Stt(id=known) if known == note_id:
                    return event.text
                case lumi.Error(id=known) if known == note_id:
                    sys.exit(f"the server could not hear it: {event.error_message}")
    return ""


async def main(url: str, recording: Path, language: str) -> None:
    sound = read_wav(recording)
    async with lumi.connect(url) as client:
        for piece in pieces(sound.pcm, sound.rate_hz):
            said = await transcribe(client, piece, sound.rate_hz)
            if said:
                translated = await client.chat(f"Translate into {language}, and say nothing else: {said}")
                print(f"{said}\n  → {translated.content}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
