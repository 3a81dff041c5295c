"""The commands about who may come in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumi.cli.options import Json, console
from lumi.commands.running import run

app = typer.Typer()
devices = typer.Typer(help="The household's devices: list, pair, name, set, revoke, forget.")
tokens = typer.Typer(help="Tokens: for a device, for the admin API; make all of them void.")
app.add_typer(devices, name="devices", invoke_without_command=True)
app.add_typer(tokens, name="token", no_args_is_help=True)

Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file (TOML); by default ./lumi.toml.")
]
Device = Annotated[str, typer.Argument(help="The device's id, or its name.")]


LANGUAGES = (None, "", "zh", "en")


@devices.callback()
def default(context: typer.Context) -> None:
    """The household's devices; without a command: all of them."""
    if context.invoked_subcommand is None:
        list_(config=None, as_json=False)


@devices.command("list")
def list_(*, config: Config = None, as_json: Json = False) -> None:
    """All devices that have been here."""
    from lumi.commands.devices import list_devices

    terminal = console(as_json=as_json)
    run(terminal, lambda: list_devices(terminal, config))


@devices.command()
def pair(
    code: Annotated[str, typer.Argument(help="The six digits that the device shows and says.")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Let in the device that shows a code."""
    _act(
        ("POST", "/api/v1/pairings", {"code": code}), "已配对：{id}", "Paired: {id}", config, as_json=as_json
    )


@devices.command()
def name(
    device: Device,
    text: Annotated[str, typer.Argument(help="What it is called.")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Give a device a name."""
    _act(("PATCH", _place(device), {"name": text}), "已命名：{id}", "Named: {id}", config, as_json=as_json)


@devices.command("set")
def set_(
    device: Device,
    *,
    persona: Annotated[str | None, typer.Option(help="How the assistant is to be there.")] = None,
    language: Annotated[str | None, typer.Option(help="zh or en; empty: as set for all.")] = None,
    voice: Annotated[str | None, typer.Option(help="A voice of the speech engine.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Set what is different for one device; an empty text takes it back."""
    said = {"persona": persona, "language": language, "voice": voice}
    body = {key: value for key, value in said.items() if value is not None}
    if language not in LANGUAGES:
        raise typer.BadParameter("--language is zh or en, or empty for the one that is set for all")
    if not body:
        raise typer.BadParameter("say what to set: --persona, --language or --voice")
    _act(("PATCH", _place(device), body), "已设置：{id}", "Set: {id}", config, as_json=as_json)


@devices.command()
def revoke(device: Device, *, config: Config = None, as_json: Json = False) -> None:
    """Shut a device out, now and from now on."""
    _act(("POST", _place(device, "revoke"), None), "已移出：{id}", "Shut out: {id}", config, as_json=as_json)


@devices.command()
def forget(device: Device, *, config: Config = None, as_json: Json = False) -> None:
    """As if it had never been here: it may ask to be let in again."""
    _act(("DELETE", _place(device), None), "已忘记。", "Forgotten.", config, as_json=as_json)


@tokens.command("device")
def for_device(
    device: Annotated[str, typer.Argument(help="The device's id, not its name; an unknown one is let in.")],
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Print a token for a device that does not ask for one by itself; it is let in with it."""
    _act(("POST", _place(device, "token"), None), "{token}", "{token}", config, as_json=as_json)


@tokens.command()
def admin(
    *,
    new: Annotated[bool, typer.Option("--new", help="Make a new one; the old one is void.")] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Print the token of the admin API (/api/v1)."""
    from lumi.commands.devices import secret

    terminal = console(as_json=as_json)
    run(terminal, lambda: secret(terminal, config, "admin", renew=new))


@tokens.command()
def rotate(
    device: Annotated[
        str | None, typer.Argument(help="A device's id or name; without it, all devices'.")
    ] = None,
    *,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make tokens void: devices get new ones when they ask."""
    if device is not None:
        _act(("POST", _place(device, "rotate"), None), "已更换：{id}", "Void: {id}", config, as_json=as_json)
    from lumi.commands.devices import secret

    terminal = console(as_json=as_json)
    run(terminal, lambda: secret(terminal, config, "tokens", renew=True))


def _place(device: str, action: str = "") -> str:
    from lumi.commands.devices import place

    return place(device, action)


def _act(
    call: tuple[str, str, dict[str, str] | None], zh: str, en: str, config: Path | None, *, as_json: bool
) -> None:
    from lumi.commands.devices import act

    terminal = console(as_json=as_json)
    run(terminal, lambda: act(terminal, config, call, {"zh": zh, "en": en}))
