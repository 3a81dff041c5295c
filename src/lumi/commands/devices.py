"""`lumi devices` and `lumi token`: through the server that runs here, or else on its store."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote

from lumi.commands.console import Console
from lumi.commands.local_server import health, local_address
from lumi.commands.running import DONE, load_extra
from lumi.errors import ConfigError, LumiError

TIMEOUT_S = 10.0
Json = dict[str, Any]


class Devices(Protocol):
    """What a command may ask for; the words are those of `/api/v1`."""

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Raises LumiError: what the household's server says is wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Running:
    """The server that runs here."""

    base: str
    token: str

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        return await asyncio.to_thread(self._call, method, path, body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the base is http
            self.base + path, data, {"Authorization": f"Bearer {self.token}"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return _object(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                said = _object(error.read()).get("error", {})
            raise ConfigError("lumi devices", str(said.get("message") or f"HTTP {error.code}")) from None
        except OSError as error:
            raise ConfigError("lumi devices", f"the server does not answer ({error})") from error


@dataclass(frozen=True, slots=True)
class Stored:
    """The store of a server that does not run."""

    household: Any
    plain: Callable[[Any], Any]

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        _, _, _, kind, *rest = path.split("/")
        ways: dict[tuple[str, str, int], Callable[[], Awaitable[Any]]] = {
            ("GET", "devices", 0): self._list,
            ("POST", "pairings", 0): lambda: self.household.pair((body or {})["code"]),
            ("PATCH", "devices", 1): lambda: self._change(rest[0], body or {}),
            ("DELETE", "devices", 1): lambda: self.household.forget(rest[0]),
            ("POST", "devices", 2): lambda: getattr(self.household, rest[1])(rest[0]),
        }
        rest = [unquote(part) for part in rest]
        try:
            return self.plain(await ways[method, kind, len(rest)]()) or {}
        except LookupError as error:
            raise ConfigError("lumi devices", str(error.args[0])) from error

    async def _list(self) -> Json:
        return {"devices": self.household.devices()}

    async def _change(self, device_id: str, body: Mapping[str, Any]) -> Any:
        import msgspec

        module = load_extra("lumi.server.household", extra="server", command="lumi devices")
        try:
            changes = msgspec.convert(dict(body), module.DeviceChanges)
        except msgspec.ValidationError as error:
            raise ConfigError("lumi devices", str(error)) from error
        return await self.household.change(device_id, changes)


@asynccontextmanager
async def devices(
    config_file: Path | None, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[Devices]:
    """The household's devices, wherever they are kept.

    Raises:
        LumiError: a setting is wrong, or the store or a secret cannot be used.
    """
    settings = load_extra("lumi.config", extra="server", command="lumi devices").load(
        config_file, environ=environ
    )
    secrets = load_extra("lumi.server.secret_file", extra="server", command="lumi devices")
    host, port = local_address({"LUMI_HOST": settings.server.host, "LUMI_PORT": str(settings.server.port)})
    if port and await health(host, port) is not None:
        token = secrets.SecretFile(settings.data_dir / secrets.ADMIN_TOKEN).obtain()
        shown = f"[{host}]" if ":" in host else host
        yield Running(f"http://{shown}:{port}", token)
        return
    household = load_extra("lumi.server.household", extra="server", command="lumi devices")
    registry_module = load_extra("lumi.server.registry", extra="server", command="lumi devices")
    assembly = load_extra("lumi.server.assembly", extra="server", command="lumi devices")
    import time

    store = await assembly.open_store(settings)
    try:
        secret = secrets.SecretFile(settings.data_dir / secrets.TOKEN_SECRET)
        registry = registry_module.DeviceRegistry(store, time.time, secret)
        await registry.load()
        yield Stored(household.Household(registry), household.plain)
    finally:
        await store.aclose()


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


def _object(data: bytes) -> Json:
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


__all__ = ["Devices", "LumiError", "act", "devices", "list_devices", "place", "secret"]
