"""Who is here: makes sessions, finds them, and sees each to its end.

Every session's task lives in one task group, so that none outlives the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from lumi.errors import Overloaded, RateLimited, StoreError
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import (
    Abort,
    Ack,
    AudioFrame,
    Chat,
    ClientHello,
    ClientIot,
    CloseCode,
    Listen,
    Mcp,
    Message,
    Played,
)
from lumi.server.background import Background
from lumi.server.log import Subject, logger
from lumi.server.visitors import Visitors
from lumi.store.base import SessionRecord, Store

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

    @property
    def kept(self) -> bool:
        """Its client asked to find it again after its connection broke."""
        ...

    def can_resume(self, received: int) -> bool:
        """Nothing after event `received` is missing."""
        ...

    def replay(self, received: int) -> None:
        """Say again what came after event `received`."""
        ...

    async def restore(self, record: SessionRecord) -> None:
        """Take up what was stored of it."""
        ...

    async def touch(self) -> None:
        """Note in the store that its client is here."""
        ...

    async def acknowledge(self, message: Ack) -> None: ...

    async def forget(self) -> None:
        """Take it out of the store: its client will not come back."""
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

    def farewell(self) -> bool:
        """Say goodbye aloud. False: nobody would hear it."""
        ...

    @property
    def speaking(self) -> bool:
        """An answer is on its way or being spoken."""
        ...

    def mcp(self, message: Mcp) -> None: ...

    def iot(self, message: ClientIot) -> None: ...

    async def push(self, text: str, *, kind: str, notice_id: str, due_at: float, code: str = "") -> bool:
        """Say something of our own accord; `code` lets a stranger in. False: it could not be delivered."""
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

LONGEST_BETWEEN_SWEEPS_S = 60.0


@dataclass(slots=True)
class Entry:
    """A session and its present link."""

    session: SessionLike
    hang_up: HangUp | None
    left_at: float | None = None
    """When its link was lost, in the loop's seconds."""
    since: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    """When it was made."""


