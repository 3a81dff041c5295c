"""`lumi devices` and `lumi token`: through the server that runs here, or else on its store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lumi.commands.console import Console
from lumi.commands.household import devices
from lumi.commands.running import DONE, load_extra


async def list_devices(console: Console, config_file: Path | None) -> int:
    """`lumi devices list`."""
    async with devices(config_file) as household:
        found = (await household.call("GET", "/api/v1/devices"))["devices"]
    console.result({"devices": found})
    if not found:
        console.write(console.words(zh="还没有设备来过。", en="No device has been here yet."))
    for device in found:
        here = "●" if device["connected"] else "○"
        name = device["name"] or device["model"] or "–"
        console.write(f"{here} {device['id']}  {name}  {device['state']}{_said(device)}")
    return DONE


async def act(
    console: Console,
    config_file: Path | None,
    call: tuple[str, str, Mapping[str, Any] | None],
    done: Mapping[str, str],
) -> int:
    """One call, and what is said when it is done (`zh`, `en`; `{id}` and `{token}` are filled in)."""
    async with devices(config_file) as household:
        answer = await household.call(*call)
    console.result(answer)
    filled = {"id": "", "token": ""} | answer | {"id": answer.get("id") or answer.get("device_id", "")}
    console.write(console.words(zh=done["zh"].format(**filled), en=done["en"].format(**filled)))
    return DONE


def place(device_id: str, action: str = "") -> str:
    """Path of a device in the API."""
    return f"/api/v1/devices/{quote(device_id, safe='')}{'/' if action else ''}{action}"


async def secret(console: Console, config_file: Path | None, which: str, *, renew: bool) -> int:
    """Print the admin token, or make a new secret."""
    settings = load_extra("lumi.config", extra="server", command="lumi token").load(config_file)
    secrets = load_extra("lumi.server.secret_file", extra="server", command="lumi token")
    names = {"admin": secrets.ADMIN_TOKEN, "tokens": secrets.TOKEN_SECRET}
    file = secrets.SecretFile(settings.data_dir / names[which])
    text = file.renew() if renew else file.obtain()
    if which == "admin":
        console.result({"token": text})
        console.write(text)
    else:
        console.result({"rotated": True})
        console.write(
            console.words(
                zh="密钥已更换：所有设备令牌均已失效，设备会重新领取。",
                en="The secret is new: all device tokens are void, and devices get new ones when they ask.",
            )
        )
    return DONE


def _said(device: Mapping[str, Any]) -> str:
    return "".join(f"  {key}={device[key]!r}" for key in ("persona", "language", "voice") if device[key])
