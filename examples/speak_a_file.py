"""Speaks a WAV file to the server, prints both sides of the conversation as it happens, keeps the answer's sound.

python examples/speak_a_file.py ws://127.0.0.1:8000/ question.wav answer.wav
"""

import asyncio
import sys
from pathlib import Path

import lumi
from lumi.audio.wav import read_wav, write_wav


async def main(url: str, question: Path, answer: Path) -> None:
    sound = read_wav(question)
    heard = bytearray()
    rate_hz = sound.rate_hz
    async with lumi.connect(url) as client:
        events = client.events()
        await client.listen_start("manual")
        await client.send_pcm(sound.pcm, sound.rate_hz)
        await client.listen_stop()
        async for event in events:
            match event:
                case lumi.Stt():
                    print(f"You:  {event.text} [{event.confidence:.2f}]")
                case lumi.Tts(state=lumi.TtsState.SENTENCE_START):
                    print(f"Lumi: {event.text}")
                case lumi.Audio():
                    heard += event.pcm
                    rate_hz = event.rate_hz
                case lumi.Tts(state=lumi.TtsState.STOP):
                    break
    write_wav(answer, bytes(heard), rate_hz)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
