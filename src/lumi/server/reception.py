"""Where devices wait that nobody has let in yet: sessions of their own that know one sentence, and bounded in number.

Nothing of the household's is near them: no recogniser, no model, no store, no timers; and whatever name they go by, their
session has another, so that nobody's notices reach them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from msgspec import structs

from lumi.errors import Overloaded, ProtocolError, RateLimited
from lumi.protocol.dialect import Dialect
from lumi.protocol.handshake import Agreement
from lumi.protocol.messages import (
    Abort,
    Alert,
    AudioFrame,
    ClientHello,
    CloseCode,
    ErrorCode,
    Listen,
    Message,
)
from lumi.server.answers import AnswerDesk
from lumi.server.audit import AuditLog
from lumi.server.auth import REFUSALS, Doorkeeper, Verdict, crowded
from lumi.server.fair_share import find_place
from lumi.server.generations import Generation, Generations
from lumi.server.guest import Guest, GuestLlm, GuestStt, GuestTts, code_in, described, put_off, words
from lumi.server.identity import bare_token, device_name
from lumi.server.kit import Kit
from lumi.server.line import Line
from lumi.server.registry import DeviceRegistry
from lumi.server.services import Services
from lumi.server.session import Session
from lumi.server.session_manager import SessionLike, SessionManager
from lumi.store.memory import MemoryStore
from lumi.transport.base import LinkInfo

MOST_GUESTS = 32
GUESTS_SHARE = 8
"""Who may wait here, in all and from one address."""

RETRY_AFTER_S = 60.0


class Reception:
    """Used as `async with`, as the session manager that it holds.

    Args:
        doorkeeper: judges again when a hello has come.
        registry: knows who was let in meanwhile.
        services: what sessions are made from; guests get voice and sound of it.
        audit: where refusals are noted.
        wall_clock: UNIX seconds.
    """

    def __init__(
        self,
        doorkeeper: Doorkeeper,
        registry: DeviceRegistry,
        services: Services,
        audit: AuditLog,
        wall_clock: Callable[[], float],
    ) -> None:
        self._doorkeeper = doorkeeper
        self._registry = registry
        self._services = services
        self._audit = audit
        self._wall_clock = wall_clock
        self._coming: dict[str, Guest] = {}  # between `open` and the session's making
        self._waiting: dict[str, LinkInfo] = {}  # by their sessions' names; who has to go is in it no more
        self.sessions = SessionManager(self._make, MemoryStore(), wall_clock, max_sessions=2 * MOST_GUESTS)

    async def __aenter__(self) -> Self:
        await self.sessions.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.sessions.__aexit__(kind, error, trace)

    def greet(self, line: Line, hello: ClientHello, new_id: Callable[[], str]) -> str | None:
        """Who a hello comes from; its line gets a guest if nobody has let it in yet.

        Raises:
            ProtocolError: this device may not come in.
        """
        info = line.link.info
        if line.admission is None:  # it came by no door
            return device_name(info, hello.device_id)
        found = self._doorkeeper.greet(info, line.admission, hello.device_id, bare_token(hello.token or ""))
        if found.verdict is Verdict.PAIRING:
            bare = structs.replace(hello, token=None)
            line.guest = Guest(found.device_id or new_id(), found.client_id, bare, info.remote)
            return line.guest.device_id
        if found.verdict is not Verdict.WELCOME:
            self._audit.refused(found.verdict, info, found.device_id)
            _, why = REFUSALS.get(found.verdict, REFUSALS[Verdict.NO_TOKEN])
            raise ProtocolError(ErrorCode.UNAUTHORIZED, why)
        if found.device_id is not None:
            self._registry.note_here(found.device_id, described(hello)["name"])
        return found.device_id

    def open(self, session_id: str, line: Line, agreement: Agreement) -> SessionLike:
        """Begin the session of a line's guest.

        Raises:
            RateLimited: too many wait from this address.
            Overloaded: too many do in all.
        """
        guest, name = guest_of(line), f"guest {session_id}"
        self._make_room(guest.address)
        self._coming[name] = guest
        try:
            toolless = replace(agreement, features=structs.replace(agreement.features, mcp=False))
            session = self.sessions.open(session_id, name, toolless, guest.hello, line.part)
        finally:
            del self._coming[name]
        self._waiting[name] = line.link.info
        return session

    def _make_room(self, address: str) -> None:
        """For one more guest. Who has to go for it is hung up on, and its client comes back later."""
        self._waiting = {name: info for name, info in self._waiting.items() if self.sessions.of_device(name)}
        taken = {name: info.remote for name, info in self._waiting.items()}
        gone = find_place(taken, address, most=MOST_GUESTS, share=GUESTS_SHARE, retry_s=RETRY_AFTER_S)
        if gone is not None:
            self._audit.refused(Verdict.CROWDED, self._waiting.pop(gone))
            self.sessions.dismiss(gone, CloseCode.TRY_LATER, "others wait to be let in, too")

    async def welcome(self, line: Line, session: SessionLike, agreement: Agreement) -> None:
        """Say what is to be done: shown at once where the device can show it, spoken where it may be spoken to."""
        guest = guest_of(line)
        locale = guest.hello.device_info.locale if guest.hello.device_info else None
        language = locale or self._services.settings("").language
        try:
            text = await GuestLlm(self._registry, guest).news(language)
        except Overloaded as refusal:
            text = put_off(refusal, language)
            self._no_code(line, guest, refusal)
        line.send(
            Alert(status=words(language)["title"], message=text, emotion="neutral", session_id=session.id)
        )
        if agreement.dialect is Dialect.LUMI:
            now = self._wall_clock()
            await session.push(text, kind="push", notice_id=session.id, due_at=now, code=code_in(text))

    def _no_code(self, line: Line, guest: Guest, refusal: Overloaded) -> None:
        """A guest gets no code now: it is told when to ask again, and may stay, for it gets one then."""
        code = ErrorCode.RATE_LIMITED if isinstance(refusal, RateLimited) else ErrorCode.OVERLOADED
        line.send_error(ProtocolError(code, str(refusal)), retry_after_s=refusal.retry_after_s)
        self._audit.refused(crowded(refusal), line.link.info, guest.device_id)

    async def let_in(
        self, line: Line, former: SessionLike, event: Message | AudioFrame, sessions: SessionManager
    ) -> SessionLike:
        """The session that a guest's message is for: one of the household's as soon as somebody has let it in."""
        guest, agreement = line.guest, line.connection.agreement
        if guest is None or agreement is None:
            return former
        if not self._registry.is_paired(guest.device_id, guest.client_id):
            guest.heard(event)
            return former
        session = sessions.open(former.id, guest.device_id, agreement, guest.hello, line.part)
        former.abort(Abort(reason="let in"))
        await self.sessions.close(former.id, "let in")
        line.guest, line.session = None, session
        session.attach(line.send)
        if guest.listening is not None and not isinstance(event, Listen):
            await session.listen(guest.listening)
        return session

    def _make(self, session_id: str, name: str, agreement: Agreement, hello: ClientHello) -> Session:
        store = MemoryStore()
        llm = GuestLlm(self._registry, self._coming[name])

        def kit_of(_: str) -> Kit:
            """Made from nothing, so that whatever a kit will hold one day, a guest has none of it."""
            ours = self._services.generations.kit("")
            spelling = f"{ours.voice_key or ours.tts.name} spelling"  # what it says is not what is written
            return Kit(GuestStt(), llm, GuestTts(ours.tts), ours.settings, voice_key=spelling)

        services = replace(
            self._services,
            generations=Generations(Generation(kit_of)),
            vision=lambda _device_id, _base_url: None,
            store=store,
            answers=AnswerDesk(store.answers, self._wall_clock),
        )
        return Session(session_id, name, agreement, hello, services)


def without_reception(line: Line, hello: ClientHello) -> str | None:
    """Who a hello comes from where nobody judges hellos.

    Raises:
        ProtocolError: the request was judged, and was not welcome.
    """
    if line.admission is not None and line.admission.verdict is not Verdict.WELCOME:
        raise ProtocolError(ErrorCode.UNAUTHORIZED, REFUSALS[Verdict.NO_TOKEN][1])
    return device_name(line.link.info, hello.device_id)


def guest_of(line: Line) -> Guest:
    """The one whom `Reception.greet` has put there."""
    assert line.guest is not None
    return line.guest


def without_resume(agreement: Agreement) -> Agreement:
    """A guest has nothing to come back to."""
    return replace(agreement, features=structs.replace(agreement.features, resume=False))
