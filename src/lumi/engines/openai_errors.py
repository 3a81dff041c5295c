"""What goes wrong with an OpenAI-compatible service, in words and by kind.

Whatever the SDK or its HTTP client raises becomes an `EngineError` that names what happened and the setting to change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from lumi.engines.openai_credit import codes_of, used_up
from lumi.engines.server_sent_events import EventTooLong
from lumi.errors import AudioError, EngineError, Trouble

if TYPE_CHECKING:
    from lumi.engines.openai_endpoint import Endpoint

LONGEST_QUOTE = 200
"""Characters of a service's own words that are passed on."""

_NO_MODEL = re.compile(
    r"not exist|not found|no such|unknown|not installed|invalid model|not supported", re.IGNORECASE
)

_BY_STATUS = {
    401: Trouble.KEY_REFUSED,
    403: Trouble.KEY_REFUSED,
    408: Trouble.SLOW,
    429: Trouble.BUSY,
    503: Trouble.BUSY,
    504: Trouble.SLOW,
    529: Trouble.BUSY,
}
_NO_SUCH_MODEL = frozenset({400, 404, 422})
_LASTING = frozenset({Trouble.KEY_REFUSED, Trouble.UNKNOWN_MODEL, Trouble.NO_CREDIT, Trouble.REFUSED})
"""The same request will fail again."""


class BadAnswer(Exception):
    """What came is no answer; says what came."""


class BrokeOff(BadAnswer):
    """The answer ended in its middle."""


