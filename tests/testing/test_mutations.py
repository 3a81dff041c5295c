"""The link that changes what comes; what each mutation does is seen in `tests/flows/test_replays.py`."""

from __future__ import annotations

import msgspec
import pytest

from lumi.errors import ConnectionLost
from lumi.testing.mutations import MUTATIONS, MutatedLink, Mutation, burst
from lumi.testing.replay import scripts
from lumi.testing.wire import V3
from lumi.transport.memory import MemoryLink, memory_link_pair

V3_SCRIPT = scripts()["firmware-v3"]


def ends(what: str | Mutation) -> tuple[MutatedLink, MemoryLink]:
    client, server = memory_link_pair()
    mutation = MUTATIONS[what] if isinstance(what, str) else what
    return MutatedLink(client, V3_SCRIPT, mutation), server


async def test_a_packet_is_changed_inside_its_header() -> None:
    link, server = ends("packets of 3 bytes")
    await server.send(V3.wrap(bytes(100), 0, 0))
    assert V3.unwrap(bytes(await link.receive())) == bytes(3)  # type: ignore[arg-type]


async def test_what_is_slipped_in_belongs_to_the_session() -> None:
    link, server = ends("a second stop")
    await server.send('{"type":"hello","session_id":"12345678"}')
    await server.send('{"type":"tts","state":"stop","session_id":"12345678"}')
    came = [msgspec.json.decode(await link.receive()) for _ in range(3)]
    assert came[1] == came[2] == {"type": "tts", "state": "stop", "session_id": "12345678"}


async def test_what_it_does_not_concern_goes_both_ways_as_it_is() -> None:
    link, server = ends("no sound")
    await link.send("up")
    assert await server.receive() == "up"
    assert link.info is server.info
    await server.send(V3.wrap(bytes(100), 0, 0))
    await server.send('{"type":"stt"}')
    assert msgspec.json.decode(await link.receive()) == {"type": "stt"}
    await link.close(1000, "done")
    with pytest.raises(ConnectionLost):
        await server.receive()


async def test_hanging_up_is_seen_at_both_ends() -> None:
    link, server = ends("hung up in mid-answer")
    await server.send('{"type":"tts","state":"sentence_start"}')
    await link.receive()
    with pytest.raises(ConnectionLost, match="1011"):
        await link.receive()
    with pytest.raises(ConnectionLost, match="1011"):
        await server.receive()


def test_each_link_has_a_mutation_of_its_own() -> None:
    first, second = burst(V3_SCRIPT), burst(V3_SCRIPT)
    assert [list(first(bytes(10))) for _ in range(8)] == [[]] * 8
    assert list(second(bytes(10))) == []
    assert len(list(first(bytes(10)))) == 9
