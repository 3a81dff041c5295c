"""Who is here: makes sessions, finds them, and sees each to its end.

Every session's task lives in one task group, so that none outlives the server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from lumi.errors import Overloaded
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import Abort, AudioFrame, Chat, ClientHello, CloseCode, Listen, Message, Played
from lumi.server.background import Background
from lumi.server.log import Subject, logger

RETRY_AFTER_S = 30.0


class SessionLike(Protocol):
    """What a session is to the rest of the server; `session.Session` is the one."""

    @property
    def id(self) -> str: ...

    @property
    def device_id(self) -> str: ...

    @property
    def audio_busy(self) -> bool:
        """Something is spoken or heard: the formats cannot change now."""
        ...

    def attach(self, send: Callable[[Message | AudioFrame], None]) -> None:
        """Give the session its link's outgoing side: ordered, never waits."""
        ...

    def detach(self) -> None:
        """The link is gone."""
        ...

    def update(self, hello: ClientHello, agreement: Agreement) -> None: ...

    def chat(self, message: Chat) -> None: ...

    async def listen(self, message: Listen) -> None:
        """Returns when what was sent before has been heard."""
        ...

    def abort(self, message: Abort) -> None: ...

    def played(self, message: Played) -> None: ...

    def audio(self, frame: AudioFrame) -> Awaitable[None] | None:
        """An empty frame is the end of audio: its result is to be awaited."""
        ...

    def push(self, text: str, *, kind: str, notice_id: str, due_at: float) -> bool:
        """Say something of our own accord. False: it could not be delivered."""
        ...

    async def run(self) -> None:
        """Live until closed."""
        ...

    async def close(self, reason: str) -> None:
        """End the turn and give everything back; may be called more than once."""
        ...


SessionFactory = Callable[[str, str, Agreement, ClientHello], SessionLike]
"""session id, device id, what was agreed, the hello."""

HangUp = Callable[[int, str], None]
"""Close the session's link with this code and reason."""


class SessionManager:
    """All sessions of this server. Used as `async with`; leaving it closes every session and waits for them."""

    def __init__(self, factory: SessionFactory, *, max_sessions: int) -> None:
        self._factory = factory
        self._max_sessions = max_sessions
        self._sessions: dict[str, SessionLike] = {}
        self._by_device: dict[str, list[SessionLike]] = {}
        self._tasks = Background()
        self._log = logger(Subject.SESSION)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for session_id in list(self._sessions):
                await self.close(session_id, "server going away")
        finally:
            await self._tasks.__aexit__(kind, error, trace)

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, session_id: str) -> SessionLike | None:
        return self._sessions.get(session_id)

    def of_device(self, device_id: str) -> Sequence[SessionLike]:
        """The device's sessions, newest first."""
        return tuple(reversed(self._by_device.get(device_id, ())))

    def check_room(self) -> None:
        """Raise `Overloaded` when there are as many sessions as there may be."""
        if len(self._sessions) >= self._max_sessions:
            raise Overloaded(
                f"{self._max_sessions} sessions are all this server holds (limits.sessions); try again later",
                retry_after_s=RETRY_AFTER_S,
            )

    def open(
        self, session_id: str, device_id: str, agreement: Agreement, hello: ClientHello, hang_up: HangUp
    ) -> SessionLike:
        """Make a session and start it.

        Args:
            session_id: a new one.
            device_id: whose it is.
            agreement: of the handshake.
            hello: as it came.
            hang_up: called if the session breaks.

        Raises:
            Overloaded: there are as many as there may be.
        """
        self.check_room()
        session = self._factory(session_id, device_id, agreement, hello)
        self._sessions[session_id] = session
        self._by_device.setdefault(device_id, []).append(session)
        self._tasks.start(f"session {session_id}", self._live(session, hang_up))
        self._log.info("session opened", session=session_id, device=device_id)
        return session

    async def close(self, session_id: str, reason: str) -> None:
        """End a session; an unknown id is no mistake (it may just have ended)."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        siblings = self._by_device[session.device_id]
        siblings.remove(session)
        if not siblings:
            del self._by_device[session.device_id]
        await session.close(reason)
        self._log.info("session closed", session=session_id, reason=reason)

    def push(self, device_id: str, text: str, *, kind: str, notice_id: str, due_at: float) -> bool:
        """Say something on a device, on the newest of its sessions that can. False: on none."""
        sessions = self.of_device(device_id)
        return any(session.push(text, kind=kind, notice_id=notice_id, due_at=due_at) for session in sessions)

    async def _live(self, session: SessionLike, hang_up: HangUp) -> None:
        """Run a session. One that breaks takes its own link with it, and no other."""
        try:
            await session.run()
        except Exception:  # noqa: BLE001 - the guard of a session; the log has it, the client gets 1011
            logger(Subject.ERROR).exception("session broke", session=session.id, device=session.device_id)
            hang_up(CloseCode.INTERNAL, "internal error")