class ErrorWithin(BadAnswer):
    """The service said in the middle of its answer that it failed; `status` as HTTP would have put it, 0 if it did not say,
    `codes` what it calls it.
    """

    def __init__(self, message: str, status: int = 0, codes: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.status = status
        self.codes = codes


def raised_by_sdk() -> tuple[type[Exception], ...]:
    """What a request and the reading of its answer can raise. The SDK must have been loaded (it is not loaded here for
    nothing: it takes a second).
    """
    import httpx2
    import openai

    return (
        openai.OpenAIError,
        httpx2.HTTPError,
        msgspec.MsgspecError,
        BadAnswer,
        EventTooLong,
        UnicodeError,
        AudioError,
    )


def was_stale(error: Exception) -> bool:
    """Whether the service had closed a connection that lay in the pool: asked again, it may well answer."""
    import httpx2

    return isinstance(error.__cause__, httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.WriteError)


def status_of(error: BaseException | None) -> int | None:
    """The HTTP status of an answer that the SDK raised."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


@dataclass(frozen=True, slots=True)
class Problem:
    """What was going on when something went wrong.

    Attributes:
        endpoint: who was asked.
        model: that was asked for.
        timeout_s: how long the service may keep silent.
        began: its answer had begun.
    """

    endpoint: Endpoint
    model: str
    timeout_s: float
    began: bool = False

    def translated(self, error: Exception) -> EngineError:
        """The same in our words."""
        import httpx2
        import openai

        match error:
            case openai.APIStatusError():
                said = words_of(error.body) or error.message
                return self.refusal(error.status_code, said, error.response.headers, codes_of(error.body))
            case ErrorWithin():
                return self.refusal(error.status, str(error), {}, error.codes)
            case openai.APITimeoutError() | httpx2.TimeoutException():
                return self._late(error)
            case openai.APIConnectionError() | httpx2.HTTPError() | BrokeOff():
                return self._cut_off(error)
            case _:
                return self._garbled(str(error))

    def _late(self, error: Exception) -> EngineError:
        """No connection came about in time, or nothing came over it."""
        import httpx2

        cause = error.__cause__ or error
        if isinstance(cause, httpx2.ConnectTimeout):
            return self._unreachable("it does not answer at all")
        return self._slow()

    def _cut_off(self, error: Exception) -> EngineError:
        """No connection, or it ended before the answer did."""
        if self.began:
            why = self._quoted(str(error))
            return self._error(Trouble.GARBLED, f"broke off in the middle of its answer ({why})")
        return self._unreachable(str(error.__cause__ or error))

    def refusal(
        self, status: int, said: str, headers: Mapping[str, str], codes: frozenset[str] = frozenset()
    ) -> EngineError:
        """An answer with an HTTP status of 400 or above; 0: an error in the middle of an answer.

        Args:
            status: HTTP's.
            said: the service's own words.
            headers: of the answer.
            codes: what the service calls it.
        """
        trouble = Trouble.NO_CREDIT if used_up(status, said, codes) else self._kind(status, said)
        after_s = retry_after_s(headers) if trouble is Trouble.BUSY else None
        quoted = self._quoted(f"{status or 'error'}: {said}")
        return self._error(trouble, f"{self._what(trouble, status, after_s)} ({quoted})", after_s)

    def _kind(self, status: int, said: str) -> Trouble:
        words = said.lower().replace(self.model.lower(), "") if self.model else said.lower()
        if status in _NO_SUCH_MODEL and "model" in words and _NO_MODEL.search(words):
            return Trouble.UNKNOWN_MODEL
        if status in _BY_STATUS:
            return _BY_STATUS[status]
        return Trouble.REFUSED if 400 <= status < 500 and status != 404 else Trouble.FAILED

    def _what(self, trouble: Trouble, status: int, after_s: float | None) -> str:
        setting = self.endpoint.setting
        when = f"try again in {after_s:g} s" if after_s is not None else "try again later"
        key = "does not accept the key" if self.endpoint.api_key else "wants a key"
        words = {
            Trouble.KEY_REFUSED: f"{key}; set {setting('api_key')}",
            Trouble.UNKNOWN_MODEL: f"does not have the model {self.model!r}; set {setting('model')}",
            Trouble.NO_CREDIT: f"has no credit left for this account; top it up, or set another {setting('api_key')}",
            Trouble.BUSY: f"takes no more requests now, {when}",
            Trouble.SLOW: f"took too long itself; a smaller model ({setting('model')}) is faster",
            Trouble.REFUSED: f"will not take the request; check {setting('options')} and {setting('model')}",
        }
        if status == 404 and trouble is Trouble.FAILED:
            return f"has nothing at this address; check {setting('base_url')}"
        return words.get(trouble, "failed")

    def _unreachable(self, why: str) -> EngineError:
        setting = self.endpoint.setting("base_url")
        return self._error(
            Trouble.UNREACHABLE, f"cannot be reached ({self._quoted(why)}); is it running? Check {setting}"
        )

    def _slow(self) -> EngineError:
        setting = self.endpoint.setting
        return self._error(
            Trouble.SLOW,
            f"kept silent for {self.timeout_s:g} s; a smaller model ({setting('model')}) is faster, "
            f"{setting('options.timeout_s')} lets it take longer",
        )

    def _garbled(self, what: str) -> EngineError:
        setting = self.endpoint.setting("base_url")
        return self._error(
            Trouble.GARBLED,
            f"answered what is no answer ({self._quoted(what)}); is it OpenAI-compatible? Check {setting}",
        )

    def _error(self, trouble: Trouble, what: str, after_s: float | None = None) -> EngineError:
        return EngineError(
            self.endpoint.name,
            f"{self.endpoint.where} {what}",
            trouble=trouble,
            retryable=trouble not in _LASTING,
            retry_after_s=after_s,
        )

    def _quoted(self, text: str) -> str:
        """A service's words on one line, without the key, should it say it back."""
        if self.endpoint.api_key:
            text = text.replace(self.endpoint.api_key, "…")
        line = " ".join(text.split())
        return line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 1] + "…"


def words_of(body: Any) -> str:
    """The message in an error's body, whichever way this service puts it."""
    if isinstance(body, Mapping):
        for name in ("message", "detail", "error", "msg"):
            if body.get(name):
                return words_of(body[name])
        return ""
    if isinstance(body, list):
        return "; ".join(filter(None, map(words_of, body)))
    return str(body) if isinstance(body, str | int | float) else ""


def code_of(body: Any) -> int:
    """The HTTP status that an error within an answer names; 0 if none."""
    given = [body.get(name) for name in ("code", "status")] if isinstance(body, Mapping) else []
    codes = [int(str(code)) for code in given if str(code).isdecimal()]
    return next((code for code in codes if 400 <= code < 600), 0)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The header `Retry-After`: seconds, or a date, which is counted from the answer's own `Date`."""
    given = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        then, now = parsedate_to_datetime(given), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return None
