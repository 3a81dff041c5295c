"""Every setting, its default, its bounds and what it is for. `docs/configuration.md` is made from this."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field

from lumi.config.clients import ClientSettings
from lumi.config.devices import DeviceSettings, fits
from lumi.config.duplex import DuplexSettings
from lumi.config.engines import (
    AudioSettings,
    LlmSettings,
    NamedEngine,
    SttSettings,
    TtsSettings,
    TurnSettings,
    VadSettings,
)
from lumi.config.models import ModelSettings
from lumi.config.recorder import RecorderSettings
from lumi.config.retention import RetentionSettings
from lumi.config.sections import Section
from lumi.config.serving import LimitSettings, LocaleSettings, LogSettings, ServerSettings, StoreSettings
from lumi.config.tools import HomeAssistantSettings, McpServerSettings, ToolSettings
from lumi.config.vision import VisionSettings
from lumi.config.wyoming import WyomingSettings


class Config(Section):
    """All settings. `lumi.config.load()` makes one."""

    server: ServerSettings = ServerSettings()
    audio: AudioSettings = AudioSettings()
    vad: VadSettings = VadSettings()
    stt: SttSettings = SttSettings()
    llm: LlmSettings = LlmSettings()
    tts: TtsSettings = TtsSettings()
    duplex: DuplexSettings = DuplexSettings()
    engines: dict[str, NamedEngine] = Field(default_factory=dict)
    devices: dict[str, DeviceSettings] = Field(default_factory=dict)
    clients: dict[str, ClientSettings] = Field(default_factory=dict)
    models: ModelSettings = ModelSettings()
    tools: ToolSettings = ToolSettings()
    mcp: dict[str, McpServerSettings] = Field(default_factory=dict)
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    wyoming: WyomingSettings = WyomingSettings()
    vision: VisionSettings = VisionSettings()
    turn: TurnSettings = TurnSettings()
    limits: LimitSettings = LimitSettings()
    store: StoreSettings = StoreSettings()
    retention: RetentionSettings = RetentionSettings()
    recorder: RecorderSettings = RecorderSettings()
    log: LogSettings = LogSettings()
    locale: LocaleSettings = LocaleSettings()

    @property
    def data_dir(self) -> Path:
        """Where everything that lasts is kept; may not exist yet."""
        return (self.server.data_dir or user_data_path("lumi", appauthor=False)).expanduser().absolute()

    @property
    def recordings_dir(self) -> Path:
        """Where recordings of sessions are kept; may not exist yet."""
        folder = self.recorder.folder
        return self.data_dir / "recordings" if folder is None else folder.expanduser().absolute()

    def for_device(self, device_id: str) -> DeviceSettings:
        """What is different for a device: of all tables that fit, joined."""
        fitting = sorted(
            ((fits(name, table, device_id), table) for name, table in self.devices.items()),
            key=lambda pair: pair[0],
        )
        said: dict[str, object] = {}
        for fit, table in fitting:
            if fit:
                said |= {key: value for key, value in table if value is not None}
        return DeviceSettings().model_copy(update=said)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host` (a name or an address)."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
