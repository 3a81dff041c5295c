from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from lumi.errors import ConnectionLost
from lumi.testing.device import FakeDevice
from lumi.testing.wire import V3
from lumi.transport.memory import MemoryLink, memory_link_pair

Serve = Callable[[MemoryLink], Awaitable[None]]


@contextlib.asynccontextmanager
async def _device(serve: Serve, **options: Any) -> AsyncIterator[FakeDevice]:
    client, server = memory_link_pair()

    async def run() -> None:
        with contextlib.suppress(ConnectionLost):
            await serve(server)

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        async with FakeDevice(client, **options) as device:
            yield device
        await server.close()


async def _say(link: MemoryLink, **message: Any) -> None:
    await link.send(msgspec.json.encode(message).decode())


async def _echo_hello(link: MemoryLink) -> None:
    """Answers every message with a hello that holds it."""
    while True:
        frame = await link.receive()
        assert isinstance(frame, str)
        await _say(link, type="hello", session_id="12345678", asked=msgspec.json.decode(frame))


async def test_hello_of_both_dialects() -> None:
    async with _device(_echo_hello) as device:
        asked = (await device.hello())["asked"]
        assert list(asked) == [
            "type",
            "version",
            "transport",
            "audio_params",
            "id",
            "device_id",
            "device_info",
        ]
        assert device.session_id == "12345678"
        asked = (await device.hello(version=None, features={"mcp": True}))["asked"]
        assert "version" not in asked
        assert asked["features"] == {"mcp": True}
    async with _device(_echo_hello, dialect="xiaozhi") as device:
        assert "id" not in (await device.hello())["asked"]


async def test_chat_waits_for_its_own_final_response() -> None:
    async def serve(link: MemoryLink) -> None:
        chat = msgspec.json.decode(await link.receive())
        await _say(link, type="response", id="another", content="no")
        await _say(link, type="response", id=chat["id"], content="", delta="y", is_final=False)
        await _say(link, type="response", id=chat["id"], content=f"yes: {chat['content']}")

    async with _device(serve) as device:
        assert (await device.chat("hi"))["content"] == "yes: hi"
        assert device.types == ["response"] * 3


async def test_the_other_messages_of_a_client() -> None:
    got: list[dict[str, Any]] = []

    async def serve(link: MemoryLink) -> None:
        while True:
            got.append(msgspec.json.decode(await link.receive()))

    async with _device(serve) as device:
        device.session_id = "s"
        await device.listen("start", mode="auto")
        await device.detect("what time is it")
        await device.abort("user_interrupt")
        await device.abort()
        await device.send_chat("hi", id="mine", session_id=None)
        await asyncio.sleep(0.1)
    assert got == [
        {"type": "listen", "state": "start", "session_id": "s", "mode": "auto"},
        {"type": "listen", "state": "detect", "session_id": "s", "text": "what time is it"},
        {"type": "abort", "reason": "user_interrupt", "session_id": "s"},
        {"type": "abort", "session_id": "s"},
        {
            "type": "chat",
            "id": "mine",
            "content": "hi",
            "device_id": "test-device",
            "timestamp": "2026-01-05T09:30:00Z",
        },
    ]


async def test_packets_go_out_in_real_time_and_wrapped() -> None:
    loop = asyncio.get_running_loop()
    got: list[tuple[float, str | bytes]] = []

    async def serve(link: MemoryLink) -> None:
        while True:
            frame = await link.receive()
            got.append((round(loop.time() - start, 6), frame))

    async with _device(serve, framing=V3) as device:
        start = loop.time()
        await device.play([b"a", b"b", b"c"])
        await device.play([b"d", b"e"], frame_ms=0)
        await asyncio.sleep(0.1)
    assert [at for at, _ in got] == [0.0, 0.06, 0.12, 0.12, 0.12]
    assert got[0][1] == V3.wrap(b"a", 0, 0)


async def test_a_spoken_turn_has_its_messages_packets_and_times() -> None:
    async def serve(link: MemoryLink) -> None:
        await _say(link, type="stt", text="hi")
        await _say(link, type="tts", state="start")
        await _say(link, type="tts", state="sentence_start", text="Hello.")
        for _ in range(3):
            await link.send(b"packet")
            await asyncio.sleep(0.06)
        await _say(link, type="tts", state="stop")

    async with _device(serve) as device:
        await device.expect("stt", text="hi")
        turn = await device.spoken_turn()
        assert turn.sentences == ["Hello."]
        assert [packet.content for packet in turn.packets] == [b"packet"] * 3
        assert turn.stopped_s - turn.started_s == pytest.approx(0.18)
        assert len(device.packets) == 3


async def test_a_turn_without_a_start_begins_at_its_end() -> None:
    async def serve(link: MemoryLink) -> None:
        await _say(link, type="tts", state="stop")

    async with _device(serve) as device:
        turn = await device.spoken_turn()
        assert turn.started_s == turn.stopped_s


async def test_what_does_not_come_is_named_with_what_came_instead() -> None:
    async def serve(link: MemoryLink) -> None:
        await link.send(b"1")
        await link.send(b"2")
        await _say(link, type="tts", state="start")
        await asyncio.sleep(60)
        await link.close(1011, "oops")

    async with _device(serve) as device:
        with pytest.raises(AssertionError, match=r"'stt'.*within 15 s; there came: 2 × packet, tts start"):
            await device.expect("stt")
        with pytest.raises(AssertionError, match=r"1011: oops.*there came: nothing"):
            await device.expect("stt", timeout_s=100)
        assert (await device.wait_closed()).code == 1011


async def test_quiet_means_nothing_at_all() -> None:
    async def serve(link: MemoryLink) -> None:
        await asyncio.sleep(2)
        await link.send(b"sound")

    async with _device(serve) as device:
        await device.quiet(1)
        with pytest.raises(AssertionError, match="should have been quiet"):
            await device.quiet(2)


async def test_waiting_for_the_end_sees_it_come() -> None:
    async def serve(link: MemoryLink) -> None:
        await asyncio.sleep(3)
        await link.close(4409, "replaced")

    async with _device(serve) as device:
        assert (await device.wait_closed()).reason == "replaced"


async def test_a_tests_own_error_stays_itself() -> None:
    client, _ = memory_link_pair()
    with pytest.raises(ZeroDivisionError):
        async with FakeDevice(client):
            raise ZeroDivisionError


async def test_a_frame_that_makes_no_sense_fails_the_test() -> None:
    client, server = memory_link_pair()

    async def use() -> None:
        async with FakeDevice(client, framing=V3) as device:
            await server.send(b"\x07\x07\x07\x07")
            await device.expect("stt")

    with pytest.raises(ExceptionGroup) as failed:
        await use()
    assert failed.group_contains(AssertionError, match="not a v3 audio frame")
