"""Real multicast, on the loopback interface only. Each test has a kind of service of its own: others announce too."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from contextlib import suppress

import pytest
from tests.empty_network import way_in

from lumi.errors import NetworkUnavailable
from lumi.transport import discovery
from lumi.transport.discovery import Service, announce, browse, keep_announced, label, lan_addresses

HERE = ("127.0.0.1",)


@pytest.fixture
def kind() -> str:
    return f"_t{uuid.uuid4().hex[:10]}._tcp.local."


PATIENCE = 10
"""Searches: on a busy machine one of a second may miss an answer."""


async def found(kind: str, seconds: float = 1.0, *, count: int = 1) -> list[Service]:
    """What is announced, once as many as `count` are heard of; none: after one search."""
    for _ in range(PATIENCE):
        services = await browse(kind, seconds=seconds, interfaces=HERE)
        if len(services) >= count:
            break
    return services


@pytest.mark.real
async def test_what_is_announced_is_found_while_the_block_runs(kind):
    properties = {"version": "0.2.0", "path": "/", "token": "1", "name": "客厅"}
    async with announce(
        kind, "Wohnzimmer", 8123, properties=properties, addresses=HERE, interfaces=HERE
    ) as known_as:
        assert known_as == "Wohnzimmer"
        assert await found(kind) == [Service("Wohnzimmer", 8123, HERE, properties)]
    assert await found(kind, 0.5, count=0) == []


@pytest.mark.real
async def test_two_of_one_name_are_told_apart_and_stay_when_the_other_leaves(kind):
    async with announce(kind, "Lumi", 1, addresses=HERE, interfaces=HERE) as first:
        async with announce(kind, "Lumi", 2, addresses=HERE, interfaces=HERE) as second:
            assert (first, second) == ("Lumi", "Lumi-2")
            assert [(s.name, s.port) for s in await found(kind, count=2)] == [("Lumi", 1), ("Lumi-2", 2)]
        assert [(s.name, s.host) for s in await found(kind)] == [("Lumi", "127.0.0.1")]


@pytest.mark.real
async def test_several_addresses_are_told_ipv4_first(kind):
    addresses = ("fd00::7", "192.168.7.7")
    async with announce(kind, "Lumi", 8000, addresses=addresses, interfaces=HERE):
        (service,) = await found(kind)
        assert service.addresses == ("192.168.7.7", "fd00::7")


@pytest.mark.real
async def test_odd_names_and_long_properties_are_announced(kind):
    async with announce(
        kind, "my.host\n" + "很" * 40, 8000, properties={"k": "v" * 400}, addresses=HERE, interfaces=HERE
    ) as known_as:
        (service,) = await found(kind)
        assert service.name == known_as == label("my.host\n" + "很" * 40)
        assert service.properties == {"k": "v" * 253}


def test_names_that_can_be_announced():
    assert label("Lumi on pi.local") == "Lumi on pi-local"
    assert label(" a\tb\x7f  c ") == "ab c"
    assert label("...") == "---"
    assert label("\n") == "Lumi"
    assert len(label("é" * 60).encode()) <= 63 - len("-999")


async def test_nobody_is_announced_where_there_is_no_network(kind):
    with pytest.raises(NetworkUnavailable, match="this machine is in no network"):
        async with announce(kind, "Lumi", 8000, addresses=()):
            pass


@pytest.mark.real
@pytest.mark.parametrize("interface", ["192.0.2.77", "nonsense"])
async def test_an_interface_that_is_none(kind, interface):
    with pytest.raises(NetworkUnavailable, match=f"{interface} is no address of this machine"):
        await browse(kind, seconds=0.2, interfaces=[interface])
    with pytest.raises(NetworkUnavailable, match="is no address of this machine"):
        async with announce(kind, "Lumi", 8000, addresses=HERE, interfaces=[interface]):
            pass


PROGRAM = """
import asyncio, json
from lumi.errors import NetworkUnavailable
from lumi.transport.discovery import browse, lan_addresses
async def main():
    try:
        return await browse("_lumi._tcp.local.", seconds=0.3)
    except NetworkUnavailable as error:
        return str(error)
print(json.dumps([asyncio.run(main()), lan_addresses()]))
"""


async def test_nobody_is_told_where_the_multicast_port_cannot_be_had(kind, monkeypatch: pytest.MonkeyPatch):
    def refuse(**_options: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", refuse)
    with pytest.raises(NetworkUnavailable, match=r"Address already in use\); name the address instead"):
        await browse(kind, seconds=0.2, interfaces=HERE)


@pytest.mark.real
@pytest.mark.skipif(way_in() is None, reason="an empty network needs root (or user namespaces)")
def test_in_a_machine_without_any_network():
    command = [*(way_in() or ()), sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    said, addresses = json.loads(done.stdout)
    assert "multicast is not possible" in said
    assert addresses == []


async def test_without_zeroconf_it_says_what_to_install(kind, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(NetworkUnavailable, match=r"pip install 'lumi-assistant\[server\]'"):
        await browse(kind)


def test_addresses_of_this_machine_leave_out_its_own():
    assert not [
        text for text in lan_addresses() if text.startswith(("127.", "169.254.", "fe80")) or text == "::1"
    ]


def test_addresses_that_cannot_be_found_out_now_are_no_bug(monkeypatch: pytest.MonkeyPatch):
    def full() -> object:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("ifaddr.get_adapters", full)
    with pytest.raises(NetworkUnavailable, match="Too many open files"):
        lan_addresses()


@pytest.mark.real
async def test_it_stays_announced_where_addresses_cannot_be_found_out_for_a_while(kind):
    answers: list[tuple[str, ...]] = []
    lines: asyncio.Queue[str] = asyncio.Queue()

    def addresses() -> tuple[str, ...]:
        if not answers:
            raise NetworkUnavailable("no files")
        return answers[0]

    job = asyncio.create_task(
        keep_announced(
            kind, "Lumi", 8000, addresses=addresses, interfaces=HERE, told=lines.put_nowait, look_every_s=0.05
        )
    )
    assert await lines.get() == "no files"
    answers.append(HERE)
    assert "announced" in await lines.get()
    answers.clear()
    await asyncio.sleep(0.2)
    assert lines.empty(), "it is announced still"
    assert not job.done()
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job


@pytest.mark.real
async def test_it_stays_announced_while_addresses_change(kind):
    now: list[tuple[str, ...]] = [HERE]
    lines: asyncio.Queue[str] = asyncio.Queue()
    job = asyncio.create_task(
        keep_announced(
            kind,
            "Lumi",
            8000,
            addresses=lambda: now[0],
            interfaces=HERE,
            told=lines.put_nowait,
            look_every_s=0.05,
        )
    )
    assert await lines.get() == "announced in the local network as 'Lumi' (127.0.0.1, port 8000)"
    now[0] = ()
    assert await lines.get() == "nothing to announce: this machine is in no network"
    assert await found(kind, 0.5, count=0) == []
    now[0] = ("192.168.7.7",)
    assert "192.168.7.7" in await lines.get()
    assert [service.host for service in await found(kind)] == ["192.168.7.7"]
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job
    assert lines.empty()
    assert await found(kind, 0.5, count=0) == []


@pytest.mark.real
async def test_nobody_waits_for_more_services_than_it_can_keep(kind, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(discovery, "MAX_SERVICES", 1)
    async with (
        announce(kind, "a", 1, addresses=HERE, interfaces=HERE),
        announce(kind, "b", 2, addresses=HERE, interfaces=HERE),
    ):
        assert len(await found(kind)) == 1
