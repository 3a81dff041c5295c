from __future__ import annotations

import pytest
from tests.engines.wyoming_peer import Call, peer, silent_port_url
from wyoming.wake import Detection, NotDetected

from lumi.engines.wyoming_wake import WyomingWake
from lumi.errors import ConfigError, EngineError, Trouble
from lumi.testing.conformance import pieces
from lumi.testing.sounds import tone

pytestmark = pytest.mark.real


async def heard(wake: WyomingWake, pcm: bytes) -> list[str]:
    return [name async for name in wake.detect(pieces(pcm))]


async def test_what_a_server_is_told_and_tells():
    async def detect(call: Call) -> None:
        await call.until("audio-chunk")
        await call.say(Detection("ok_nabu"), Detection("ok_nabu"))
        await call.until("audio-stop")
        await call.say(Detection("hey_jarvis"), NotDetected())

    pcm = tone(600)
    async with peer(detect) as server:
        assert await heard(WyomingWake(server.url, model="ok_nabu, hey_jarvis"), pcm) == [
            "ok_nabu",
            "hey_jarvis",
        ]
        assert await heard(WyomingWake(server.url), pcm)
    call, other = server.calls
    assert [event.type for event in call.events][:2] == ["detect", "audio-start"]
    assert call.events[0].data == {"names": ["ok_nabu", "hey_jarvis"]}
    assert other.events[0].data == {"names": None}
    assert call.sound == pcm


async def test_a_server_that_says_no_more_after_the_end():
    async def detect(call: Call) -> None:
        await call.until("audio-stop")
        await call.reader.read()

    async with peer(detect) as server:
        assert await heard(WyomingWake(server.url), tone(100)) == []


async def test_a_server_that_is_gone():
    with pytest.raises(EngineError, match="set base_url") as raised:
        await heard(WyomingWake(silent_port_url()), tone(100))
    assert raised.value.trouble is Trouble.UNREACHABLE

    async def leave(call: Call) -> None:
        await call.until("audio-start")

    async with peer(leave) as server:
        with pytest.raises(EngineError, match="hung up"):
            await heard(WyomingWake(server.url), tone(20_000))


async def test_closes_twice():
    wake = WyomingWake()
    await wake.aclose()
    await wake.aclose()
    with pytest.raises(ConfigError, match=r"wake\.wyoming\.base_url"):
        WyomingWake("nowhere")
