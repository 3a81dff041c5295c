"""One link's life: hello, messages, end. The thin I/O around `protocol.Connection`.

Two tasks per link: this one reads, `LinkWriter.run` writes. The hello's answer is the first frame of all, within
milliseconds: making a session is cheap, and everything slow happens after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from msgspec import structs

from lumi.errors import ConnectionLost, Overloaded, ProtocolError
from lumi.protocol.client_profiles import BUILT_IN, Clients, idle_times
from lumi.protocol.connection import Connection, Limits, Role
from lumi.protocol.handshake import Agreement, answer, negotiate
from lumi.protocol.messages import (
    AudioFrame,
    ClientHello,
    CloseCode,
    ErrorCode,
    Fault,
    Features,
    Message,
    ServerHello,
)
from lumi.server.audit import AuditLog
from lumi.server.auth import Admission
from lumi.server.limits import Rates
from lumi.server.line import Line
from lumi.server.lines import Lines
from lumi.server.log import Subject, logger
from lumi.server.message_router import MessageRouter
from lumi.server.metrics import Metrics
from lumi.server.reception import Reception, without_reception, without_resume
from lumi.server.recorder import Recorder
from lumi.server.refusing import made_no_sense, put_off, refuse, too_much
from lumi.server.session_manager import SessionLike, SessionManager
from lumi.transport.base import Link

OFFERED = Features(
    stream=True,
    partials=True,
    emotion=True,
    sentence_end=True,
    turns=True,
    played=True,
    notify=True,
    metrics=True,
    cards=True,
    resume=True,
    mcp=True,
)
"""What this server grants to whoever asks. `aec` is not: echoes are the device's own business."""

LONGEST_PAUSE_S = 0.5
"""Who sends too much is read the more slowly: its frames wait in its own socket, and cost the server nothing."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Bounds of one link; durations in seconds."""

    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    clients: Clients = BUILT_IN
    outgoing_frames: int = 1024
    hello_s: float = 10.0
    idle_s: float = 600.0
    server_version: str = "unknown"


