"""Services for worker processes that do what a test asks for."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = b"\x01" * 4_096


class EchoService:
    """Sends back what it gets. Requests: `echo`; `flood:N` gives N pieces of 4 KiB; `slow:N` N bytes, one each 20 ms;
    `refuse`, `fail`, `crash`, `hang`, `chatter` misbehave.
    """

    report = b"ready to echo"

    def __init__(self, greeting: str = "", *, broken: bool = False) -> None:
        if broken:
            raise ValueError("this engine was made to be broken")
        self._greeting = greeting.encode()

    def open(self, request: bytes) -> EchoJob:
        if request == b"refuse":
            raise ValueError("refused, as was asked for")
        return EchoJob(request.decode(), self._greeting)


class EchoJob:
    """One stream of an `EchoService`."""

    def __init__(self, request: str, greeting: bytes) -> None:
        self._order, _, count = request.partition(":")
        self._count = int(count or 0)
        self._greeting = greeting

    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield self._greeting + piece

    def finish(self) -> Iterator[bytes]:
        deeds: dict[str, Callable[[], None]] = {
            "fail": _fail,
            "crash": _crash,
            "hang": _hang,
            "chatter": _chatter,
        }
        deeds.get(self._order, _nothing)()
        for _ in range(self._count):
            if self._order == "slow":
                time.sleep(0.02)
            yield PIECE if self._order == "flood" else b"."

    def close(self) -> None:
        """Nothing is held."""


def _nothing() -> None:
    """What an honest job does besides."""


def _fail() -> None:
    raise RuntimeError("failed, as was asked for")


def _crash() -> None:
    sys.stderr.write("going down\n")
    sys.stderr.flush()
    os._exit(3)


def _hang() -> None:
    time.sleep(600)


def _chatter() -> None:
    """A library that prints: it must not end up between the frames."""
    os.write(1, b"hello from a library\n")


class BabblingService(EchoService):
    """Writes what is no frame to where the frames go."""

    def open(self, request: bytes) -> EchoJob:
        for descriptor in range(3, 10):
            with contextlib.suppress(OSError):
                os.write(descriptor, b"\xff" * 64)
        return super().open(request)
