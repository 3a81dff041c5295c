"""Every error of Lumi, in one tree; the name says whose fault it was.

LumiError
├─ ConfigError             the person who set it up: names the setting and what is accepted
├─ AudioError              sound that cannot be used
│   ├─ OpusUnavailable     no Opus library on this machine
│   ├─ CorruptAudio        a packet that is not Opus, or not what was agreed
│   ├─ AudioFileError      a WAV file that cannot be read or written
│   └─ AudioDeviceError    no microphone or loudspeaker
├─ ProtocolError           the peer sent something that makes no sense (has an ErrorCode)
│   └─ FrameError          … in a binary frame
├─ LocalProtocolError      our own side tried to send something out of turn
├─ NetworkError            the line
│   ├─ NetworkUnavailable  no route or no resolver: nothing was tried
│   ├─ ConnectFailed       no connection came about
│   ├─ ConnectionRefused   the server said no (401, 403, 4401 …): trying again is useless
│   ├─ ConnectionLost      the connection closed (close code and reason)
│   ├─ ReplyTimeout        an answer did not come in time
│   └─ NotConnected        sending without a connection
├─ HandshakeError          hello went wrong
│   ├─ MissingSessionId    the server's hello names no session
│   └─ HandshakeTimeout    no hello came back in time
├─ ServerError             the server answered with an `error` message
├─ RequestRefused          what a command asked of a household cannot be done
├─ EngineError             an engine (VAD, STT, LLM, TTS …) failed; its `trouble` says of which kind
│   ├─ EngineUnavailable   it cannot start here; says what to install
│   └─ EngineTimeSpent     its device has had what engine time it may have in an hour
├─ ToolError               a tool could not be called
│   └─ ToolUnanswered      it was called, and nobody knows whether it did it
├─ ModelError              a model that is not here, or that cannot be fetched or kept
├─ StoreError              the store cannot read or keep something
└─ Overloaded              too much at once: try again after `retry_after_s`
    └─ RateLimited         … of one sender
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class LumiError(Exception):
    """Root of all errors that Lumi raises on purpose. `str(error)` is one line for a person."""


class ConfigError(LumiError):
    """A setting is wrong.

    Args:
        key: the setting's name as the person wrote it, e.g. `server.port` or `LUMI_SERVER__PORT`.
        problem: what is wrong and what is accepted.
    """

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key


class AudioError(LumiError):
    """Sound that cannot be used."""


class OpusUnavailable(AudioError):
    """No Opus library was found; the message says what to install."""


class CorruptAudio(AudioError):
    """An audio packet that cannot be decoded."""


class AudioFileError(AudioError):
    """A sound file that cannot be read or written; the message names the file and what is accepted."""


class AudioDeviceError(AudioError):
    """No microphone or loudspeaker, or it cannot be opened."""


class ProtocolError(LumiError):
    """The peer sent something that makes no sense; costs it that message, not the connection.

    Args:
        code: one of the wire's `error_code` values (`lumi.protocol.messages.ErrorCode`).
        message: what was wrong and what is accepted.
        message_id: the offending message's id, if it could be read.
        fatal: the connection cannot go on.
    """

    def __init__(
        self, code: str, message: str, *, message_id: str | None = None, fatal: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message_id = message_id
        self.fatal = fatal


class FrameError(ProtocolError):
    """A binary frame whose header is broken."""


class LocalProtocolError(LumiError):
    """Our own side tried to send something out of turn: a bug here, not the peer's."""


class NetworkError(LumiError):
    """Root of what can go wrong on the line."""


class NetworkUnavailable(NetworkError):
    """There is no route or no resolver: connecting was not tried."""


class ConnectFailed(NetworkError):
    """No connection came about; trying again may help."""


class ConnectionRefused(NetworkError):
    """The server will not have us: trying again with the same credentials is useless.

    Args:
        status: the HTTP status (401, 403) or the WebSocket close code (4401, 4409).
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ConnectionLost(NetworkError):
    """The connection closed.

    Args:
        code: the WebSocket close code; 1006 if there was none.
        reason: the peer's words, possibly empty.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"connection closed ({code}{': ' + reason if reason else ''})")
        self.code = code
        self.reason = reason


