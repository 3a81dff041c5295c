from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from lumi.config.serving import ServerSettings
from lumi.engines.base import Voice
from lumi.server.device_overrides import DeviceOverrides
from lumi.server.kit import Kit, SessionSettings
from lumi.server.port import listening
from lumi.server.voices import PATH, chosen, named_by, voice_routes
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.rehearsal import Rehearsal


class Choir(ScriptedTts):
    voice_names = ("alto", "bass")


def kit(tts: ScriptedTts, **overrides: str) -> Kit:
    settings = SessionSettings(voice=Voice("tenor", speed=1.2))
    return Kit(ScriptedStt(), ScriptedLlm(), tts, settings, DeviceOverrides(**overrides))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "name"), [("alto", "alto"), ("", "tenor"), ("a name that would break the engine", "tenor")]
)
def test_a_wish_counts_where_the_engine_knows_it(wish, name):
    assert chosen(kit(Choir()), wish) == Voice(name, speed=1.2)


def test_what_is_said_of_the_device_counts_for_more():
    assert chosen(kit(Choir(), voice="bass"), "alto").name == "tenor"  # its settings have taken it in already


def test_an_engine_that_names_none_has_none():
    assert named_by(ScriptedTts()) == ()
    assert chosen(kit(ScriptedTts()), "alto").name == "tenor"


async def test_a_later_hello_may_wish_for_another_voice() -> None:
    tts = Choir()
    async with Rehearsal(tts=tts) as house, house.device() as device:
        await device.hello(voice="alto")
        await device.detect("hello")
        await device.spoken_turn()
        await device.hello(voice="bass")
        await device.detect("hello again")
        await device.spoken_turn()
        await device.hello()
        await device.detect("once more")
        await device.spoken_turn()
    names = [voice.name for voice in tts.voices]
    assert list(dict.fromkeys(names)) == ["alto", "bass"]


@pytest.mark.real
async def test_the_page_is_told_which_there_are():
    app = web.Application()
    app.add_routes(voice_routes(lambda: kit(Choir())))
    async with (
        listening(app, ServerSettings(port=0)) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
        http.get(PATH) as answer,
    ):
        assert await answer.json() == {"voices": ["alto", "bass"]}
