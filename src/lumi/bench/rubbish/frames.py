"""Frames that make no sense, or almost none: the same ones for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Make = Callable[[random.Random], str | bytes]

WORDS = (
    "start",
    "stop",
    "detect",
    "auto",
    "manual",
    "realtime",
    "opus",
    "pcm",
    "websocket",
    "你好",
    "\u202e",
    "",
)
TEXT_POOL = 'abc {}[]":,\\/\n\t0123456789.eE+-nullтрюfalse\u0000\ud800🎉中文'
SAMPLES: tuple[dict[str, Any], ...] = (
    {"type": "chat", "id": "c", "content": "hello", "timestamp": "2026-01-01T00:00:00Z"},
    {"type": "listen", "state": "start", "mode": "auto", "id": "l"},
    {"type": "listen", "state": "stop"},
    {"type": "listen", "state": "detect", "text": "hello"},
    {"type": "abort", "reason": "wake_word_detected"},
    {"type": "played", "turn_id": "t", "ms": 100.0},
    {"type": "ping", "timestamp": 1},
    {"type": "ack", "seq": 1},
    {"type": "mcp", "payload": {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}},
    {"type": "iot", "descriptors": [], "states": []},
    {"type": "hello", "id": "h", "version": 1, "audio_params": {"format": "opus", "sample_rate": 16000}},
)
"""Messages as they should be; each is spoilt in some place before it is sent."""

NEEDED = {"chat": ("id", "content", "type"), "listen": ("state", "type"), "hello": ("type", "version")}
"""These are spoilt only where they cannot do without: else they would be questions, and each an answer's work."""

DEPTH = 3_000
"""Far deeper than any parser's recursion likes."""

OPUS_BYTES = 120


def value(rng: random.Random) -> Any:
    """Something where something else is expected."""
    odd: tuple[Any, ...] = (
        None,
        True,
        -1,
        2**70,
        1e308,
        rng.random(),
        rng.choice(WORDS),
        [],
        {},
        [[]],
        {"a": {}},
    )
    return rng.choice(odd)


def noise(rng: random.Random) -> str:
    """Characters."""
    return "".join(rng.choices(TEXT_POOL, k=rng.randint(0, 60)))


def shapeless(rng: random.Random) -> str:
    """JSON that is no message."""
    return json.dumps(rng.choice((value(rng), {"type": value(rng)}, {"kind": "chat"}, [value(rng)] * 3)))


def spoilt(rng: random.Random) -> str:
    """A message with a wrong value, a field too few, or one too many."""
    message = dict(rng.choice(SAMPLES))
    field = rng.choice(NEEDED[message["type"]]) if message["type"] in NEEDED else rng.choice(list(message))
    match rng.randint(0, 1 if message["type"] in NEEDED else 2):
        case 0:
            message[field] = value(rng)
        case 1:
            del message[field]
        case _:
            message[rng.choice(("session_id", "device_id", "x"))] = value(rng)
    return json.dumps(message)


def cut(rng: random.Random) -> str:
    """A message that ends too early."""
    text = json.dumps(rng.choice(SAMPLES))
    return text[: rng.randint(0, len(text) - 1)]


def deep(rng: random.Random) -> str:
    """Nested beyond reason, in a field that nobody reads."""
    return '{"type":"ping","x":' + "[" * DEPTH + "]" * rng.choice((0, DEPTH)) + "}"


def bytes_of_any_kind(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randint(0, 80))


def header(rng: random.Random) -> bytes:
    """The headers of the binary framings, with sizes that do not hold."""
    size = rng.choice((0, 1, 60, 0xFFFF))
    kind = rng.choice((0, 1, 7))
    heads = (
        b"\x00\x02" + bytes((0, kind)) + bytes(8) + size.to_bytes(4, "big"),
        bytes((kind, 0)) + size.to_bytes(2, "big"),
        b"\x01\x00" + size.to_bytes(2, "big") + bytes(8) + size.to_bytes(4, "big"),
    )
    return rng.choice(heads) + rng.randbytes(rng.choice((0, 1, 60)))


def broken_opus(rng: random.Random) -> bytes:
    """Begins as an Opus packet does, of any configuration and any number of frames."""
    return bytes((rng.randrange(256),)) + rng.randbytes(rng.randint(0, OPUS_BYTES))


KINDS: tuple[tuple[Make, int], ...] = (
    (noise, 15),
    (shapeless, 15),
    (spoilt, 30),
    (cut, 8),
    (deep, 1),
    (bytes_of_any_kind, 8),
    (header, 8),
    (broken_opus, 15),
)
"""What is made, and how often of a hundred."""


class Rubbish:
    """An endless supply.

    Args:
        seed: the same seed makes the same frames.
    """

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._makers = [make for make, _ in KINDS]
        self._weights = [weight for _, weight in KINDS]

    def frame(self) -> str | bytes:
        """One more. Lone surrogates stay in: a socket cannot carry them, a decoder has to."""
        make = self._rng.choices(self._makers, self._weights)[0]
        return make(self._rng)

    def sendable(self) -> str | bytes:
        """One more that a WebSocket can carry."""
        frame = self.frame()
        return frame.encode("utf-8", "replace").decode() if isinstance(frame, str) else frame