class ReplyTimeout(NetworkError, TimeoutError):
    """What was asked was not answered in time; the line still stands."""


class NotConnected(NetworkError):
    """Something was to be sent while there is no connection."""


class HandshakeError(LumiError):
    """The hello exchange went wrong.

    Args:
        code: the `error_code` by which the server refused the hello for good; None where it did not.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class MissingSessionId(HandshakeError):
    """The server's answer to hello has no `session_id`."""

    def __init__(self) -> None:
        super().__init__("the server's answer to hello has no session_id (服务器响应中缺少session_id)")


class HandshakeTimeout(HandshakeError):
    """The peer did not say hello in time."""


class ServerError(LumiError):
    """The server answered with an `error` message.

    Args:
        code: its `error_code`.
        retryable: whether the same message may succeed later.
        retry_after_s: seconds to wait, if the server said so.
        message_id: the message it is about.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after_s: float | None = None,
        message_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.retry_after_s = retry_after_s
        self.message_id = message_id


class Trouble(StrEnum):
    """Of which kind an engine's failure is: what the user is told, and whether another engine should be asked."""

    FAILED = "failed"
    UNREACHABLE = "unreachable"
    KEY_REFUSED = "key_refused"
    UNKNOWN_MODEL = "unknown_model"
    NO_CREDIT = "no_credit"
    """The account behind the key is used up: somebody has to pay."""
    BUSY = "busy"
    """Too many requests for now."""
    SLOW = "slow"
    GARBLED = "garbled"
    """It answered what is no answer, or broke off in the middle."""
    REFUSED = "refused"
    """It understood and will not: what was asked is too long, or not allowed."""
    SPENT = "spent"
    """The device has had its share of engine time for now."""


class RequestRefused(LumiError):
    """What a command asked of a household's devices cannot be done; the message says why."""


class EngineError(LumiError):
    """An engine failed.

    Args:
        engine: its name in the registry, e.g. `pocketsphinx`.
        message: what happened.
        retryable: whether the same request may succeed.
        trouble: of which kind it is.
        retry_after_s: seconds to wait, if the engine said so.
    """

    def __init__(
        self,
        engine: str,
        message: str,
        *,
        retryable: bool = True,
        trouble: Trouble = Trouble.FAILED,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{engine}: {message}")
        self.engine = engine
        self.retryable = retryable
        self.trouble = trouble
        self.retry_after_s = retry_after_s


class EngineUnavailable(EngineError):
    """An engine cannot start here; the message says what to install or set."""

    def __init__(self, engine: str, message: str) -> None:
        super().__init__(engine, message, retryable=False)


class EngineTimeSpent(EngineError):
    """A device has had what engine time it may have in an hour.

    Args:
        minutes: so much it may have.
        retry_after_s: until it may have more.
        aloud: asked once, where it could be said aloud: whether it is to be said.
    """

    def __init__(self, minutes: float, retry_after_s: float, aloud: Callable[[], bool]) -> None:
        problem = f"this device has had its {minutes:g} minutes of this hour (limits.engine_minutes_per_hour)"
        super().__init__("engine time", problem, trouble=Trouble.SPENT, retry_after_s=retry_after_s)
        self.aloud = aloud


class ToolError(LumiError):
    """A tool could not be called.

    Args:
        tool: its name.
        message: what happened, in words that a model can act on.
    """

    def __init__(self, tool: str, message: str) -> None:
        super().__init__(f"{tool}: {message}")
        self.tool = tool


class ToolUnanswered(ToolError):
    """A tool was called, and what came of it was never told: nobody knows whether it was done."""


class ModelError(LumiError):
    """A model that is not here, or that cannot be fetched or kept; the message says what to do."""


class StoreError(LumiError):
    """The store cannot read or keep something."""


class Overloaded(LumiError):
    """Too much at once.

    Args:
        retry_after_s: seconds after which it may work.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(Overloaded):
    """Too much of one sender; others are served."""
