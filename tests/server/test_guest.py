import asyncio
from collections.abc import AsyncIterator

import pytest

from lumi.engines.base import ChatMessage, Prompt, Speaker, TextDelta, Voice
from lumi.errors import StoreError
from lumi.protocol.messages import Chat, ClientHello, DeviceInfo, Listen
from lumi.server.guest import (
    PAUSE_S,
    WORDS,
    Guest,
    GuestLlm,
    GuestStt,
    GuestTts,
    code_in,
    described,
    spelled,
    written,
)
from lumi.server.registry import MOST_PENDING, PENDING_SHARE, DeviceRegistry
from lumi.server.voices import named_by
from lumi.store.memory import MemoryStore
from lumi.testing import ScriptedTts

HELLO = ClientHello(device_info=DeviceInfo(platform="web", model="box"), device_name="kitchen")


def registry() -> DeviceRegistry:
    return DeviceRegistry(MemoryStore(), lambda: 1_000.0)


async def heard(llm: GuestLlm, language: str = "en") -> str:
    prompt = Prompt((ChatMessage("user", "open the door"),), Speaker(language=language))
    return "".join([event.text async for event in llm.reply(prompt) if isinstance(event, TextDelta)])


def test_both_languages_say_the_same_things():
    assert WORDS["en"].keys() == WORDS["zh"].keys()


@pytest.mark.parametrize(("language", "digits"), [("en", "0, 1, 2, 3, 4, 5"), ("zh", "0，1，2，3，4，5")])
def test_digits_are_shown_as_a_code_and_said_one_by_one(language, digits):
    assert written("012345") == "012 345"
    said = WORDS[language]["code"].format(code="012 345")
    assert spelled(said) == WORDS[language]["code"].format(code=digits)
    assert (code_in(said), code_in(WORDS[language]["paired"])) == ("012 345", "")
    assert spelled(WORDS[language]["paired"]) == WORDS[language]["paired"]


async def test_the_households_voice_spells_it_and_is_the_same_otherwise():
    said = []

    class Choir(ScriptedTts):
        voice_names = ("alto", "bass")

        def synthesize(self, text: str, voice: Voice) -> AsyncIterator[bytes]:
            said.append(text)
            return super().synthesize(text, voice)

    tts = Choir()
    spelling = GuestTts(tts)
    pieces = [piece async for piece in spelling.synthesize("Its code is 012 345.", Voice())]
    assert said == ["Its code is 0, 1, 2, 3, 4, 5."]
    assert b"".join(pieces)
    assert (spelling.name, spelling.sample_rate_hz) == (tts.name, tts.sample_rate_hz)
    assert named_by(spelling) == ("alto", "bass")
    await spelling.aclose()


async def test_whatever_it_says_it_hears_its_code_and_not_too_often():
    here = registry()
    llm = GuestLlm(here, Guest("d", "c", HELLO))
    loop = asyncio.get_running_loop()
    began = loop.time()
    first = await heard(llm)
    code = await here.ask("d", "c")
    assert written(code.code) in first
    assert loop.time() == began
    assert written(code.code) in await heard(llm, "zh")
    assert loop.time() == began + PAUSE_S
    await here.confirm(code.code)
    assert await heard(llm) == WORDS["en"]["paired"]
    device = here.get("d")
    assert device is not None
    assert (device.model, device.name) == ("box", "kitchen")
    await llm.aclose()


async def test_where_too_many_wait_or_the_store_fails_it_hears_that():
    here = registry()
    for number in range(MOST_PENDING):
        await here.ask(str(number), "")
    assert await GuestLlm(here, Guest("d", "c", HELLO)).text("en") == WORDS["en"]["crowded"]
    here = registry()
    for number in range(PENDING_SHARE):
        await here.ask(str(number), "", address="192.0.2.7")
    crowd = GuestLlm(here, Guest("d", "c", HELLO, "192.0.2.7"))
    assert await heard(crowd, "zh") == WORDS["zh"]["share"]
    assert "code is" in await GuestLlm(here, Guest("e", "c", HELLO, "192.0.2.8")).text("en")

    class Failing(DeviceRegistry):
        async def ask(self, *_: object, **__: object):
            raise StoreError("the disk is full")

    failing = Failing(MemoryStore(), lambda: 0.0)
    assert await GuestLlm(failing, Guest("d", "c", HELLO)).text("zh") == WORDS["zh"]["crowded"]


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_nobody_listens_to_what_a_stranger_says(language):
    async def sound() -> AsyncIterator[bytes]:
        yield b"\x00\x01" * 160

    stt = GuestStt()
    (said,) = [part async for part in stt.transcribe(sound(), Speaker(language=language))]
    assert said.text
    await stt.aclose()


def test_it_is_remembered_whether_its_microphone_is_open():
    guest = Guest("d", "c", HELLO)
    start = Listen(state="start", mode="realtime")
    guest.heard(start)
    guest.heard(Chat(id="1", content="hi"))
    assert guest.listening is start
    guest.heard(Listen(state="stop"))
    assert guest.listening is None
    assert described(ClientHello()) == {"model": "", "name": ""}


def test_what_a_stranger_calls_itself_can_be_shown_on_a_terminal():
    hello = ClientHello(
        device_info=DeviceInfo(model="\x1b[2Jbox\n"), device_name=" \x07kitchen\u202e" + "x" * 99
    )
    assert described(hello) == {"model": "[2Jbox", "name": "kitchen" + "x" * 57}
