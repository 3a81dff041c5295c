from __future__ import annotations

import asyncio
import socket

import pytest
from tests.engines.wyoming_peer import Call, peer, silent_port_url
from wyoming.audio import AudioChunk
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong

from lumi.engines.wyoming_line import Patience, WyomingAddress, connected
from lumi.errors import ConfigError, EngineError, Trouble

SHORT = Patience(connect_s=0.3, answer_s=0.3)


def at(url: str) -> WyomingAddress:
    return WyomingAddress.parse("stt.wyoming", url)


def test_addresses():
    assert (at("tcp://whisper.local:10300").host, at("tcp://[::1]:10300").host) == ("whisper.local", "::1")
    assert at("unix:///run/piper.sock").path == "/run/piper.sock"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "whisper:10300",
        "tcp://whisper",
        "tcp://:1",
        "tcp://a:99999",
        "http://a:1",
        "unix://",
        "tcp://[::1",
    ],
)
def test_what_is_no_address(url):
    with pytest.raises(
        ConfigError, match=r"stt\.wyoming\.base_url: .* accepted: tcp://HOST:PORT, or unix:///PATH"
    ):
        at(url)


async def echo(call: Call) -> None:
    await call.until("ping")
    await call.say(Pong("there"))
    await call.reader.read()


@pytest.mark.real
async def test_a_question_and_its_answer(tmp_path):
    for path in ("", str(tmp_path / "s")):
        async with peer(echo, path=path) as server, connected("w", at(server.url)) as line:
            assert line.poll() is None
            await line.send(Ping())
            assert (await line.receive()).data == {"text": "there"}


@pytest.mark.real
async def test_nobody_there_names_the_setting(tmp_path):
    for url in (silent_port_url(), f"unix://{tmp_path}/none", "tcp://nowhere.invalid:1"):
        with pytest.raises(EngineError, match=f"nothing listens at {url} .* or set base_url") as raised:
            async with connected("w", at(url), SHORT):
                pass
        assert raised.value.trouble is Trouble.UNREACHABLE


@pytest.mark.real
async def test_a_connection_that_does_not_come_about_in_time():
    with socket.socket() as full:  # its queue of one is taken, and nobody accepts
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        others = [socket.socket() for _ in range(3)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        with pytest.raises(EngineError, match=r"no answer within 0\.3 s") as raised:
            async with connected("w", at(f"tcp://127.0.0.1:{port}"), SHORT):
                pass
        assert raised.value.trouble is Trouble.UNREACHABLE
        for other in others:
            other.close()


async def asked(url: str) -> Event:
    async with connected("w", at(url), SHORT) as line:
        await line.send(Describe())
        return await line.receive()


async def pestered(url: str) -> None:
    async with connected("w", at(url), SHORT) as line:
        while True:
            await line.send(AudioChunk(16_000, 2, 1, bytes(1_000_000)))


async def left(url: str) -> None:
    async with connected("w", at(url)) as line:
        await line.send(Describe())
        raise ZeroDivisionError


async def trouble_with(data: bytes, *, hang_up: bool = True) -> EngineError:
    async def answer(call: Call) -> None:
        await call.until("describe")
        await call.say_raw(data)
        if not hang_up:
            await call.reader.read()

    async with peer(answer) as server:
        with pytest.raises(EngineError) as raised:
            await asked(server.url)
        assert server.url in str(raised.value)
        return raised.value


@pytest.mark.real
async def test_what_can_be_wrong_with_an_answer():
    error = await trouble_with(b"HTTP/1.1 400 Bad Request\r\n\r\n", hang_up=False)
    assert "what is no Wyoming" in str(error)
    assert error.trouble is Trouble.GARBLED
    error = await trouble_with(b'{"type":"info","data_length":90}\n{"asr"')
    assert "hung up in the middle of an event" in str(error)
    assert error.trouble is Trouble.GARBLED
    assert "hung up before it had answered" in str(await trouble_with(b""))
    error = await trouble_with(b"", hang_up=False)
    assert "says nothing for 0.3 s" in str(error)
    assert error.trouble is Trouble.SLOW
    assert "is too long" in str(
        await trouble_with(b'{"type":"x","payload_length":99999999}\n', hang_up=False)
    )


@pytest.mark.real
async def test_the_server_s_own_error_is_told():
    async def refuse(call: Call) -> None:
        await call.say(Error("no such model"))
        await call.reader.read()

    async with peer(refuse) as server, connected("w", at(server.url)) as line:
        with pytest.raises(EngineError, match="says: no such model"):
            await line.receive()


@pytest.mark.real
async def test_a_server_that_takes_nothing_is_not_waited_for_for_ever():
    over = asyncio.Event()

    async def deaf(_call: Call) -> None:
        await over.wait()

    async with peer(deaf) as server:
        with pytest.raises(EngineError, match=r"takes nothing for 0\.3 s") as raised:
            await pestered(server.url)
        assert raised.value.trouble is Trouble.SLOW
        over.set()


@pytest.mark.real
async def test_a_server_that_is_not_listened_to_has_to_wait_and_nothing_is_lost():
    many = 3_000

    async def flood(call: Call) -> None:
        for number in range(many):
            await call.say(AudioChunk(16_000, 2, 1, number.to_bytes(2, "big") * 500))
        await call.reader.read()

    async with peer(flood) as server, connected("w", at(server.url)) as line:
        await asyncio.sleep(0.3)
        assert len(line._events) < 1_000
        for number in range(many):
            assert (await line.receive()).payload == number.to_bytes(2, "big") * 500


@pytest.mark.real
async def test_whoever_leaves_early_hangs_up():
    async with peer(echo) as server:
        with pytest.raises(ZeroDivisionError):
            await left(server.url)
        async with asyncio.timeout(5):
            await server.gone.wait()


@pytest.mark.real
async def test_what_came_before_the_end_is_still_read():
    async def brief(call: Call) -> None:
        await call.say(Pong("a"), Pong("b"))

    async with peer(brief) as server, connected("w", at(server.url)) as line:
        await asyncio.sleep(0.1)
        assert [(await line.receive()).data["text"] for _ in range(2)] == ["a", "b"]
        with pytest.raises(EngineError, match="hung up before"):
            await line.send(Ping())
