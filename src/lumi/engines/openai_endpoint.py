"""Where an OpenAI-compatible service is, and what every engine that uses one can be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from lumi.engines.openai_models import Kind
from lumi.errors import ConfigError

NAME = "openai"
OPENAI = "https://api.openai.com/v1"


class Transport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of every engine here; each adds its own."""

    connect_s: float = 5.0
    """How long a connection may take to come about."""
    timeout_s: float = 60.0
    """How long the service may keep silent."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Further HTTP headers."""
    extra: dict[str, Any] = msgspec.field(default_factory=dict)
    """Further fields of the request, as the service's own manual names them."""


Options = TypeVar("Options", bound=Transport)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who is asked, and what for."""

    kind: Kind
    base_url: str
    api_key: str = field(repr=False)
    model: str
    """Empty: to be chosen."""
    name: str = NAME

    @property
    def where(self) -> str:
        return f"the service at {self.base_url}"

    def setting(self, name: str) -> str:
        """The setting's whole name."""
        return f"{self.kind}.{name}"


def endpoint(kind: Kind, base_url: str, api_key: str, model: str) -> Endpoint:
    """Check an address and a key.

    An address without a path gets `/v1`, where all services of this kind have their API.

    Raises:
        ConfigError: the address is none, or OpenAI itself is meant and there is no key.
    """
    url = (base_url or OPENAI).strip().rstrip("/")
    rest = url.partition("://")[2]
    if not _is_address(url):
        problem = (
            f"{base_url!r} is no address of a service; accepted: e.g. http://localhost:11434/v1 or {OPENAI}"
        )
        raise ConfigError(f"{kind}.base_url", problem)
    if "/" not in rest:
        url += "/v1"
    if url == OPENAI and not api_key:
        problem = f"is missing: {OPENAI} wants one (LUMI_{kind.upper()}__API_KEY); for another service set {kind}.base_url"
        raise ConfigError(f"{kind}.api_key", problem)
    return Endpoint(kind, url, api_key, model)


def _is_address(url: str) -> bool:
    try:
        split = urlsplit(url)
        whole = bool(split.hostname) and split.port != 0
    except ValueError:
        return False
    return whole and split.scheme in {"http", "https"} and not any(map(str.isspace, url))


def read_options(kind: Kind, options: dict[str, Any], form: type[Options]) -> Options:
    """The engine's own options. Raises `ConfigError` naming one that is wrong."""
    try:
        return msgspec.convert(options, form, strict=False)
    except msgspec.ValidationError as error:
        accepted = ", ".join(form.__struct_fields__)
        raise ConfigError(f"{kind}.options", f"{error}; options of {NAME} are: {accepted}") from error
