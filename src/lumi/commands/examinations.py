"""The single examinations of `lumi doctor`. Each returns what it found, in the person's language, with the mend."""

from __future__ import annotations

import asyncio
import platform
import socket
import sys
import tempfile
from dataclasses import dataclass
from typing import Any, Literal

from lumi.audio.format import SPEECH_RATE_HZ
from lumi.audio.libopus import load_library
from lumi.client.audio_device import open_device
from lumi.commands.console import Console
from lumi.commands.local_server import health, local_address
from lumi.commands.running import load_extra
from lumi.errors import AudioDeviceError, ConfigError, EngineError, EngineUnavailable
from lumi.models.library import Library

Verdict = Literal["ok", "note", "missing"]

OLDEST = (3, 11)
NEWEST = (3, 13)
ENGINE_START_S = 30.0
SKILLS = "skills"
"""The built-in answerer: it is there wherever the server is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`note`: it works without, or with less; `missing`: `lumi serve` needs it."""

    verdict: Verdict
    found: str
    mend: str = ""


async def python(console: Console) -> Finding:
    """Whether this interpreter is one that Lumi is tested with."""
    version = sys.version_info[:2]
    if OLDEST <= version <= NEWEST:
        return Finding("ok", platform.python_version())
    mend = console.words(zh="请安装 Python 3.11 至 3.13", en="install Python 3.11 to 3.13")
    return Finding("missing", platform.python_version(), mend)


def _config() -> Any:
    return load_extra("lumi.config", extra="server", command="lumi serve").load()


async def settings(console: Console) -> Finding:
    """Whether file and environment make a configuration."""
    _config()
    return Finding("ok", console.words(zh="设置正确", en="file and environment are in order"))


async def store(console: Console) -> Finding:
    """Whether the data directory, or the nearest one above that exists, can be written."""
    directory = _config().data_dir
    existing = next(path for path in (directory, *directory.parents) if path.is_dir())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return Finding("ok", console.words(zh=f"可写：{directory}", en=f"writable: {directory}"))
    except OSError as error:
        found = console.words(
            zh=f"不可写：{directory}（{error.strerror}）", en=f"not writable: {directory} ({error.strerror})"
        )
        mend = console.words(zh="请设置 LUMI_DATA_DIR", en="set LUMI_DATA_DIR to a directory of yours")
        return Finding("missing", found, mend)


async def port(console: Console) -> Finding:
    """Whether the port is free, or Lumi's own."""
    host, number = local_address()
    running = await health(host, number) if number else None
    if running is not None:
        found = console.words(
            zh=f"{host}:{number} 上已有 Lumi {running['version']}（{running['status']}）",
            en=f"Lumi {running['version']} is running at {host}:{number} ({running['status']})",
        )
        return Finding("ok", found)
    if _is_free(host, number):
        return Finding("ok", console.words(zh=f"{host}:{number} 可用", en=f"{host}:{number} is free"))
    found = console.words(zh=f"{host}:{number} 已被占用", en=f"{host}:{number} is taken by another program")
    mend = console.words(zh="请设置 LUMI_PORT 为其他端口", en="choose another: LUMI_PORT=8001")
    return Finding("missing", found, mend)


def _is_free(host: str, number: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the server does: a port that is only closing down still counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError:
            return False
    return True


async def opus(console: Console) -> Finding:
    """Whether there is a libopus; OpusUnavailable says what to install."""
    load_library()
    return Finding("ok", console.words(zh="已找到 libopus", en="libopus was found"))


async def vad(console: Console) -> Finding:
    return await _engine(console, "vad")


async def stt(console: Console) -> Finding:
    finding = await _engine(console, "stt")
    if finding.verdict == "ok" and finding.found == "pocketsphinx":
        found = console.words(
            zh="pocketsphinx（只懂英语命令）", en="pocketsphinx (understands English commands only)"
        )
        mend = console.words(
            zh="要识别中文：lumi models add sense-voice", en="for Chinese: lumi models add sense-voice"
        )
        return Finding("note", found, mend)
    return finding


async def llm(console: Console) -> Finding:
    if _config().llm.engine == SKILLS:
        return Finding("ok", SKILLS)
    return await _engine(console, "llm")


async def duplex(console: Console) -> Finding | None:
    """A realtime speech model, where one is set."""
    return await _engine(console, "duplex") if _config().duplex.engine else None


async def tts(console: Console) -> Finding:
    return await _engine(console, "tts")


async def _engine(console: Console, kind: str) -> Finding:
    """Whether the engine that the settings name really starts, and answers where it is another's."""
    config = _config()
    chosen = getattr(config, kind)
    registry = load_extra("lumi.engines.registry", extra="server", command="lumi serve")
    places = load_extra("lumi.server.model_places", extra="server", command="lumi serve")
    given = getattr(chosen, "arguments", chosen.options)
    try:
        engine = registry.create(
            kind, chosen.engine, places.with_model(kind, chosen.engine, given, config.data_dir)
        )
        await _start(engine)
    except (EngineError, ConfigError) as error:
        mend = console.words(
            zh="请按提示安装，或在设置中选择其他引擎",
            en=f"or choose another with LUMI_{kind.upper()}__ENGINE",
        )
        return Finding("missing", str(error), mend)
    return Finding("ok", chosen.engine)


async def _start(engine: Any) -> None:
    """Load it as a server would, ask it something cheap, and end it again."""
    aclose = getattr(engine, "aclose", None)
    try:
        async with asyncio.timeout(ENGINE_START_S):
            for step in ("start", "probe"):
                if hasattr(engine, step):
                    await getattr(engine, step)()
    except TimeoutError as error:
        raise EngineUnavailable(
            getattr(engine, "name", "engine"), f"did not start within {ENGINE_START_S:g} s: try again"
        ) from error
    finally:
        if aclose is not None:
            await aclose()


async def models(console: Console) -> Finding:
    """Which models are here; there need be none."""
    library = Library(_config().data_dir / "models")
    names = ", ".join(model.name for model in library.installed())
    if names:
        return Finding("ok", f"{names} ({library.root})")
    return Finding(
        "note",
        console.words(
            zh="没有下载模型；内置引擎不需要", en="none were fetched; the built-in engines need none"
        ),
        console.words(
            zh="查看可用的引擎和模型：lumi engines, lumi models list",
            en="what there is: lumi engines, lumi models list",
        ),
    )


async def microphone(console: Console) -> Finding:
    """Whether `lumi talk` could work; all else needs no sound card."""
    only_talk = console.words(
        zh="仅 lumi talk 需要；可以改用 lumi say --wav",
        en="only lumi talk needs it; lumi say --wav does without",
    )
    try:
        device = open_device("CaptureDevice", sample_rate=SPEECH_RATE_HZ)
    except AudioDeviceError as error:
        return Finding("note", str(error), only_talk)
    device.close()
    return Finding("ok", console.words(zh=f"可用（{device.backend}）", en=f"there is one ({device.backend})"))
