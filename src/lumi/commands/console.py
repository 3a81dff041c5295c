"""How a command speaks to the person at the terminal: results on standard output, all else on standard error."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

import typer

from lumi.client.device_info import locale_name
from lumi.client.error_handler import Language, explain


def language_of(environ: Mapping[str, str] = os.environ) -> Language:
    """Chinese where the locale is Chinese, else English."""
    return "zh" if (locale_name(environ) or "").lower().startswith("zh") else "en"


@dataclass(frozen=True, slots=True)
class Console:
    """The terminal. With `as_json`, standard output gets exactly one JSON object, and a failure is one too."""

    language: Language = "en"
    as_json: bool = False

    def words(self, *, zh: str, en: str) -> str:
        """The text in the person's language."""
        return zh if self.language == "zh" else en

    def note(self, *, zh: str, en: str) -> None:
        """Say something that is not the result."""
        typer.echo(self.words(zh=zh, en=en), err=True)

    def ask(self, *, zh: str, en: str) -> None:
        """Show that something may be typed now."""
        typer.echo(self.words(zh=zh, en=en), err=True, nl=False)

    def write(self, text: str, *, newline: bool = True) -> None:
        """A piece of the result, for people; silent where JSON is wanted."""
        if not self.as_json:
            typer.echo(text, nl=newline)

    def result(self, value: Mapping[str, object]) -> None:
        """The whole result, for programs; silent where people read."""
        if self.as_json:
            typer.echo(json.dumps(value, ensure_ascii=False))

    def fail(self, error: Exception) -> None:
        """Say in one line what went wrong and what to do."""
        advice = explain(error, self.language)
        typer.echo(advice.line, err=True)
        self.result({"error": type(error).__name__, "message": advice.line, "retryable": advice.retryable})
