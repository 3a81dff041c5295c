"""What every table of settings is made of.

Sizes end in `_bytes` or `_mb`, durations in `_s`, `_ms` or `_hours`. Nothing here reads a file or the environment.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

LogLevel = Literal["trace", "debug", "info", "warning", "error"]


def _split(value: object) -> object:
    """The environment has no lists: `a, b` stands for one."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Texts = Annotated[tuple[str, ...], BeforeValidator(_split)]
LocaleName = Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Z][A-Za-z]+)*$", examples=["en_US"])]
Secrets = Annotated[
    tuple[Annotated[SecretStr, Field(min_length=8)], ...],
    BeforeValidator(_split),
]
Options = Annotated[
    dict[str, Any], Field(description="What this engine in particular takes, see its own page.")
]


class Section(BaseModel):
    """One table of the file. Frozen; an unknown key is an error; what is written in it is never printed whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
