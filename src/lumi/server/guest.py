"""A device that nobody has let in yet: what it hears, whatever it says."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from lumi.engines.base import LlmEvent, Prompt, Speaker, TextDelta, Transcript, Tts, Voice
from lumi.errors import Overloaded, RateLimited, StoreError
from lumi.protocol.messages import ClientHello, Listen
from lumi.server.identity import printable
from lumi.server.registry import DeviceRegistry
from lumi.voice.language import language_of

PAUSE_S = 5.0
"""Between two answers to one guest."""

ASKED = {"en": "Let me in", "zh": "我要配对"}
"""What stands for whatever a guest said: nobody's recogniser listens to strangers."""

WORDS = {
    "en": {
        "code": "This device is not paired yet. Its code is {code}. Please confirm the code on the server.",
        "crowded": "Too many devices are waiting to be paired. Please try again later.",
        "share": "Too many devices from this address are waiting to be paired. Please confirm one of them, or try again later.",
        "paired": "This device is paired now. Please say that again.",
        "title": "Pairing",
    },
    "zh": {
        "code": "这台设备还没有配对，配对码是 {code}。请在服务器上确认。",
        "crowded": "等待配对的设备太多了，请稍后再试。",
        "share": "来自这个地址的待配对设备太多了，请先确认其中一台，或稍后再试。",
        "paired": "这台设备已经配对，请再说一遍。",
        "title": "配对",
    },
}


@dataclass(slots=True)
class Guest:
    """Who waits, and what it takes to begin its session when somebody has let it in.

    Attributes:
        address: where it is.
        listening: its microphone is open since this message.
    """

    device_id: str
    client_id: str
    hello: ClientHello
    address: str = ""
    listening: Listen | None = None

    def heard(self, message: object) -> None:
        """Something came from it."""
        if isinstance(message, Listen):
            self.listening = message if message.state == "start" else None


def words(language: str) -> dict[str, str]:
    return WORDS["zh" if language.startswith("zh") else "en"]


CODE = re.compile(r"\b(\d{3}) (\d{3})\b")


def written(code: str) -> str:
    """Six digits for the eye."""
    return f"{code[:3]} {code[3:]}"


def code_in(text: str) -> str:
    """The code that a text names; empty if none."""
    found = CODE.search(text)
    return found[0] if found else ""


def spelled(text: str) -> str:
    """A text in which a voice says the code's digits one by one."""
    pause = "，" if language_of(text, "en") == "zh" else ", "
    return CODE.sub(lambda found: pause.join(found[1] + found[2]), text)


class GuestStt:
    """Hears that something was said."""

    name = "guest"

    async def transcribe(self, audio: AsyncIterator[bytes], speaker: Speaker) -> AsyncIterator[Transcript]:
        async for _ in audio:
            pass
        yield Transcript(ASKED["zh" if speaker.language == "zh" else "en"])

    async def aclose(self) -> None:
        """Holds nothing."""


class GuestLlm:
    """Answers with the code, once in `PAUSE_S`."""

    name = "guest"

    def __init__(self, registry: DeviceRegistry, guest: Guest) -> None:
        self._registry = registry
        self._guest = guest
        self._not_before = 0.0

    async def reply(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._not_before - now))
        self._not_before = max(now, self._not_before) + PAUSE_S
        yield TextDelta(await self.text(prompt.speaker.language))

    async def text(self, language: str) -> str:
        """What there is to say to this guest now."""
        try:
            return await self.news(language)
        except Overloaded as refusal:
            return put_off(refusal, language)

    async def news(self, language: str) -> str:
        """What there is to say to this guest now.

        Raises:
            Overloaded: it gets no code now.
        """
        guest, said = self._guest, words(language)
        if self._registry.is_paired(guest.device_id, guest.client_id):
            return said["paired"]
        try:
            code = await self._registry.ask(
                guest.device_id, guest.client_id, address=guest.address, **described(guest.hello)
            )
        except StoreError:
            return said["crowded"]
        return said["code"].format(code=written(code.code))

    async def aclose(self) -> None:
        """Holds nothing."""


def put_off(refusal: Overloaded, language: str) -> str:
    """What to say to a guest that gets no code now."""
    return words(language)["share" if isinstance(refusal, RateLimited) else "crowded"]


class GuestTts:
    """The household's voice, saying a code digit by digit."""

    def __init__(self, tts: Tts) -> None:
        self._tts = tts
        self.name = tts.name

    @property
    def sample_rate_hz(self) -> int:
        return self._tts.sample_rate_hz

    def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
        return self._tts.synthesize(spelled(text), voice)

    async def aclose(self) -> None:
        """It stays the household's."""

    def __getattr__(self, name: str) -> object:
        """What an engine may have beside the seam, as the names of its voices."""
        return getattr(self._tts, name)


def described(hello: ClientHello) -> dict[str, str]:
    """What a hello says of its device."""
    info = hello.device_info
    model = (info.model if info else None) or (info.platform if info else None) or ""
    return {"model": printable(model)[:64], "name": printable(hello.device_name or "")[:64]}
