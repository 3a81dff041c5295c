"""`lumi init`: asks a few questions, offers what it finds, and writes a settings file."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lumi.commands.console import Console
from lumi.commands.detection import Found, VoiceServer, detect
from lumi.commands.keyboard import Keyboard
from lumi.commands.running import DONE, load_extra
from lumi.errors import ConfigError

Choices = dict[tuple[str, ...], Any]


@dataclass(slots=True)
class Questions:
    """Asks the person; without anybody there every answer is the default."""

    console: Console
    lines: AsyncIterator[str] | None

    async def choose(self, question: str, answers: Sequence[str], default: int = 0) -> int:
        """Which of the answers; asks again until it is one."""
        if self.lines is None:
            return default
        for number, answer in enumerate(answers, 1):
            self.console.note(zh=f"  {number}. {answer}", en=f"  {number}. {answer}")
        while True:
            self.console.ask(zh=f"{question} [{default + 1}] ", en=f"{question} [{default + 1}] ")
            line = (await anext(self.lines, "")).strip()
            if not line:
                return default
            if line.isdecimal() and 1 <= int(line) <= len(answers):
                return int(line) - 1
            self.console.note(zh=f"请输入 1 到 {len(answers)}", en=f"give a number from 1 to {len(answers)}")


@dataclass(frozen=True, slots=True)
class InitOptions:
    file: Path
    yes: bool = False
    force: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


async def init(console: Console, options: InitOptions, lines: AsyncIterator[str] | None = None) -> int:
    """Write the file; never over another one, unless asked to.

    Raises:
        ConfigError: there is a file already, or it cannot be written.
    """
    example = load_extra("lumi.config.example", extra="server", command="lumi init")
    if options.file.exists() and not options.force:
        raise ConfigError(str(options.file), "is there already; --force writes over it, --file names another")
    if lines is None and not options.yes:
        lines = Keyboard() if sys.stdin.isatty() else None
    if lines is None or options.yes:
        console.note(
            zh="不提问：采用默认与检测到的。", en="Asking nothing: taking the defaults and what is found."
        )
    console.note(zh="正在寻找模型与语音服务……", en="Looking for models and voices …")
    found = await detect(options.environ)
    choices = await choose(Questions(console, None if options.yes else lines), found)
    secret = ("server", "token") in choices
    write(options.file, example.example(choices), private=secret, force=options.force)
    chosen = {".".join(path): "***" if path[-1] == "token" else value for path, value in choices.items()}
    console.result({"file": str(options.file), "chosen": chosen})
    for name, value in chosen.items():
        console.write(f"  {name} = {value}")
    named = (
        ""
        if options.file.name == "lumi.toml" and options.file.parent == Path()
        else f" --config {options.file}"
    )
    console.note(
        zh=f"已写入 {options.file}。下一步：lumi serve{named}",
        en=f"Wrote {options.file}. Next: lumi serve{named}",
    )
    return DONE


async def choose(questions: Questions, found: Found) -> Choices:
    """All questions; what is not in the answer stays at its default."""
    console = questions.console
    choices: Choices = {}
    if console.language == "zh":
        choices |= {("locale", "language"): "zh", ("locale", "locale"): "zh_CN"}
    choices |= await _answerer(questions, found)
    for kind, zh, en in (("stt", "识别语音", "recognises speech"), ("tts", "朗读", "speaks")):
        choices |= await _voice(
            questions, kind, console.words(zh=f"由谁{zh}？", en=f"Who {en}?"), found.voices
        )
    who = await questions.choose(
        console.words(zh="谁可以连接？", en="Who may connect?"),
        [
            console.words(zh="仅本机", en="this machine alone"),
            console.words(zh="本地网络，凭令牌", en="the local network, with a token"),
        ],
    )
    if who == 1:
        choices |= {("server", "host"): "0.0.0.0", ("server", "token"): secrets.token_urlsafe(24)}  # noqa: S104
    return choices


async def _answerer(questions: Questions, found: Found) -> Choices:
    """A model on this machine is the default; one that costs money is chosen by a person only."""
    console = questions.console
    offers: list[tuple[str, Choices]] = [
        (
            f"{server.name}: {model}",
            {("llm", "engine"): "openai", ("llm", "base_url"): server.base_url, ("llm", "model"): model},
        )
        for server in found.models
        for model in server.models
    ]
    built_in = console.words(
        zh="内置技能（时间、计时、计算……，无需模型）", en="built-in skills (time, timers, sums …; no model)"
    )
    offers.append((built_in, {}))
    if found.openai_key:
        by_reference: Choices = {("llm", "engine"): "openai", ("llm", "api_key"): "env:OPENAI_API_KEY"}
        offers.append(("OpenAI (OPENAI_API_KEY)", by_reference))
    question = console.words(zh="由谁回答？", en="Who answers?")
    return offers[await questions.choose(question, [offer for offer, _ in offers])][1]


async def _voice(questions: Questions, kind: str, question: str, voices: Sequence[VoiceServer]) -> Choices:
    if not voices:
        return {}
    built_in = questions.console.words(zh="内置引擎", en="the built-in engine")
    number = await questions.choose(question, [built_in, *(f"{one.name} ({one.url})" for one in voices)])
    return {(kind, "engine"): "wyoming", (kind, "base_url"): voices[number - 1].url} if number else {}


def write(file: Path, text: str, *, private: bool, force: bool) -> None:
    """Write a new file; one with a secret is its owner's alone.

    Raises:
        ConfigError: it is there already, or cannot be written.
    """
    mode = 0o600 if private else 0o644
    try:
        if force:
            file.unlink(missing_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as out:  # noqa: PTH123
            out.write(text)
    except OSError as error:
        raise ConfigError(str(file), f"cannot be written ({error.strerror}); --file names another") from error