class SessionManager:
    """All sessions of this server. Used as `async with`; leaving it closes every session and waits for them.

    A session whose client asked for it outlives its link by `resume_s`, and this server by what the store keeps.
    `visitors` are the devices that had one.
    """

    def __init__(
        self,
        factory: SessionFactory,
        store: Store,
        wall_clock: Callable[[], float],
        *,
        max_sessions: int,
        max_of_device: int = 16,
        resume_s: float = 600.0,
    ) -> None:
        self._factory = factory
        self._store = store
        self._wall_clock = wall_clock
        self._max_sessions = max_sessions
        self._max_of_device = max_of_device
        self._resume_s = resume_s
        self._entries: dict[str, Entry] = {}
        self._by_device: dict[str, list[SessionLike]] = {}
        self.visitors = Visitors()
        self._restoring: dict[str, asyncio.Event] = {}
        self._tasks = Background()
        self._log = logger(Subject.SESSION)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for session_id in list(self._entries):
                await self._touch(self._entries[session_id])
                await self.close(session_id, "server going away")
        finally:
            await self._tasks.__aexit__(kind, error, trace)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """All, the oldest first."""
        return iter(self._entries.values())

    def get(self, session_id: str) -> SessionLike | None:
        entry = self._entries.get(session_id)
        return None if entry is None else entry.session

    def of_device(self, device_id: str) -> Sequence[SessionLike]:
        """The device's sessions, newest first."""
        return tuple(reversed(self._by_device.get(device_id, ())))

    def check_room(self, device_id: str) -> None:
        """See that one more session may be made for the device.

        Raises:
            Overloaded: there are as many as there may be.
            RateLimited: the device has as many as one may have.
        """
        if len(self._entries) >= self._max_sessions:
            raise Overloaded(
                f"{self._max_sessions} sessions are all this server holds (limits.sessions); try again later",
                retry_after_s=RETRY_AFTER_S,
            )
        if len(self._by_device.get(device_id, ())) >= self._max_of_device:
            raise RateLimited(
                f"this device has {self._max_of_device} sessions already (limits.device_sessions); try again later",
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
            hang_up: called if the session breaks, or if its client comes back over another link.

        Raises:
            Overloaded: there are as many as there may be.
        """
        self.check_room(device_id)
        session = self._factory(session_id, device_id, agreement, hello)
        self._entries[session_id] = entry = Entry(session, hang_up)
        self._by_device.setdefault(device_id, []).append(session)
        self.visitors.note(device_id)
        self._tasks.start(f"session {session_id}", self._live(entry))
        self._log.info("session opened", session=session_id, device=device_id)
        return session

    async def resume(
        self, device_id: str, agreement: Agreement, hello: ClientHello, hang_up: HangUp
    ) -> SessionLike | None:
        """The session that a hello asks for, here or in the store; its old link is closed. None: start a new one."""
        wanted = hello.resume
        if wanted is None or not agreement.features.resume:
            return None
        while (restoring := self._restoring.get(wanted.session_id)) is not None:
            await restoring.wait()  # its client came back over another line before this one
        if wanted.session_id not in self._entries:
            await self._restore(wanted.session_id, device_id, agreement, hello, hang_up)
        entry = self._entries.get(wanted.session_id)
        if entry is None or entry.session.device_id != device_id:
            return None
        if not entry.session.can_resume(wanted.received):
            if entry.hang_up == hang_up:  # just restored, and of no use
                await self.close(wanted.session_id, "cannot be resumed")
            return None
        if (former := entry.hang_up) is not None and former != hang_up:
            entry.session.detach()
            former(CloseCode.REPLACED, "replaced by a newer connection")
        entry.hang_up, entry.left_at = hang_up, None
        self._log.info("session resumed", session=wanted.session_id, device=device_id)
        return entry.session

    async def part(self, session_id: str, hang_up: HangUp, reason: str, *, for_good: bool) -> None:
        """A link has ended. Its session stays for a while where its client may come back, else it ends too."""
        entry = self._entries.get(session_id)
        if entry is None or entry.hang_up != hang_up:
            return  # gone already, or taken over by a newer link
        entry.session.detach()
        if entry.session.kept and not for_good:
            entry.hang_up, entry.left_at = None, asyncio.get_running_loop().time()
            await self._touch(entry)
            return
        if entry.session.kept:
            await entry.session.forget()
        await self.close(session_id, reason)

    async def close(self, session_id: str, reason: str) -> None:
        """End a session; an unknown id is no mistake (it may just have ended)."""
        entry = self._entries.pop(session_id, None)
        if entry is None:
            return
        session = entry.session
        siblings = self._by_device[session.device_id]
        siblings.remove(session)
        if not siblings:
            del self._by_device[session.device_id]
        await session.close(reason)
        self._log.info("session closed", session=session_id, reason=reason)

    def dismiss(self, device_id: str, code: int, reason: str) -> None:
        """Hang up on a device, on all its sessions."""
        for entry in [entry for entry in self._entries.values() if entry.session.device_id == device_id]:
            if entry.hang_up is not None:
                entry.hang_up(code, reason)

    async def sweep(self) -> None:
        """For ever: note who is here, and end what nobody came back to, here and in the store."""
        while True:
            await asyncio.sleep(min(LONGEST_BETWEEN_SWEEPS_S, self._resume_s / 4))
            latest = asyncio.get_running_loop().time() - self._resume_s
            for session_id, entry in list(self._entries.items()):
                if entry.left_at is None:
                    await self._touch(entry)
                elif entry.left_at <= latest:
                    await entry.session.forget()
                    await self.close(session_id, "nobody came back")
            await self._forget_stored()

    async def push(self, device_id: str, text: str, *, kind: str, notice_id: str, due_at: float) -> bool:
        """Say something on a device, on the newest of its sessions that can. False: on none."""
        for session in self.of_device(device_id):
            if await session.push(text, kind=kind, notice_id=notice_id, due_at=due_at):
                return True
        return False

    async def _restore(
        self, session_id: str, device_id: str, agreement: Agreement, hello: ClientHello, hang_up: HangUp
    ) -> None:
        """Take a session up from the store, if it is there, this device's, and not too old."""
        done = self._restoring[session_id] = asyncio.Event()
        try:
            record = await self._store.sessions.load(device_id, session_id)
            expired = record is None or record.seen_at < self._wall_clock() - self._resume_s
            if record is None or expired:
                return
            session = self.open(session_id, device_id, agreement, hello, hang_up)
            await session.restore(record)
        except StoreError as error:
            self._log.warning("session not restored", session=session_id, error=str(error))
            await self.close(session_id, "not restored")
        finally:
            del self._restoring[session_id]
            done.set()

    async def _touch(self, entry: Entry) -> None:
        if entry.session.kept:
            await entry.session.touch()

    async def _forget_stored(self) -> None:
        """What no server has seen a client of for too long."""
        before = self._wall_clock() - self._resume_s - 2 * LONGEST_BETWEEN_SWEEPS_S
        try:
            for session_id in await self._store.sessions.expired(before):
                await self._store.sessions.delete(session_id, seen_before=before)
        except StoreError as error:
            self._log.warning("old sessions stay", error=str(error))

    async def _live(self, entry: Entry) -> None:
        """Run a session. One that breaks takes its own link with it, and no other."""
        session = entry.session
        try:
            await session.run()
        except Exception:  # noqa: BLE001 - the guard of a session; the log has it, the client gets 1011
            logger(Subject.ERROR).exception("session broke", session=session.id, device=session.device_id)
            if entry.hang_up is not None:
                entry.hang_up(CloseCode.INTERNAL, "internal error")
