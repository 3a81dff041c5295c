"""What comes over HTTP and no description covers: bytes that are no text, bodies that are none, forms that break off.

Everything is sent to a real server, byte by byte. Whatever it is, its sender is told by a status that it was wrong, and the
server has nothing to say of it in its log of errors.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.flows.scripted import scripted_lumi

from lumi.config import Config
from lumi.config.serving import LogSettings, ServerSettings, StoreSettings
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.testing.engines import ScriptedLlm

pytestmark = pytest.mark.real

Headers = list[tuple[bytes, bytes]]
ELSEWHERE = (b"X-Forwarded-For", b"192.0.2.7")
"""As somebody elsewhere would come; this machine itself need show nothing."""

QUESTION = b'Content-Disposition: form-data; name="question"\r\n\r\nwhat is this'
PICTURE = b'Content-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n\x89PNG\r\n\x1a\nxxx'
KEY = (b"Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ==")
UPGRADE = [(b"Connection", b"close, Upgrade"), (b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13")]

values = st.binary(max_size=24).map(lambda raw: raw.translate(None, bytes(range(32)) + b"\x7f"))
names = st.sampled_from(
    b"Device-Id Client-Id Authorization Accept-Language Protocol-Version User-Agent Origin Device-Model Device-Version "
    b"Sec-WebSocket-Protocol Sec-WebSocket-Extensions Forwarded".split()
)
headers = st.lists(st.tuples(names, values), max_size=4, unique_by=lambda header: header[0])
queries = st.lists(
    st.tuples(
        st.sampled_from([b"device-id", b"client-id", b"authorization", b"from"]),
        st.binary(max_size=6).map(lambda raw: b"".join(b"%%%02x" % byte for byte in raw)),
    ),
    max_size=2,
).map(lambda pairs: b"&".join(b"=".join(pair) for pair in pairs))


class House:
    """A server that is asked byte by byte."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: bytes, path: bytes, sent: Headers, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of the answer."""
        lines = [method + b" " + path + b" HTTP/1.1", *(b": ".join(header) for header in sent)]
        lines += [b"Host: localhost"]
        if body is not None:
            lines += [b"Connection: close", b"Content-Length: %d" % len(body)]
        with closing(socket.create_connection(("127.0.0.1", self._port), timeout=10)) as line:
            line.sendall(b"\r\n".join([*lines, b"", body or b""]))
            answer = b"".join(self._read(line))
        head, _, said = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), said

    def _read(self, line: socket.socket) -> Iterator[bytes]:
        while got := line.recv(65_536):
            yield got
            if got.startswith(b"HTTP/1.1 101 "):
                return


class Seeing(ScriptedLlm):
    sees_images = True


async def besieged(folder: Path, campaign: Callable[[House], None]) -> None:
    """Run a campaign against a server that wants to know who comes; it must be well afterwards, and must not complain."""
    config = Config(
        server=ServerSettings(port=0, drain_s=0.5, data_dir=folder, pairing=True),
        store=StoreSettings(engine="memory"),
        log=LogSettings(file=False, level="error"),
    )
    async with scripted_lumi(config, llm=Seeing(lambda _: "A cat.")) as server:
        house = House(server.port)
        await asyncio.to_thread(campaign, house)
        status, said = await asyncio.to_thread(house.ask, b"GET", b"/healthz", [], b"")
    assert (status, json.loads(said)["status"]) == (200, "ready")


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


few = settings(
    max_examples=60, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)
json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.sampled_from(["\ud800", "1" * 200]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mac_address", "uuid", "board", "application", "type", "name", "version"]), inner
        )
    ),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode())
"""Also what only looks like JSON: NaN, halves of characters."""


