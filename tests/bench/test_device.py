"""A virtual device against a server played by the test, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from lumi.bench.device import FRAME_S, PATIENCE_S, Notes, VirtualDevice
from lumi.errors import ConnectionLost
from lumi.transport.memory import MemoryLink, memory_link_pair

UTTERANCE = [b"packet %d" % number for number in range(5)]


async def answer_hello(server: MemoryLink) -> dict[str, object]:
    hello: dict[str, object] = json.loads(await server.receive())
    await server.send(json.dumps({"type": "hello", "id": hello["id"], "session_id": "session-1"}))
    return hello


async def hear_question(server: MemoryLink) -> list[str | bytes]:
    heard = [await server.receive()]
    while isinstance(heard[-1], bytes) or '"stop"' not in heard[-1]:
        heard.append(await server.receive())
    return heard


async def speak(server: MemoryLink, packets: int, after_s: float = 0.0) -> None:
    await asyncio.sleep(after_s)
    await server.send(json.dumps({"type": "stt", "text": "what"}))
    await server.send(json.dumps({"type": "tts", "state": "start"}))
    for _ in range(packets):
        await server.send(b"sound")
        await asyncio.sleep(FRAME_S)
    await server.send(json.dumps({"type": "tts", "state": "stop"}))


async def converse(
    server_side: object, utterance: Sequence[bytes] = UTTERANCE, until_s: float = 0.1
) -> Notes:
    client, server = memory_link_pair()
    notes = Notes()
    clock = asyncio.get_running_loop().time
    device = VirtualDevice(client, "device-7", utterance, notes, clock=clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(device.converse(clock() + until_s))
        group.create_task(server_side(server))  # type: ignore[operator]
    return notes


async def test_a_turn_is_hello_a_question_in_real_time_and_its_answer() -> None:
    seen: list[object] = []

    async def server_side(server: MemoryLink) -> None:
        seen.append(await answer_hello(server))
        begun_s = asyncio.get_running_loop().time()
        seen.extend(await hear_question(server))
        seen.append(asyncio.get_running_loop().time() - begun_s)
        await speak(server, packets=4, after_s=0.25)

    notes = await converse(server_side)

    hello, start, *packets, stop, seconds = seen
    assert isinstance(hello, dict)
    assert hello["device_id"] == "device-7"
    assert hello["audio_params"]["frame_duration"] == 60
    expected = {"type": "listen", "mode": "manual", "session_id": "session-1"}
    assert json.loads(start) == expected | {"state": "start"}  # type: ignore[arg-type]
    assert json.loads(stop) == expected | {"state": "stop"}  # type: ignore[arg-type]
    assert packets == UTTERANCE
    assert seconds == pytest.approx(len(UTTERANCE) * FRAME_S)
    (answer,) = notes.answers
    assert answer.first_audio_s == pytest.approx(0.25)
    assert (answer.packets, answer.late, answer.stalls) == (4, 0, 0)
    assert notes.hellos_s == [pytest.approx(0.0)]
    assert max(notes.sends_late_s) == pytest.approx(0.0, abs=1e-6)
    assert (notes.unanswered, notes.errors) == (0, [])


async def test_it_goes_again_until_it_is_told_to_stop() -> None:
    async def server_side(server: MemoryLink) -> None:
        await answer_hello(server)
        for _ in range(2):
            await hear_question(server)
            await speak(server, packets=1)

    notes = await converse(server_side, until_s=0.5)
    assert len(notes.answers) == 2


async def test_a_late_packet_is_noted() -> None:
    async def server_side(server: MemoryLink) -> None:
        await answer_hello(server)
        await hear_question(server)
        await server.send(b"sound")
        await asyncio.sleep(1.0)
        await speak(server, packets=1)

    (answer,) = (await converse(server_side)).answers
    assert (answer.packets, answer.late, answer.stalls) == (2, 1, 1)
    assert answer.worst_s == pytest.approx(1.0 - FRAME_S)


async def test_an_answer_that_never_comes_is_counted_and_ends_the_conversation() -> None:
    async def server_side(server: MemoryLink) -> None:
        await answer_hello(server)
        await hear_question(server)
        await asyncio.sleep(PATIENCE_S + 1)

    notes = await converse(server_side, until_s=60)
    assert (notes.unanswered, notes.answers) == (1, [])


async def test_an_answer_without_sound_is_unanswered_and_an_error_is_kept() -> None:
    async def server_side(server: MemoryLink) -> None:
        await answer_hello(server)
        await hear_question(server)
        await server.send(json.dumps({"type": "error", "error_message": "no words"}))
        await speak(server, packets=0)

    notes = await converse(server_side)
    assert notes.unanswered == 1
    assert notes.errors == ["device-7: no words"]


async def test_a_lost_connection_is_noted_and_nothing_more() -> None:
    async def server_side(server: MemoryLink) -> None:
        await answer_hello(server)
        await server.close(1013, "come back later")
        with pytest.raises(ConnectionLost):
            await hear_question(server)

    notes = await converse(server_side)
    assert notes.errors == ["device-7: connection closed (1013: come back later)"]
