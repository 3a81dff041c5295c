"""The server that is measured, a process of its own: `python -m lumi.bench.target fresh|cached`.

Everything is real but the engines behind it: sockets, protocol, Opus, voice activity detection, resampling, pacing, the
database. It writes its address on standard output, one JSON object in one line, when it is ready, and ends when its
standard input does.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from lumi.bench.engines import InstantStt, RecordedTts, ThreeSentencesLlm
from lumi.bench.load import Ready, new_loop
from lumi.bench.speech import record_answers, record_question
from lumi.config import load
from lumi.engines.espeak import EspeakTts
from lumi.server.long_lived import set_aside
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.server.server import Server


async def _recordings() -> tuple[list[bytes], RecordedTts]:
    voice = EspeakTts()
    try:
        return await record_question(voice), RecordedTts(await record_answers(voice), voice.sample_rate_hz)
    finally:
        await voice.aclose()


async def serve(data_dir: Path, *, fresh: bool) -> None:
    """Serve until standard input ends."""
    question, voice = await _recordings()
    flags = {"server.port": 0, "server.data_dir": data_dir, "log.level": "warning"}
    config = load(flags=flags, environ={}, directory=data_dir)
    token = SecretFile(config.data_dir / ADMIN_TOKEN).obtain()
    async with Server(config, stt=InstantStt(), llm=ThreeSentencesLlm(fresh=fresh), tts=voice) as server:
        await server.wait_ready()
        sys.stdout.write(msgspec.json.encode(Ready(server.url, question, token)).decode() + "\n")
        sys.stdout.flush()
        with set_aside():
            await asyncio.to_thread(sys.stdin.read)


def main(answers: str) -> None:
    """Serve with answers that are always `fresh`, or `cached` after the first."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(serve(Path(folder), fresh=answers == "fresh"))


if __name__ == "__main__":
    main(sys.argv[1])
