"""The stand-in for OpenAI-compatible services as a process of its own: its command line."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from lumi.testing.openai_server import MODELS, VOICES, OpenAiServer


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What was said on the command line."""
    parser = argparse.ArgumentParser(prog="python -m lumi.testing.openai_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="by default a free one")
    parser.add_argument("--key", default="", help="what must be shown; by default nothing")
    parser.add_argument("--model", action="append", help="a model that it has; may be given again")
    parser.add_argument("--voice", action="append", help="a voice that it has; may be given again")
    parser.add_argument("--hears", action="append", help="words of a recording; may be given again")
    parser.add_argument("--answers", type=Path, help="JSON file: an object of questions and replies")
    parser.add_argument("--piece-s", type=float, default=0.0, help="seconds between the pieces of an answer")
    parser.add_argument("--ollama", action="store_true", help="also be recognised as Ollama")
    return parser.parse_args(words)


def made(given: argparse.Namespace) -> OpenAiServer:
    """The stand-in that the command line asks for."""
    script: dict[str, Any] = {
        "key": given.key,
        "models": tuple(given.model or MODELS),
        "voices": tuple(given.voice or VOICES),
        "piece_s": given.piece_s,
        "hear": tuple(given.hears or ("what time is it",)),
    }
    if given.answers is not None:
        script["answers"] = json.loads(given.answers.read_text(encoding="utf-8"))
    return OpenAiServer(host=given.host, port=given.port, ollama=given.ollama, **script)


async def serve(service: OpenAiServer, out: TextIO) -> None:
    """Until cancelled; says where."""
    async with service:
        out.write(f"{service.base_url}\n")
        out.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Until interrupted."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(made(arguments()), sys.stdout))
