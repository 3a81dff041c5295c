"""The wire's numbers and names: error codes, close codes, emotions."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Values of `error_code`; `code` is the number beside it."""

    BAD_JSON = "bad_json"
    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    NOT_READY = "not_ready"
    UNAUTHORIZED = "unauthorized"
    UNSUPPORTED_VERSION = "unsupported_version"
    UNSUPPORTED_AUDIO = "unsupported_audio"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    TOO_LARGE = "too_large"
    STT_FAILED = "stt_failed"
    LLM_FAILED = "llm_failed"
    TTS_FAILED = "tts_failed"
    INTERNAL = "internal"


ERROR_NUMBERS: dict[ErrorCode, int] = {
    ErrorCode.BAD_JSON: 4000,
    ErrorCode.BAD_MESSAGE: 4002,
    ErrorCode.UNKNOWN_TYPE: 4003,
    ErrorCode.NOT_READY: 4004,
    ErrorCode.UNAUTHORIZED: 4401,
    ErrorCode.UNSUPPORTED_VERSION: 4005,
    ErrorCode.UNSUPPORTED_AUDIO: 4006,
    ErrorCode.RATE_LIMITED: 4029,
    ErrorCode.OVERLOADED: 5003,
    ErrorCode.TOO_LARGE: 4013,
    ErrorCode.STT_FAILED: 5010,
    ErrorCode.LLM_FAILED: 5011,
    ErrorCode.TTS_FAILED: 5012,
    ErrorCode.INTERNAL: 5000,
}

RETRYABLE = frozenset(
    {
        ErrorCode.RATE_LIMITED,
        ErrorCode.OVERLOADED,
        ErrorCode.STT_FAILED,
        ErrorCode.LLM_FAILED,
        ErrorCode.TTS_FAILED,
        ErrorCode.INTERNAL,
    }
)


class CloseCode:
    """WebSocket close codes that Lumi uses."""

    DONE = 1000
    GOING_AWAY = 1001
    TOO_LARGE = 1009
    INTERNAL = 1011
    TRY_LATER = 1013
    UNAUTHORIZED = 4401
    NO_HELLO = 4408
    REPLACED = 4409


FATAL_CLOSE_CODES = frozenset({CloseCode.UNAUTHORIZED, CloseCode.REPLACED})
"""After these a client does not try again."""

EMOTIONS: dict[str, str] = {
    "neutral": "😶",
    "happy": "🙂",
    "laughing": "😆",
    "funny": "😂",
    "sad": "😔",
    "angry": "😠",
    "crying": "😭",
    "loving": "😍",
    "embarrassed": "😳",
    "surprised": "😲",
    "shocked": "😱",
    "thinking": "🤔",
    "winking": "😉",
    "cool": "😎",
    "relaxed": "😌",
    "delicious": "🤤",
    "kissy": "😘",
    "confident": "😏",
    "sleepy": "😴",
    "silly": "😜",
    "confused": "🙄",
}
