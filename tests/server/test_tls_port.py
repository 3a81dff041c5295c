import asyncio
import socket
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from lumi.errors import ConfigError
from lumi.server.certificates import LocalCertificates
from lumi.server.limits import Addresses
from lumi.server.tls_port import TlsDoor, bound, peek, secured

pytestmark = pytest.mark.real


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.write(data)


class Broken(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
        raise RuntimeError("a bug")


class House:
    def __init__(self, folder) -> None:
        self.source = LocalCertificates(folder, lambda: ("127.0.0.1",), time.time)
        self.context = self.source.refresh()
        self.outcomes: Counter[str] = Counter()
        self.told = asyncio.Event()
        self.addresses = Addresses()
        self.port = 0

    def count(self, outcome: str) -> None:
        self.outcomes[str(outcome)] += 1
        self.told.set()

    async def counted(self, outcome: str) -> None:
        while not self.outcomes[outcome]:
            self.told.clear()
            await self.told.wait()

    @property
    def trust(self) -> ssl.SSLContext:
        assert self.source.authority is not None
        return ssl.create_default_context(cadata=self.source.authority.decode())


@asynccontextmanager
async def house(folder, *, handshake_s: float = 5.0) -> AsyncIterator[House]:
    made = House(folder)
    door = TlsDoor(Echo, lambda: made.context, made.count, handshake_s, made.addresses)  # type: ignore[arg-type, return-value]
    async with secured("127.0.0.1", 0, door) as made.port:
        yield made


async def test_who_trusts_the_authority_is_served_at_its_strictest(tmp_path):
    async with house(tmp_path) as made:
        trust = made.trust
        trust.verify_flags |= ssl.VERIFY_X509_STRICT
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port, ssl=trust)
        writer.write(b"hi")
        assert await reader.readexactly(2) == b"hi"
        writer.close()
        await writer.wait_closed()
        assert made.outcomes == {"done": 1}


async def test_who_does_not_trust_it_leaves_and_is_counted(tmp_path):
    async with house(tmp_path) as made:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", made.port, ssl=ssl.create_default_context())
        await made.counted("failed")


async def test_plain_http_gets_an_answer_that_a_person_can_read(tmp_path):
    async with house(tmp_path) as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"this port speaks TLS. Open https://" in answer
        writer.close()
        await made.counted("plain")


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        (b"", "slow"),
        (b"\x16", "slow"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "slow"),
        (b"\x16\x03\x01\x00\x05hello", "failed"),
        (b"\x00\xff", "failed"),
    ],
)
async def test_whatever_is_no_handshake_in_time_ends(tmp_path, sent, outcome, caplog):
    async with house(tmp_path, handshake_s=0.2) as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        writer.write(sent)
        await made.counted(outcome)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
    assert not [record for record in caplog.records if record.exc_info]


async def test_who_leaves_without_a_word_is_counted(tmp_path):
    async with house(tmp_path) as made:
        socket.create_connection(("127.0.0.1", made.port)).close()
        await made.counted("failed")


async def test_an_address_that_has_as_many_as_may_be_is_refused(tmp_path):
    async with house(tmp_path) as made:
        made.addresses.enter = lambda address: False  # type: ignore[method-assign]
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", made.port, ssl=made.trust)
        await made.counted("refused")


async def test_a_new_context_counts_from_the_next_connection_on(tmp_path):
    async with house(tmp_path) as made:
        _, first = await asyncio.open_connection("127.0.0.1", made.port, ssl=made.trust)
        other = House(tmp_path / "other")
        made.context = other.context
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", made.port, ssl=made.trust)
        _, second = await asyncio.open_connection("127.0.0.1", made.port, ssl=other.trust)
        for writer in (first, second):
            writer.close()
            await writer.wait_closed()


async def test_a_bug_costs_its_own_connection_alone(tmp_path):
    made = House(tmp_path)
    kinds = iter((Broken, Echo))

    def factory() -> asyncio.Protocol:
        return next(kinds)()

    door = TlsDoor(factory, lambda: made.context, made.count, 0.5)  # type: ignore[arg-type, return-value]
    async with secured("127.0.0.1", 0, door) as port:
        with suppress(OSError):
            _, first = await asyncio.open_connection("127.0.0.1", port, ssl=made.trust)
            first.close()
        await made.told.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=made.trust)
        writer.write(b"hi")
        assert await reader.readexactly(2) == b"hi"
        writer.close()
        await writer.wait_closed()


async def test_the_port_is_refused_by_its_own_setting(tmp_path):
    async with house(tmp_path) as made:
        with pytest.raises(ConfigError, match="LUMI_SERVER__TLS_PORT") as caught:
            async with secured("127.0.0.1", made.port, None):  # type: ignore[arg-type]
                pass
    assert caught.value.key == "server.tls_port"


async def test_nothing_stays_bound_when_one_address_cannot_be_had():
    with pytest.raises(OSError, match=r"192\.0\.2\.1"):
        await bound("192.0.2.1", 0)


async def test_the_first_byte_is_looked_at_and_left():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        async with asyncio.TaskGroup() as tasks:
            seen = tasks.create_task(peek(ours))
            await asyncio.sleep(0)
            theirs.send(b"xy")
        assert seen.result() == b"x"
        assert ours.recv(9) == b"xy"
