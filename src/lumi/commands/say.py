"""`lumi say`: speak a recording to a server and hear what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from lumi.audio.wav import write_wav
from lumi.client.client import connect
from lumi.client.device_info import describe_device
from lumi.client.error_handler import Language, explain
from lumi.client.spoken_reply import SpokenReply, load_question
from lumi.commands.console import Console
from lumi.commands.local_server import server_url
from lumi.commands.running import DONE, NOT_WELL
from lumi.commands.trusted import authority
from lumi.protocol.messages import DeviceInfo

LOCALES: dict[Language, str] = {"zh": "zh_CN", "en": "en_US"}


@dataclass(frozen=True, slots=True)
class SayOptions:
    """The command's arguments."""

    wav: Path
    out: Path | None = None
    url: str | None = None
    language: Language | None = None
    token: str | None = None
    ca: Path | None = None


def device_speaking(language: Language | None) -> DeviceInfo:
    """What hello says of this machine, with the locale of `language` if one was asked for."""
    device = describe_device()
    return replace(device, locale=LOCALES[language]) if language else device


async def say(console: Console, options: SayOptions) -> int:
    """Speak, listen, write the answer. The recording is read before anything is started."""
    pcm, rate_hz = load_question(options.wav, None)
    device = device_speaking(options.language)
    async with (
        server_url(options.url, console, wait_ready=True) as url,
        connect(
            url, token=options.token, ca=authority(url, options.ca), device_info=device, reconnect=None
        ) as client,
    ):
        reply = await client.ask(pcm, rate_hz=rate_hz)
    if options.out is not None:
        write_wav(options.out, reply.pcm, reply.rate_hz)
    report(console, reply, options.out)
    return DONE if reply.problem is None else NOT_WELL


def report(console: Console, reply: SpokenReply, out: Path | None) -> None:
    """The answer, for people or for programs."""
    first_ms = None if reply.first_audio_ms is None else round(reply.first_audio_ms, 1)
    console.result(
        {
            "transcript": reply.transcript,
            "confidence": reply.confidence,
            "reply": reply.text,
            "first_audio_ms": first_ms,
            "audio_s": round(reply.audio_s, 3),
            "out": str(out) if out else None,
        }
        | ({} if reply.problem is None else {"problem": str(reply.problem)})
    )
    heard = reply.transcript or console.words(zh="（没有听清）", en="(no words were understood)")
    console.write(console.words(zh="你：", en="You:  ") + f"{heard}  [{reply.confidence:.2f}]")
    console.write("Lumi: " + reply.text)
    if reply.problem is not None:
        console.note(zh=explain(reply.problem, "zh").line, en=explain(reply.problem, "en").line)
    if first_ms is not None:
        console.note(
            zh=f"{first_ms:.0f} 毫秒后开始说话，共 {reply.audio_s:.1f} 秒",
            en=f"first sound after {first_ms:.0f} ms, {reply.audio_s:.1f} s of speech",
        )
    if out is not None:
        console.note(zh=f"已写入 {out}", en=f"written to {out}")