class Gateway:
    """Serves links. `sweep` is its one housekeeping task, for all of them."""

    def __init__(
        self,
        sessions: SessionManager,
        metrics: Metrics,
        settings: GatewaySettings,
        *,
        wall_clock: Callable[[], float],
        new_id: Callable[[], str] = lambda: str(uuid4()),
        reception: Reception | None = None,
        recorder: Recorder | None = None,
        audit: AuditLog | None = None,
    ) -> None:
        self._sessions = sessions
        self._metrics = metrics
        self._settings = settings
        self._wall_clock = wall_clock
        self._new_id = new_id
        self._reception = reception
        self._recorder = recorder
        self._audit = audit or AuditLog(metrics, wall_clock)
        self._router = MessageRouter()
        self._clients = settings.clients
        self._lines = Lines(settings.idle_s, idle_times(settings.clients))
        self._log = logger(Subject.WEBSOCKET)

    def __len__(self) -> int:
        """Links now."""
        return len(self._lines)

    def renew(self, clients: Clients) -> None:
        """From the next hello on, clients are served by this table."""
        self._clients = clients
        self._lines.renew(idle_times(clients))

    async def serve(self, link: Link, admission: Admission | None = None) -> None:
        """Live through one link; returns when it is closed. Never raises for what a peer does.

        Args:
            link: a new one.
            admission: the verdict on its request; None: whoever hands the link over answers for it.
        """
        line = self._line(link, admission)
        self._lines.add(line)
        self._metrics.connections.inc()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(line), name="link writer")
                await self._read(line)
        finally:
            await self._end(line)

    async def refuse(self, link: Link, why: str) -> None:
        """Tell a browser, which cannot read an HTTP status, why it may not come in."""
        line = self._line(link, None)
        line.send_error(ProtocolError(ErrorCode.UNAUTHORIZED, why))
        line.hang_up(CloseCode.UNAUTHORIZED, "unauthorized")
        await self._write(line)

    async def sweep(self) -> None:
        """For ever: hang up on clients that have been silent too long, after a spoken goodbye where it is heard."""
        await self._lines.sweep()

    async def drain(self, within_s: float) -> None:
        """Say goodbye to everyone, and return when all links are closed, after `within_s` at the latest."""
        await self._lines.drain(within_s)

    def _line(self, link: Link, admission: Admission | None) -> Line:
        settings = self._settings
        connection = Connection(
            Role.SERVER,
            limits=settings.limits,
            wall_clock=self._wall_clock,
        )
        return Line(
            link,
            connection,
            self._metrics,
            max_frames=settings.outgoing_frames,
            rates=settings.rates,
            admission=admission,
        )

    async def _end(self, line: Line) -> None:
        self._lines.discard(line)
        line.connection.closed()
        code, reason = line.writer.finishing or (CloseCode.INTERNAL, "cancelled")
        self._metrics.closed.labels(str(code)).inc()
        line.ended(code, reason)
        self._log.info("closed", remote=line.link.info.remote, code=code, reason=reason)
        if line.session is not None:
            guests = None if line.guest is None else self._reception
            manager = self._sessions if guests is None else guests.sessions
            await manager.part(
                line.session.id, line.part, reason or "link closed", for_good=line.said_goodbye
            )

    async def _write(self, line: Line) -> None:
        """Run the link's writer. A message that our own side may not send is our mistake: 1011."""
        try:
            await line.writer.run()
        except ConnectionLost as lost:
            self._log.debug("writing ended", remote=line.link.info.remote, code=lost.code)
        except Exception:  # noqa: BLE001 - half of the guard of a connection: said in the log, and to the client by 1011
            logger(Subject.ERROR).exception("writing failed", remote=line.link.info.remote)
            line.hang_up(CloseCode.INTERNAL, "internal error")
            await line.link.close(CloseCode.INTERNAL, "internal error")

    async def _read(self, line: Line) -> None:
        try:
            async with asyncio.timeout(self._settings.hello_s) as deadline:
                while not line.closing:
                    await line.breathe()
                    data = await line.link.receive()
                    if (wait_s := line.heard(data)) > 0.0:
                        self._metrics.unwelcome.inc()
                        too_much(line, data, wait_s, self._audit)
                        await asyncio.sleep(min(wait_s, LONGEST_PAUSE_S))
                        continue
                    for event in line.connection.receive(data):
                        await self._take(line, event)
                    if line.session is not None:
                        deadline.reschedule(None)
        except ConnectionLost as lost:
            line.hang_up(lost.code, lost.reason, within_s=0.0)
        except TimeoutError:
            line.hang_up(CloseCode.NO_HELLO, f"no hello within {self._settings.hello_s:g} s")

    async def _take(self, line: Line, event: Message | AudioFrame | Fault) -> None:
        """Let one event take effect. What goes wrong costs its sender this message, not the connection."""
        try:
            await self._dispatch(line, event)
        except ProtocolError as error:
            refuse(line, event, error)
        except Overloaded as error:
            put_off(line, event, error, self._audit)
        except Exception:  # noqa: BLE001 - the guard of a connection: the traceback is logged, the client told
            logger(Subject.ERROR).exception(
                "message failed", type=type(event).__name__, remote=line.link.info.remote
            )
            problem = "the server made a mistake with this message; its log has the details"
            refuse(line, event, ProtocolError(ErrorCode.INTERNAL, problem))

    async def _dispatch(self, line: Line, event: Message | AudioFrame | Fault) -> None:
        session = line.session
        if isinstance(event, AudioFrame):
            self._metrics.frames_in.inc()
        if isinstance(event, Fault):
            made_no_sense(line, event)
        elif isinstance(event, ClientHello):
            await self._hello(line, event)
            await asyncio.sleep(0)  # a new session runs before it gets what came with the hello
        elif session is None:
            raise ProtocolError(ErrorCode.NOT_READY, "say hello first")
        else:
            if line.guest is not None and self._reception is not None:
                session = await self._reception.let_in(line, session, event, self._sessions)
            await self._router.route(session, line, event)

    async def _hello(self, line: Line, hello: ClientHello) -> None:
        """Answer a hello: the first makes or resumes the session, a later one changes what was agreed."""
        connection, session = line.connection, line.session
        agreement = negotiate(
            hello,
            headers=line.link.info.headers,
            query=line.link.info.query,
            offered=OFFERED,
            previous=connection.agreement,
            audio_busy=session is not None and session.audio_busy,
            clients=self._clients,
        )
        if session is not None:
            line.agreed(agreement)
            reply = self._answer(hello, agreement, line, session, resumed=False)
            line.send(connection.accept(hello, reply, agreement))
            session.update(hello, agreement)
            return
        line.device_id = device_id = self._name(line, hello)
        hello = structs.replace(hello, token=None)  # from here on it is nobody's business
        if line.guest is not None and self._reception is not None:
            await self._receive(self._reception, line, hello, without_resume(agreement))
            return
        resumed = await self._sessions.resume(device_id, agreement, hello, line.part)
        session = resumed or self._sessions.open(self._new_id(), device_id, agreement, hello, line.part)
        line.record(self._recorder, session, hello, agreement, resumed=resumed is not None)
        reply = self._answer(hello, agreement, line, session, resumed=resumed is not None)
        line.send(connection.accept(hello, reply, agreement))
        line.session = session
        if resumed is not None and hello.resume is not None:
            session.update(hello, agreement)
            session.attach(line.send)
            session.replay(hello.resume.received)
        else:
            session.attach(line.send)

    async def _receive(
        self, reception: Reception, line: Line, hello: ClientHello, agreement: Agreement
    ) -> None:
        """Answer the hello of a guest."""
        session = line.session = reception.open(self._new_id(), line, agreement)
        reply = self._answer(hello, agreement, line, session, resumed=False)
        line.send(line.connection.accept(hello, reply, agreement))
        session.attach(line.send)
        await reception.welcome(line, session, agreement)

    def _name(self, line: Line, hello: ClientHello) -> str:
        """What the device goes by; one without a name gets one."""
        if self._reception is None:
            named = without_reception(line, hello)
        else:
            named = self._reception.greet(line, hello, self._new_id)
        return named or self._new_id()

    def _answer(
        self, hello: ClientHello, agreement: Agreement, line: Line, session: SessionLike, *, resumed: bool
    ) -> ServerHello:
        return answer(
            hello,
            agreement,
            session_id=session.id,
            device_id=line.device_id,
            server_version=self._settings.server_version,
            resumed=resumed,
        )
