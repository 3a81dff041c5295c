"""What Lumi says of itself to whoever speaks Wyoming."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumi.server.kit import Kit

if TYPE_CHECKING:
    from wyoming.info import Info

LANGUAGES = ("en", "zh")
"""Of an engine that does not say which it knows."""


def info_of(kit: Kit, version: str) -> Info:
    """The services behind this port: recognition, speech and conversation by the engines that are configured."""
    from wyoming.info import (
        AsrModel,
        AsrProgram,
        Attribution,
        HandleModel,
        HandleProgram,
        Info,
        TtsProgram,
        TtsVoice,
    )

    def about(engine: Any) -> dict[str, Any]:
        return {
            "name": engine.name,
            "description": f"Lumi's {engine.name}",
            "attribution": Attribution("Lumi", ""),
            "installed": True,
            "version": version,
        }

    program = about(kit.llm) | {"name": "lumi", "description": "Lumi"}
    hearing = about(kit.stt) | {"languages": _languages(kit.stt)}
    speaking = about(kit.tts) | {"languages": _languages(kit.tts)}
    thinking = about(kit.llm) | {"languages": list(LANGUAGES)}
    return Info(
        asr=[AsrProgram(**program, models=[AsrModel(**hearing)])],
        tts=[TtsProgram(**program, voices=[TtsVoice(**speaking)])],
        handle=[HandleProgram(**program, models=[HandleModel(**thinking)], supports_home_control=True)],
    )


def _languages(engine: Any) -> list[str]:
    return list(getattr(engine, "languages", None) or LANGUAGES)