async def test_a_devices_question_may_be_anything(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def campaign(house: House) -> None:
        @few
        @given(json_like | st.binary(max_size=40), headers, queries, st.sampled_from([b"", b"activate"]))
        @example(b"[" * 30_000, [(b"Device-Id", b"a")], b"", b"")
        @example(b'{"a":' * 9_000, [(b"Device-Id", b"a")], b"", b"")
        @example(b'{"a":"%s"}' % (b"a" * 70_000), [(b"Device-Id", b"a")], b"", b"")
        @example(b"{}", [(b"Device-Id", b"a"), (b"Content-Type", b"application/json; charset=hex")], b"", b"")
        @example(
            b"{}", [(b"Device-Id", b"a"), (b"Content-Type", b"application/json; charset=\xff")], b"", b""
        )
        @example(b"{}", [(b"Device-Id", b"a"), (b"Content-Encoding", b"gzip")], b"", b"")
        @example(b'{"mac_address":"\\ud800a","board":{"type":"\\udfff"}}', [], b"", b"")
        def ask(body: bytes, sent: Headers, query: bytes, path: bytes) -> None:
            where = b"/xiaozhi/ota/" + path + b"?" + query
            status, said = house.ask(b"POST", where, [ELSEWHERE, *sent], body)
            assert status in {200, 202, 400, 413, 503}
            assert isinstance(json.loads(said), dict)

        ask()

    await besieged(tmp_path, campaign)
    assert complaints(caplog) == []


part_headers = st.lists(
    st.sampled_from(
        [
            b'Content-Disposition: form-data; name="question"',
            b'Content-Disposition: form-data; name="file"; filename="x.png"',
            b"Content-Disposition: form-data; name*=nope''%ff; filename*=hex''%ff",
            b"Content-Disposition",
            b"Content-Disposition: \xff",
            b"Content-Length: -5",
            b"Content-Length: 9999999",
            b"Content-Length: " + b"9" * 5000,
            b"Content-Transfer-Encoding: base64",
            b"Content-Encoding: gzip",
            b"Content-Type: multipart/mixed",
            b"Content-Type: multipart/mixed; boundary=b",
            b"Content-Type: text/plain; charset=hex",
            b"\xff\xff: \xff",
            b"X: " + b"a" * 20_000,
        ]
    ),
    max_size=3,
).map(b"\r\n".join)
parts = st.tuples(part_headers, st.sampled_from([b"\r\n\r\n", b"\r\n", b""]), st.binary(max_size=20)).map(
    b"".join
)
forms = st.lists(parts | st.sampled_from([QUESTION, PICTURE]), max_size=4)


def form(pieces: list[bytes], end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + piece + b"\r\n" for piece in pieces) + end


FORM = (b"Content-Type", b"multipart/form-data; boundary=b")


async def test_a_form_may_be_anything(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    answers: set[int] = set()

    def campaign(house: House) -> None:
        @few
        @given(forms, st.sampled_from([b"--b--\r\n", b"--b", b""]), headers, queries)
        @example([QUESTION, PICTURE], b"--b--\r\n", [FORM], b"")
        @example([b"X: a\r\n" * 5000 + b"\r\n\r\n"], b"--b--\r\n", [], b"")
        @example([QUESTION, PICTURE], b"--b--\r\n", [(b"Content-Encoding", b"gzip")], b"")
        @example([], b"", [(b"Content-Type", b"multipart/form-data")], b"")
        @example([], b"", [(b"Content-Type", b"multipart/form-data; boundary=\xff")], b"")
        @example(
            [b'Content-Disposition: form-data; name="\xff"; filename="\xff"\r\n\r\n' + b"x" * 5_300_000],
            b"",
            [],
            b"",
        )
        def ask(pieces: list[bytes], end: bytes, sent: Headers, query: bytes) -> None:
            kind = [] if any(name == b"Content-Type" for name, _ in sent) else [FORM]
            where = b"/mcp/vision/explain?" + query
            status, said = house.ask(b"POST", where, [*sent, *kind], form(pieces, end))
            answers.add(status)
            assert status in {200, 400, 401, 403, 413, 415}
            assert json.loads(said)["success"] is (status == 200)

        ask()

    await besieged(tmp_path, campaign)
    assert complaints(caplog) == []
    assert answers >= {200, 400, 413}


async def test_a_request_for_an_upgrade_may_hold_anything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers: set[int] = set()

    def campaign(house: House) -> None:
        @few
        @given(st.booleans(), headers, queries, st.sampled_from([KEY, (b"Sec-WebSocket-Key", b"short")]))
        @example(False, [], b"", KEY)
        @example(False, [], b"", (b"Sec-WebSocket-Key", b"\xff"))
        @example(False, [], b"", (b"Sec-WebSocket-Key", b"\xc3\xa9"))
        @example(True, [(b"Authorization", b"Bearer \xff")], b"", KEY)
        @example(True, [], b"authorization=%ed%a0%80&device-id=%ff", KEY)
        @example(True, [(b"Device-Id", b"\xff"), (b"Client-Id", b"\xff")], b"", KEY)
        @example(False, [(b"Origin", b"http://[::1")], b"", KEY)
        @example(False, [(b"Origin", b"\xff://\xff:99999999")], b"", KEY)
        @example(
            False, [(b"Sec-WebSocket-Extensions", b"permessage-deflate; server_max_window_bits=99")], b"", KEY
        )
        def ask(elsewhere: bool, sent: Headers, query: bytes, key: tuple[bytes, bytes]) -> None:
            came = [*UPGRADE, key, *sent, *([ELSEWHERE] if elsewhere else [])]
            status, _ = house.ask(b"GET", b"/?" + query, came)
            answers.add(status)
            assert status in {101, 400, 401, 403}

        ask()

    await besieged(tmp_path, campaign)
    assert complaints(caplog) == []
    assert answers >= {101, 400, 403}


async def test_a_body_of_the_households_may_be_too_much(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shown = (b"Authorization", b"Bearer " + SecretFile(tmp_path / ADMIN_TOKEN).obtain().encode())

    def campaign(house: House) -> None:
        status, said = house.ask(b"POST", b"/api/v1/pairings", [shown], b" " * 70_000)
        assert (status, json.loads(said)["error"]["code"]) == (413, "too_large")

    await besieged(tmp_path, campaign)
    assert complaints(caplog) == []
