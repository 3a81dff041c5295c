"""Ask in text, have the answer spoken, follow it event by event, and keep the sound in `answer.wav`."""

import asyncio
import wave

import lumi
from lumi.client.events import Audio
from lumi.protocol.messages import Tts, TtsState

URL = "ws://127.0.0.1:8000/"


async def main() -> None:
    sound = bytearray()
    rate_hz = 16_000
    async with lumi.connect(URL) as client:
        with client.events() as events:
            await client.detect("tell me a joke")
            async for event in events:
                if isinstance(event, Audio):
                    sound += event.pcm
                    rate_hz = event.rate_hz
                elif isinstance(event, Tts):
                    print(f"tts {event.state}: {event.text or ''}")
                    if event.state is TtsState.STOP:
                        break
    with wave.open("answer.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(sound)
    print(f"{len(sound) / 2 / rate_hz:.1f} s of speech in answer.wav")


asyncio.run(main())
