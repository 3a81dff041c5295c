"""What a model may do: tools in general, tool servers, the home. For any `llm.engine` but the built-in skills."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr

from lumi.config.sections import Section, Texts

CONFIRMED = (
    "*unlock*",
    "*open_door*",
    "*open_garage*",
    "*disarm*",
    "*purchase*",
    "*order*",
    "*pay*",
    "*buy*",
)


def _table(value: object) -> object:
    """`NAME=VALUE, …` in the environment stands for a table."""
    if isinstance(value, str):
        return dict(part.strip().split("=", 1) for part in value.split(",") if "=" in part)
    return value


Table = Annotated[dict[str, Any], BeforeValidator(_table)]


class ToolSettings(Section):
    """How tools are used; which device may use which stands in `[devices.NAME]`."""

    steps: int = Field(default=5, ge=1, le=50, description="How often tools may be called for one answer.")
    timeout_s: float = Field(default=20.0, gt=0, le=600, description="How long a tool may take.")
    filler_s: float = Field(
        default=2.0, ge=0, le=60, description="After how long the user is told that it takes a moment."
    )
    confirm: Texts = Field(
        default=CONFIRMED,
        description="Tools before which the user is asked for a yes, beside those that ask for it themselves; "
        "`*` stands for anything.",
    )
    most: int = Field(default=128, ge=1, le=1024, description="Tools a model is told of; many take no more.")
    skills: bool = Field(default=True, description="Offer the built-in skills (timers, lists …) as tools.")


class McpServerSettings(Section):
    """A tool server (Model Context Protocol): a program to start, or an address. `NAME` stands before its tools' names."""

    command: str = Field(
        default="", description="Program to start, which is spoken to over its standard input."
    )
    args: Texts = Field(default=(), description="Its arguments.")
    env: Table = Field(default_factory=dict, description="Environment it is given beside the usual.")
    url: str = Field(
        default="", description="Address of one that runs already, e.g. `http://127.0.0.1:9000/mcp`."
    )
    token: SecretStr | None = Field(default=None, description="Sent to the address as a bearer token.")
    headers: Table = Field(default_factory=dict, description="Sent to the address with every request.")
    timeout_s: float | None = Field(
        default=None, gt=0, le=3600, description="How long its tools may take; by default `tools.timeout_s`."
    )
    allow: Texts = Field(default=("*",), description="Which of its tools are used; `*` stands for anything.")


class HomeAssistantSettings(Section):
    """Home Assistant, over its REST API: its states to ask for, its services to call."""

    url: str = Field(
        default="", description="Its address, e.g. `http://homeassistant.local:8123`; empty: none."
    )
    token: SecretStr | None = Field(
        default=None, description="A long-lived access token of one of its users."
    )
    entities: Texts = Field(
        default=(
            "light.*",
            "switch.*",
            "cover.*",
            "climate.*",
            "fan.*",
            "media_player.*",
            "scene.*",
            "script.*",
            "lock.*",
            "sensor.*",
            "binary_sensor.*",
            "weather.*",
            "vacuum.*",
        ),
        description="Entities that may be seen and used; `*` stands for anything.",
    )
    guarded: Texts = Field(
        default=(
            "lock.*",
            "alarm_control_panel.*",
            "cover.*garage*",
            "cover.*door*",
            "cover.*gate*",
            "valve.*",
            "siren.*",
        ),
        description="Entities that are used only after the user has said yes.",
    )
