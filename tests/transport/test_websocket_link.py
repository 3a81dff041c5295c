"""What real sockets do too seldom: a link over a socket and a transport that follow a script, in virtual time."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import ClientConnectionResetError, WebSocketError, WSMessage, WSMsgType

from lumi.errors import ConnectionLost
from lumi.testing.transports import lost
from lumi.transport.base import LinkInfo
from lumi.transport.websocket_link import WRITE_LIMIT_BYTES, WebSocketLink


class ScriptedSocket:
    """Receives what the script says, raising what is an error; takes what is sent."""

    def __init__(self, *script: WSMessage | Exception, send_error: Exception | None = None) -> None:
        self._script = list(script)
        self._send_error = send_error
        self.sent: list[tuple[bytes, WSMsgType]] = []
        self.closed: list[int] = []

    async def receive(self) -> WSMessage:
        item = self._script.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    async def send_frame(self, message: bytes, opcode: WSMsgType) -> None:
        if self._send_error is not None:
            raise self._send_error
        self.sent.append((message, opcode))

    async def close(self, *, code: int, message: bytes) -> bool:
        self.closed.append(code)
        return True


class ScriptedTransport(asyncio.Transport):
    """Has so many bytes unsent; `family` is that of its socket."""

    def __init__(self, family: int | None = None, *, options_fail: bool = False) -> None:
        super().__init__()
        self.unsent = 0
        self.closing = False
        self.aborted = False
        self.options: list[tuple[int, int]] = []
        self._family = family
        self._options_fail = options_fail

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)

    def is_closing(self) -> bool:
        return self.closing

    def abort(self) -> None:
        self.aborted = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if self._family is None:
            return default
        self.family = self._family
        return self

    def setsockopt(self, level: int, option: int, value: int) -> None:
        if self._options_fail:
            raise OSError("closed already")
        self.options.append((level, option))


def _link(
    ws: ScriptedSocket, transport: ScriptedTransport | None = None, release: Any = None, limit: int = 100
) -> WebSocketLink:
    return WebSocketLink(
        ws, transport or ScriptedTransport(), LinkInfo(path="/x"), max_frame_bytes=limit, release=release
    )


def _message(kind: WSMsgType, data: Any = None, extra: str | None = None) -> WSMessage:
    return WSMessage(kind, data, extra)  # type: ignore[no-any-return, call-arg, arg-type, unused-ignore]


async def test_an_answer_to_a_ping_that_cannot_be_sent_is_a_lost_connection() -> None:
    released = 0

    async def release() -> None:
        nonlocal released
        released += 1

    link = _link(
        ScriptedSocket(ClientConnectionResetError("Cannot write to closing transport")), release=release
    )
    assert await lost(link.receive()) == (1006, "Cannot write to closing transport")
    assert (await lost(link.receive()))[0] == 1006
    assert (await lost(link.send("x")))[0] == 1006
    assert released == 1


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (_message(WSMsgType.CLOSE, 0, ""), (1005, "")),
        (_message(WSMsgType.CLOSE, 4409, "replaced"), (4409, "replaced")),
        (_message(WSMsgType.ERROR, WebSocketError(1007, "not UTF-8")), (1007, "not UTF-8")),
        (_message(WSMsgType.ERROR, ConnectionResetError()), (1006, "")),
        (_message(WSMsgType.CLOSED), (1006, "")),
    ],
)
async def test_every_way_to_end_has_a_code(message: WSMessage, expected: tuple[int, str]) -> None:
    assert await lost(_link(ScriptedSocket(message)).receive()) == expected


async def test_what_we_closed_ourselves_keeps_our_reason() -> None:
    link = _link(ScriptedSocket(_message(WSMsgType.CLOSING), ClientConnectionResetError()))
    await link.close(1001, "going away")
    assert await lost(link.receive()) == (1001, "going away")
    assert await lost(link.send(b"x")) == (1001, "going away")


async def test_our_reason_stands_where_receiving_was_under_way() -> None:
    ws = ScriptedSocket()
    link = _link(ws)
    arrived: asyncio.Future[WSMessage] = asyncio.get_running_loop().create_future()
    ws.receive = lambda: arrived  # type: ignore[method-assign, assignment, return-value]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(lost(link.receive()))
        await asyncio.sleep(0)
        await link.close(4408, "no hello")
        arrived.set_result(_message(WSMsgType.CLOSING))
    assert waiting.result() == (4408, "no hello")


async def test_a_send_that_fails_is_a_lost_connection() -> None:
    link = _link(ScriptedSocket(send_error=ConnectionResetError("gone")))
    assert await lost(link.send("x")) == (1006, "gone")


async def test_a_full_buffer_is_waited_for_without_hurry() -> None:
    ws, transport = ScriptedSocket(), ScriptedTransport()
    link = _link(ws, transport)
    transport.unsent = WRITE_LIMIT_BYTES + 1
    loop = asyncio.get_running_loop()
    start = loop.time()
    loop.call_later(1, setattr, transport, "unsent", WRITE_LIMIT_BYTES)
    await link.send("x")
    assert 1 <= loop.time() - start <= 1.1
    assert ws.sent == [(b"x", WSMsgType.TEXT)]


async def test_who_waits_for_room_hears_of_the_end() -> None:
    transport = ScriptedTransport()
    link = _link(ScriptedSocket(), transport)
    transport.unsent = WRITE_LIMIT_BYTES + 1
    asyncio.get_running_loop().call_later(1, setattr, transport, "closing", True)
    assert await lost(link.send("x")) == (1006, "the peer has gone")


async def test_what_nobody_reads_is_thrown_away_at_the_close() -> None:
    transport = ScriptedTransport()
    link = _link(ScriptedSocket(), transport)
    await link.close()
    assert not transport.aborted
    transport.unsent = 1
    await link.close()
    assert transport.aborted


@pytest.mark.parametrize("error", [TimeoutError(), ConnectionResetError(), ClientConnectionResetError()])
async def test_a_close_never_raises(error: Exception) -> None:
    ws = ScriptedSocket()

    async def fail(*, code: int, message: bytes) -> bool:
        raise error

    ws.close = fail  # type: ignore[method-assign]
    await _link(ws).close(1000)


async def test_too_long_a_frame_is_closed_with_1009() -> None:
    ws = ScriptedSocket(_message(WSMsgType.BINARY, bytes(101)))
    assert (await lost(_link(ws).receive()))[0] == 1009
    assert ws.closed == [1009]


@pytest.mark.parametrize(
    ("text", "fits"), [("a" * 100, True), ("a" * 101, False), ("现" * 33, True), ("现" * 34, False)]
)
async def test_text_is_measured_in_bytes(text: str, fits: bool) -> None:
    link = _link(ScriptedSocket(_message(WSMsgType.TEXT, text)))
    if fits:
        assert await link.receive() == text
    else:
        with pytest.raises(ConnectionLost, match="1009"):
            await link.receive()


def test_tcp_is_set_up_where_it_is_tcp() -> None:
    tcp, unix = ScriptedTransport(socket.AF_INET), ScriptedTransport(socket.AF_UNIX)
    _link(ScriptedSocket(), tcp)
    _link(ScriptedSocket(), unix)
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE) in tcp.options
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY) in tcp.options
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) in tcp.options
    assert unix.options == []


def test_a_socket_that_is_gone_already_does_not_matter_yet() -> None:
    _link(ScriptedSocket(), ScriptedTransport(socket.AF_INET6, options_fail=True))


def test_a_system_without_some_option_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_NOTSENT_LOWAT", raising=False)
    transport = ScriptedTransport(socket.AF_INET)
    _link(ScriptedSocket(), transport)
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY) in transport.options
