"""Every setting, its default, its bounds and what it is for. `docs/configuration.md` is made from this."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field

from lumi.config.engines import (
    AudioSettings,
    LlmSettings,
    NamedEngine,
    SttSettings,
    TtsSettings,
    TurnSettings,
    VadSettings,
)
from lumi.config.sections import Section
from lumi.config.serving import LimitSettings, LocaleSettings, LogSettings, ServerSettings, StoreSettings


class Config(Section):
    """All settings. `lumi.config.load()` makes one."""

    server: ServerSettings = ServerSettings()
    audio: AudioSettings = AudioSettings()
    vad: VadSettings = VadSettings()
    stt: SttSettings = SttSettings()
    llm: LlmSettings = LlmSettings()
    tts: TtsSettings = TtsSettings()
    engines: dict[str, NamedEngine] = Field(default_factory=dict)
    turn: TurnSettings = TurnSettings()
    limits: LimitSettings = LimitSettings()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    locale: LocaleSettings = LocaleSettings()

    @property
    def data_dir(self) -> Path:
        """Where everything that lasts is kept; may not exist yet."""
        return (self.server.data_dir or user_data_path("lumi", appauthor=False)).expanduser().absolute()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host` (a name or an address)."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
