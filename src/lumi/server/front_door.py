"""All that stands between the network and the household's sessions: who may come in, who waits, and how devices are managed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from lumi._version import __version__
from lumi.config import Config
from lumi.protocol.messages import CloseCode
from lumi.server import assembly
from lumi.server.admin import Admin
from lumi.server.api_console import ConsoleApi, Sights
from lumi.server.api_devices import DevicesApi
from lumi.server.api_pushes import PushesApi
from lumi.server.audit import AuditLog, Reason
from lumi.server.auth import Doorkeeper
from lumi.server.device_overrides import NOTHING, DeviceOverrides
from lumi.server.firmware import Firmware
from lumi.server.household import Household
from lumi.server.limits import Addresses
from lumi.server.log import Subject, logger
from lumi.server.metrics import Metrics
from lumi.server.open_sockets import OpenSockets
from lumi.server.ota import Ota, OtaSettings
from lumi.server.port import reached_at
from lumi.server.pushes import Locale, Pushes
from lumi.server.reception import Reception
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile
from lumi.server.services import Services
from lumi.server.session_manager import SessionManager
from lumi.server.tls import Tls
from lumi.server.vision import VisionDesk
from lumi.server.voices import voice_routes
from lumi.skills.timers import TimerService
from lumi.transport.base import LinkInfo
from lumi.transport.discovery import LUMI, keep_announced, lan_addresses


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """Made by `open_front_door`; `reception` is to be entered."""

    config: Config
    registry: DeviceRegistry
    services: Services
    doorkeeper: Doorkeeper
    audit: AuditLog
    reception: Reception
    tls: Tls

    def routes(
        self,
        sessions: SessionManager,
        address: Callable[[], str],
        timers: TimerService,
        sights: Sights,
    ) -> list[web.RouteDef]:
        """What is served for devices and about them.

        Args:
            sessions: the household's.
            address: `host:port` for a device that does not say whom it asked.
            timers: where words for a device wait.
            sights: what the operator's view shows.
        """
        config = self.config
        ota = Ota(
            self.doorkeeper,
            self.registry,
            self.audit,
            Firmware(config.data_dir / "firmware"),
            OtaSettings(
                address,
                lambda device_id: self.services.settings(device_id).timezone,
                config.locale.language,
            ),
            self.services.wall_clock,
        )
        household = Household(
            self.registry,
            lambda device_id: bool(sessions.of_device(device_id)),
            lambda device_id: sessions.dismiss(device_id, CloseCode.UNAUTHORIZED, "shut out"),
        )
        admin = Admin(SecretFile(config.data_dir / ADMIN_TOKEN), self.audit)
        devices = DevicesApi(household, admin, self.audit, __version__)
        passes = assembly.vision_passes(config, self.registry, self.services.wall_clock)
        eyes = VisionDesk(self.doorkeeper, passes, self.services.metered, self.audit)
        pushes = Pushes(household, sessions.visitors, timers, self.services.wall_clock, self._locale)
        return [
            *ota.routes(),
            *ConsoleApi(sights, admin, self.registry, __version__).routes(),
            *PushesApi(pushes, admin).routes(),
            *devices.routes(),
            *eyes.routes(),
            *self.tls.routes(),
            *voice_routes(lambda: self.services.generations.kit("")),
        ]

    def watch(self, server: web.Server) -> None:
        """Bound the connections of one address from now on."""
        addresses = Addresses(self.config.limits.address_connections)
        OpenSockets(
            addresses,
            lambda address: self.audit.refused(Reason.ADDRESS_CONNECTIONS, LinkInfo(remote=address)),
        ).watch(server)

    def _locale(self, device_id: str) -> Locale:
        settings = self.services.settings(device_id)
        return Locale(settings.language, settings.timezone)


def open_front_door(
    config: Config, registry: DeviceRegistry, services: Services, metrics: Metrics, tls: Tls
) -> FrontDoor:
    """A door as the settings have it."""
    doorkeeper = assembly.doorkeeper(config, registry)
    audit = AuditLog(metrics, services.wall_clock)
    reception = Reception(doorkeeper, registry, services, audit, services.wall_clock)
    return FrontDoor(config, registry, services, doorkeeper, audit, reception, tls)


def registered(registry: DeviceRegistry, device_id: str) -> DeviceOverrides:
    """What a device's registration says."""
    device = registry.get(device_id)
    if device is None:
        return NOTHING
    return DeviceOverrides(
        persona=device.persona or None, language=device.language or None, voice=device.voice or None
    )


async def announced(config: Config, port: int, tls_port: int | None = None) -> None:
    """For ever: tell the local network that this server is here, and where it speaks TLS, if it does."""
    server = config.server
    properties = {"version": __version__, "path": "/"}
    if server.token or server.tokens:
        properties["token"] = "1"  # noqa: S105 - says that one is wanted
    if tls_port is not None:
        properties["tls_port"] = str(tls_port)
    name = f"Lumi on {socket.gethostname().partition('.')[0]}"
    told = logger(Subject.SERVER).info
    await keep_announced(
        LUMI,
        name,
        port,
        properties=properties,
        addresses=lambda: reached_at(server.host, lan_addresses()),
        told=told,
    )
