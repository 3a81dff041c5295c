"""The client's hello: says who we are, and waits for the answer that belongs to it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lumi.audio.format import AudioFormat
from lumi.client.broadcast import Subscription
from lumi.client.connection_service import ConnectionService
from lumi.client.events import Incoming, LinkClosed
from lumi.client.pending_replies import server_error
from lumi.client.state_machine import Failed, Handshaking, Ready
from lumi.errors import (
    ConnectionLost,
    ConnectionRefused,
    HandshakeError,
    HandshakeTimeout,
    LumiError,
    MissingSessionId,
)
from lumi.protocol.handshake import HandshakeResult, audio_params, check_answer
from lumi.protocol.messages import (
    FATAL_CLOSE_CODES,
    RETRYABLE,
    ClientHello,
    CloseCode,
    DeviceInfo,
    Error,
    ErrorCode,
    Features,
    ResumeRequest,
    ServerHello,
)

HANDSHAKE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What the hello says of this client."""

    device_id: str | None = None
    device_info: DeviceInfo | None = None
    audio: AudioFormat = field(default_factory=AudioFormat)
    features: Features = field(default_factory=Features)
    token: str | None = None
    resume: ResumeRequest | None = None


def new_id() -> str:
    """An id nobody else has."""
    return str(uuid.uuid4())


def utc_text(unix_s: float) -> str:
    """ISO-8601 UTC with a Z, as the founding document writes it."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def make_hello(profile: Profile, hello_id: str) -> ClientHello:
    """The founding document's hello, with what the profile asks for."""
    return ClientHello(
        id=hello_id,
        device_id=profile.device_id,
        device_info=profile.device_info,
        audio_params=audio_params(profile.audio),
        features=None if profile.features == Features() else profile.features,
        token=profile.token,
        resume=profile.resume,
    )


class HandshakeService:
    """Says hello on a line that is open, and takes the state through handshaking to ready or failed."""

    def __init__(
        self,
        service: ConnectionService,
        *,
        timeout_s: float = HANDSHAKE_TIMEOUT_S,
        make_id: Callable[[], str] = new_id,
    ) -> None:
        self._service = service
        self._timeout_s = timeout_s
        self._make_id = make_id

    async def perform(self, profile: Profile) -> HandshakeResult:
        """Say hello and wait for the answer with the same id; other messages pass by.

        Where it fails the line is closed and the state is failed.

        Raises:
            HandshakeTimeout: no answer within the deadline.
            HandshakeError: the answer makes no sense (no `session_id`), or the server refused the hello.
            ConnectionRefused: the server will not have us.
            ServerError: the server cannot take us now (overloaded, too many hellos).
            ConnectionLost: the line broke meanwhile.
        """
        machine = self._service.machine
        hello = make_hello(profile, self._make_id())
        try:
            machine.advance(Handshaking())
            answer = await self._ask(hello)
            if not answer.session_id:
                raise MissingSessionId
            result = check_answer(hello, answer)
            if not self._service.is_connected:
                raise ConnectionLost(1006, "the server answered hello and hung up")
        except LumiError as error:
            if self._service.is_connected:
                machine.advance(Failed(str(error)))
            await self._service.disconnect(CloseCode.DONE, "handshake failed")
            raise
        except asyncio.CancelledError:
            await self._service.disconnect(CloseCode.DONE, "handshake broken off")
            raise
        machine.advance(Ready(result.session_id, result.server_version))
        return result

    async def _ask(self, hello: ClientHello) -> ServerHello:
        with self._service.messages() as incoming:
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._service.send_message(hello)
                    return await find_answer(incoming, hello.id)
            except TimeoutError as error:
                raise HandshakeTimeout(
                    f"the server did not answer hello within {self._timeout_s:g} s"
                ) from error


async def find_answer(incoming: Subscription[Incoming], hello_id: str | None) -> ServerHello:
    """Read on until the hello's answer has come."""
    async for item in incoming:
        if isinstance(item, ServerHello) and item.id == hello_id:
            return item
        if isinstance(item, Error) and item.id in {hello_id, None}:
            raise refused(item)
        if isinstance(item, LinkClosed):
            raise closed_error(item)
    raise HandshakeError("the connection was disposed of while its hello was unanswered")


def refused(error: Error) -> LumiError:
    """An `error` that answers a hello, as an exception: a `ServerError` where the same hello may do later."""
    if error.error_code == ErrorCode.UNAUTHORIZED:
        return ConnectionRefused(CloseCode.UNAUTHORIZED, error.error_message)
    if error.retryable or error.error_code in RETRYABLE:
        return server_error(error)
    problem = f"the server refused hello ({error.error_code}): {error.error_message}"
    return HandshakeError(problem, code=error.error_code)


def closed_error(closed: LinkClosed) -> ConnectionLost | ConnectionRefused:
    """Why a link ended, as an exception."""
    if closed.code in FATAL_CLOSE_CODES:
        reason = closed.reason or "not authorised, or replaced by a newer connection"
        return ConnectionRefused(closed.code, f"the server closed the connection ({closed.code}): {reason}")
    return ConnectionLost(closed.code, closed.reason)
