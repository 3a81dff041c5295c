"""`lumi replay`: a recorded session shown, heard, or run again against the Lumi that is installed here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumi.audio.wav import write_wav
from lumi.commands.console import Console
from lumi.commands.running import DONE, NOT_WELL, load_extra
from lumi.errors import ConfigError, StoreError
from lumi.store.recordings import (
    Agreed,
    ClientPacket,
    Closed,
    Full,
    Line,
    Lost,
    Opened,
    Recording,
    ServerPacket,
    Turn,
    Unreadable,
    read,
)

COMMAND = "lumi replay"


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """`out`: a folder for the sound; `file` may be a session's id."""

    file: str
    out: Path | None = None
    play: bool = False
    run: bool = False
    url: str | None = None
    token: str | None = None
    settings: Path | None = None
    data_dir: Path | None = None


async def replay(console: Console, options: ReplayOptions) -> int:
    """Do what the options say; without any, show it.

    Raises:
        StoreError: there is no such recording.
        AudioError: its sound cannot be played or written.
        ConfigError: a setting is wrong.
    """
    recording = await asyncio.to_thread(read, _path(options))
    if recording.complaint:
        console.note(zh=f"注意：{recording.complaint}", en=f"Note: {recording.complaint}")
    if options.run or options.url:
        return await _run(console, recording, options)
    if options.out is not None:
        await asyncio.to_thread(_write, console, recording, options.out, Path(options.file).stem)
    if options.play:
        await _play(console, recording)
    if options.out is None and not options.play:
        for line in timeline(recording):
            console.write(line)
    header = recording.header
    console.result(
        {
            "session_id": header.session_id,
            "device_id": header.device_id,
            "started_at": header.started_at,
            "duration_s": round(recording.duration_s, 3),
            "entries": len(recording.entries),
            "complaint": recording.complaint,
        }
    )
    return DONE


def _path(options: ReplayOptions) -> Path:
    """The file that is meant: a path, or the id of a session that the server here has recorded."""
    path = Path(options.file)
    if path.exists() or path.suffix:
        return path
    config = load_extra("lumi.config", extra="server", command=COMMAND)
    settings = config.load(options.settings, flags={"server.data_dir": options.data_dir})
    found: Path = settings.recordings_dir / f"{path.name}.jsonl"
    if not found.exists():
        raise StoreError(f"there is no file {path}, and no recording {found}; give one or the other")
    return found


def timeline(recording: Recording) -> Iterator[str]:
    """What happened, a line each, in milliseconds from the recording's start; sound as how much of it came."""
    frame_ms = {ClientPacket: 60, ServerPacket: 60}
    run: list[ClientPacket | ServerPacket] = []
    for entry in recording.entries:
        if run and type(entry) is not type(run[0]):
            yield _sound(run, frame_ms[type(run[0])])
            run = []
        if isinstance(entry, ClientPacket | ServerPacket):
            run.append(entry)
            continue
        if isinstance(entry, Agreed):
            frame_ms = {ClientPacket: entry.uplink.frame_ms, ServerPacket: entry.downlink.frame_ms}
        yield _line(entry.at_ms, _words(entry))
    if run:
        yield _sound(run, frame_ms[type(run[0])])


def _line(at_ms: float, what: str) -> str:
    return f"{at_ms:8.0f} ms  {what}"


def _sound(run: Sequence[ClientPacket | ServerPacket], frame_ms: int) -> str:
    arrow = "→" if isinstance(run[0], ClientPacket) else "←"
    return _line(
        run[0].at_ms,
        f"{arrow} {len(run)} packets, {sum(1 for one in run if one.packet) * frame_ms / 1000:.2f} s of sound",
    )


def _words(entry: Line) -> str:
    match entry:
        case Opened():
            again = ", resumed" if entry.resumed else ""
            said = f"connection opened ({entry.dialect}, {entry.framing}, client “{entry.client}”{again})"
        case Agreed(uplink=up, downlink=down):
            said = f"agreed: {up.codec} {up.sample_rate_hz} Hz up, {down.codec} {down.sample_rate_hz} Hz down"
        case Turn(stages_ms=stages):
            said = "turn: " + ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in stages.items())
        case Unreadable(size=size):
            said = f"→ {size} bytes that make no sense"
        case Lost(frames=frames):
            said = f"({frames} frames are missing here)"
        case Full():
            said = "(the file is full; what came after is not in it)"
        case Closed(code=code, reason=reason):
            said = f"connection closed ({code}{': ' + reason if reason else ''})"
        case _:
            said = _message(entry)
    return said


def _message(entry: Any) -> str:
    arrow = "→" if entry.__struct_config__.tag == "from_client" else "←"
    message = entry.message
    words = [str(message[name]) for name in ("type", "state", "mode", "emotion") if message.get(name)]
    text = next((message[name] for name in ("text", "content", "delta", "message") if message.get(name)), "")
    said = f" “{text}”" if text else ""
    partial = " (partial)" if message.get("is_final") is False else ""
    return f"{arrow} {' '.join(words)}{said}{partial}"


def _write(console: Console, recording: Recording, folder: Path, stem: str) -> None:
    tracks = load_extra("lumi.testing.recorded_sound", extra="server", command=COMMAND).tracks(recording)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("--out", f"{folder} cannot be made ({error.strerror}); give a directory") from error
    for side, sound in (("client", tracks.client), ("server", tracks.server)):
        path = folder / f"{stem}-{side}.wav"
        write_wav(path, sound.pcm, sound.rate_hz)
        console.write(console.words(zh=f"已写入 {path}", en=f"wrote {path}") + f" ({sound.duration_s:.1f} s)")


async def _play(console: Console, recording: Recording) -> None:
    """Both sides, by the loudspeaker."""
    from lumi.client.speaker import Speaker

    sound = load_extra("lumi.testing.recorded_sound", extra="server", command=COMMAND)
    mixed = await asyncio.to_thread(lambda: sound.mixed(sound.tracks(recording)))
    console.note(zh=f"正在播放 {mixed.duration_s:.1f} 秒", en=f"playing {mixed.duration_s:.1f} s")
    second = 2 * mixed.rate_hz
    async with Speaker(mixed.rate_hz) as speaker:
        for start in range(0, len(mixed.pcm), second):
            speaker.write(mixed.pcm[start : start + second])
            await speaker.drain()


async def _run(console: Console, recording: Recording, options: ReplayOptions) -> int:
    rerun = load_extra("lumi.testing.rerun", extra="server", command=COMMAND)
    if options.url is not None:
        found = await rerun.run_at(recording, options.url, options.token)
    else:
        config = load_extra("lumi.config", extra="server", command=COMMAND)
        assembly = load_extra("lumi.server.assembly", extra="server", command=COMMAND)
        settings = config.load(options.settings, flags={"server.data_dir": options.data_dir})
        vad = await asyncio.to_thread(assembly.create_vad, settings)
        parts = assembly.session_settings(settings), assembly.gateway_settings(settings, "rerun")
        found = await asyncio.to_thread(rerun.run_again, recording, vad, *parts)
    for line in found:
        console.write(line)
    console.result({"same": not found, "differences": found})
    if found:
        console.note(zh=f"有 {len(found)} 处不同", en=f"{len(found)} differences (- then, + now)")
        return NOT_WELL
    console.note(zh="与录制时相同", en="The same as then.")
    return DONE
