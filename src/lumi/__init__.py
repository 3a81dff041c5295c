"""Lumi: a real-time voice assistant you host yourself.

The map, from the wire inwards (docs/design.md draws it):

    transport   moves str | bytes            protocol   what the bytes mean, pure
    server      sessions and their turns     client     the same road from the other end
    voice       one turn: PCM in, PCM out    skills     what Lumi can do with no model behind it
    engines     VAD, STT, LLM, TTS seams     store      what must not be lost
    audio       PCM, Opus, pacing            errors     the error tree
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lumi._version import __version__

if TYPE_CHECKING:
    from lumi.audio.format import AudioFormat, Codec
    from lumi.client.client import Client, connect
    from lumi.client.events import Audio
    from lumi.client.reconnection import ReconnectPolicy
    from lumi.client.spoken_reply import SpokenReply
    from lumi.errors import LumiError, ServerError
    from lumi.protocol.messages import Error, Features, LlmEmotion, Notify, Response, Stt, Tts, TtsState
    from lumi.server.app import serve
    from lumi.tools.functions import tool

__all__ = [
    "Audio",
    "AudioFormat",
    "Client",
    "Codec",
    "Error",
    "Features",
    "LlmEmotion",
    "LumiError",
    "Notify",
    "ReconnectPolicy",
    "Response",
    "ServerError",
    "SpokenReply",
    "Stt",
    "Tts",
    "TtsState",
    "__version__",
    "connect",
    "serve",
    "tool",
]

_MESSAGES = ("Error", "Features", "LlmEmotion", "Notify", "Response", "Stt", "Tts", "TtsState")

_HOMES = dict.fromkeys(_MESSAGES, "lumi.protocol.messages") | {
    "Audio": "lumi.client.events",
    "AudioFormat": "lumi.audio.format",
    "Client": "lumi.client.client",
    "Codec": "lumi.audio.format",
    "LumiError": "lumi.errors",
    "ReconnectPolicy": "lumi.client.reconnection",
    "ServerError": "lumi.errors",
    "SpokenReply": "lumi.client.spoken_reply",
    "connect": "lumi.client.client",
    "serve": "lumi.server.app",
    "tool": "lumi.tools.functions",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562), so that a client loads no server."""
    if name not in _HOMES:
        msg = f"module 'lumi' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
