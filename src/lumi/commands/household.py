"""The household, as the commands reach it: through the server that runs here or is named, or else in its store."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from lumi.commands.local_server import health, local_address
from lumi.commands.running import load_extra
from lumi.commands.trusted import authority
from lumi.errors import ConfigError, ConnectFailed, RequestRefused
from lumi.transport.trust import trusting

TIMEOUT_S = 10.0
DEVICES = "lumi devices"
TOKEN_VARIABLE = "LUMI_ADMIN_TOKEN"  # noqa: S105 - a name
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
Json = dict[str, Any]


class Devices(Protocol):
    """What a command may ask for; the words are those of `/api/v1`."""

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Raises LumiError: what the household's server says is wrong."""
        ...


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    base: str
    token: str
    trust: ssl.SSLContext | None = None
    """Which authorities, for https; None: the system's."""

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        return await asyncio.to_thread(self._call, method, path, body)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the base is http
            self.base + path, data, {"Authorization": f"Bearer {self.token}"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self.trust) as answer:  # noqa: S310
                return _object(answer.read())
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:
                error.close()
                raise RequestRefused(
                    "the server does not take this admin token; `lumi token admin`, run where the server runs, prints the right one"
                ) from None
            with error:
                said = _object(error.read()).get("error", {})
            raise RequestRefused(str(said.get("message") or f"HTTP {error.code}")) from None
        except OSError as error:
            raise ConnectFailed(f"the server does not answer ({error})") from error


@dataclass(frozen=True, slots=True)
class Stored:
    """The store of a server that does not run."""

    household: Any
    pushes: Any
    plain: Callable[[Any], Any]
    command: str
    """Named where a package is missing."""

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        _, _, _, kind, *rest = path.split("/")
        ways: dict[tuple[str, str, int], Callable[[], Awaitable[Any]]] = {
            ("GET", "devices", 0): self._list,
            ("POST", "pairings", 0): lambda: self.household.pair((body or {})["code"]),
            ("PATCH", "devices", 1): lambda: self._change(rest[0], body or {}),
            ("DELETE", "devices", 1): lambda: self.household.forget(rest[0]),
            ("POST", "devices", 2): lambda: self._act(rest[0], rest[1], body),
            ("GET", "pushes", 0): self._pushes,
            ("DELETE", "pushes", 1): lambda: self.pushes.cancel(rest[0]),
        }
        rest = [unquote(part) for part in rest]
        try:
            return self.plain(await ways[method, kind, len(rest)]()) or {}
        except LookupError as error:
            raise RequestRefused(str(error.args[0])) from error

    async def _list(self) -> Json:
        return {"devices": self.household.devices()}

    async def _pushes(self) -> Json:
        return {"pushes": await self.pushes.all()}

    async def _act(self, device: str, action: str, body: Mapping[str, Any] | None) -> Any:
        if action != "say":
            return await getattr(self.household, action)(device)
        request = load_extra("lumi.server.pushes", extra="server", command=self.command).PushRequest
        return await self._checked(body, request, lambda wanted: self.pushes.say(device, wanted))

    async def _change(self, device_id: str, body: Mapping[str, Any]) -> Any:
        changes = load_extra("lumi.server.household", extra="server", command=self.command).DeviceChanges
        return await self._checked(body, changes, lambda said: self.household.change(device_id, said))

    async def _checked(
        self, body: Mapping[str, Any] | None, kind: type, act: Callable[[Any], Awaitable[Any]]
    ) -> Any:
        import msgspec

        try:
            return await act(msgspec.convert(dict(body or {}), kind))
        except msgspec.ValidationError as error:
            raise RequestRefused(str(error)) from error


@asynccontextmanager
async def devices(
    config_file: Path | None, environ: Mapping[str, str] = os.environ, *, command: str = DEVICES
) -> AsyncIterator[Devices]:
    """The household's devices, wherever they are kept.

    Raises:
        LumiError: a setting is wrong, or the store or a secret cannot be used.
    """

    def load(module: str) -> ModuleType:
        return load_extra(module, extra="server", command=command)

    settings = load("lumi.config").load(config_file, environ=environ)
    secrets = load("lumi.server.secret_file")
    host, port = local_address({"LUMI_HOST": settings.server.host, "LUMI_PORT": str(settings.server.port)})
    if port and await health(host, port) is not None:
        token = secrets.SecretFile(settings.data_dir / secrets.ADMIN_TOKEN).obtain()
        shown = f"[{host}]" if ":" in host else host
        yield Running(f"http://{shown}:{port}", token)
        return
    store = await load("lumi.server.assembly").open_store(settings)
    try:
        secret = secrets.SecretFile(settings.data_dir / secrets.TOKEN_SECRET)
        registry = load("lumi.server.registry").DeviceRegistry(store, time.time, secret)
        await registry.load()
        made = load("lumi.server.household")
        household = made.Household(registry)
        yield Stored(household, _pushes(load, settings, store, household), made.plain, command)
    finally:
        await store.aclose()


def server_at(url: str, token: str | None, ca: Path | None) -> Running:
    """The server at an address of any scheme, which wants its admin token.

    Raises:
        ConfigError: the address is none, or the token is missing.
    """
    split = urlsplit(url)
    scheme = SCHEMES.get(split.scheme)
    if scheme is None or not split.hostname:
        raise ConfigError("--url", f"{url!r} is no address of a server; e.g. http://192.168.1.20:8000/")
    if not token:
        raise ConfigError(
            TOKEN_VARIABLE,
            "a server elsewhere wants its admin token: run `lumi token admin` there, and set this",
        )
    file = authority(url, ca)
    return Running(f"{scheme}://{split.netloc}", token, None if file is None else trusting(file))


def _pushes(load: Callable[[str], ModuleType], settings: Any, store: Any, household: Any) -> Any:
    """Where words wait that the next server will say."""
    pushes, timers = load("lumi.server.pushes"), load("lumi.skills.timers")

    async def ring(*_: object) -> bool:
        return False

    zone = settings.locale.timezone or load("lumi.server.assembly").machine_timezone()
    locale = pushes.Locale(settings.locale.language, zone)
    service = timers.TimerService(store.timers, time.time, ring)
    return pushes.Pushes(household, (), service, time.time, lambda _: locale, patience_s=0.0)


def _object(data: bytes) -> Json:
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
