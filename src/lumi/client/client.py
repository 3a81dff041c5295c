"""`lumi.connect()`: a conversation with a Lumi server, in a few lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

from msgspec import UNSET
from msgspec.structs import replace

from lumi.audio.format import AudioFormat
from lumi.client.broadcast import Subscription
from lumi.client.chat_outbox import ChatOutbox
from lumi.client.connection_service import (
    ConnectionService,
    Connector,
    connect_websocket,
    websocket_connector,
)
from lumi.client.device_info import describe_device
from lumi.client.device_info import device_id as installation_id
from lumi.client.events import Event
from lumi.client.handshake import HANDSHAKE_TIMEOUT_S, Profile, new_id, utc_text
from lumi.client.inbox import Inbox
from lumi.client.lifecycle import LifecycleManager
from lumi.client.message_pipeline import MessagePipeline
from lumi.client.network import NetworkChecker, split_url
from lumi.client.offline_queue import OfflineQueue
from lumi.client.reconnection import FOR_EVER, NEVER, ReconnectPolicy
from lumi.client.resumption import Resumption
from lumi.client.spoken_reply import SpokenReply, ask
from lumi.client.state_machine import ConnectionState, StateMachine
from lumi.client.supervisor import ConnectionSupervisor, Destination
from lumi.client.uplink import best_audio
from lumi.client.voice_notes import record_note
from lumi.client.voice_sender import VoiceSender
from lumi.errors import LumiError, ReplyTimeout
from lumi.protocol.messages import (
    Abort,
    Chat,
    ClientMessage,
    DeviceInfo,
    Features,
    Listen,
    Played,
    Response,
    ServerInfo,
)

Mode = Literal["auto", "manual", "realtime"]

DEFAULT_FEATURES = Features(emotion=True, turns=True, notify=True)
"""What an application meets without asking: no partial transcripts, no deltas, every message whole."""

REPLY_TIMEOUT_S = 60.0


class Client:
    """One conversation; made by `connect()`. All methods belong to one event loop."""

    def __init__(
        self,
        service: ConnectionService,
        supervisor: ConnectionSupervisor,
        inbox: Inbox,
        profile: Profile,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._supervisor = supervisor
        self._profile = profile
        self._wall_clock = wall_clock
        self._inbox = inbox
        self._voice = VoiceSender(service, profile.audio)

    @property
    def state(self) -> ConnectionState:
        return self._service.machine.state

    @property
    def session_id(self) -> str:
        """The session's id; empty before the first handshake. A resumed session keeps it, a new one has its own."""
        greeting = self._supervisor.greeting
        return greeting.session_id if greeting else ""

    @property
    def server_info(self) -> ServerInfo:
        """The server's version ('unknown' if it does not say) and capabilities (none if it does not say)."""
        greeting = self._supervisor.greeting
        if greeting is None:
            return ServerInfo()
        return ServerInfo(version=greeting.server_version, capabilities=greeting.capabilities)

    @property
    def device_id(self) -> str:
        """The identity the server knows us by."""
        greeting = self._supervisor.greeting
        return (greeting and greeting.device_id) or self._profile.device_id or ""

    @property
    def features(self) -> Features:
        """Those granted."""
        greeting = self._supervisor.greeting
        return greeting.features if greeting else Features()

    @property
    def pipeline(self) -> MessagePipeline:
        """Add steps of your own: `client.pipeline.add_step(Response, step)`."""
        return self._inbox.pipeline

    @property
    def retry_in_s(self) -> float | None:
        """Seconds until the next try to connect, for a countdown; None while none is planned."""
        return self._supervisor.manager.retry_in_s

    @property
    def last_error(self) -> LumiError | None:
        """Why the last try to connect failed; None once one has succeeded."""
        return self._supervisor.manager.last_error

    @property
    def unanswered(self) -> int:
        """How many chats and notes were said and not yet answered."""
        return len(self._inbox.outbox)

    @property
    def lifecycle(self) -> LifecycleManager:
        """Tell it when the application goes to the background (`paused()`) and comes back (`resumed()`)."""
        return self._supervisor.lifecycle

    async def ready(self) -> None:
        """Wait for the first ready; done at once by `connect()` unless it was told not to wait.

        Raises:
            LumiError: it will not come: a refusal, or the tries are used up.
        """
        await self._supervisor.open()

    def reconnect_now(self) -> None:
        """Do not wait for the countdown."""
        self._supervisor.reconnect_now()

    def states(self) -> Subscription[ConnectionState]:
        """Every change of state from now on."""
        return self._service.states()

    def events(self) -> Subscription[Event]:
        """All messages and sound from now on, for `async for`; any number of listeners, each with a queue of its own.

        The stream goes on over lost lines, and no message comes twice. It ends when the client is closed, and raises
        what ended it when there will be no more tries. A client that does not reconnect: it ends when the line is
        closed in an orderly way, and raises `ConnectionLost` when it breaks.

        A listener that falls behind loses its oldest sound first (`missed` counts), and is cut off with `Overloaded`
        when 512 messages wait.
        """
        return self._inbox.events()

    async def chat(
        self,
        content: str,
        *,
        speak: bool = False,
        chat_id: str | None = None,
        timeout_s: float | None = None,
        on_delta: Callable[[str], None] | None = None,
    ) -> Response:
        """Say something in text and wait for the answer: one, over any number of lost lines.

        Args:
            content: at most 8,000 characters.
            speak: also speak the answer; it comes as events.
            chat_id: the message's id; sent again with the same id, the same answer comes back.
            timeout_s: how long to wait; if not given, a minute, or with a queue on disk as long as it takes. Who stops
                waiting takes the message back, unless there is such a queue: then its answer will come as an event.
            on_delta: called with each piece of the answer as it is made, where `features.stream` was granted. After
                a lost line the pieces may start anew.

        Raises:
            ServerError: the server answered with an error (with a queue on disk: one that is final).
            ReplyTimeout: no answer in time.
            Overloaded, StoreError: the queue is full or the disk will not take it; nothing was sent.
            NotConnected, ConnectionLost: there is no line, and there will be none.
        """
        message = Chat(
            id=chat_id or new_id(),
            content=content,
            device_id=self.device_id or UNSET,
            timestamp=utc_text(self._wall_clock()),
            speak=speak or UNSET,
        )
        wait_s = self._inbox.outbox.patience_s if timeout_s is None else timeout_s
        try:
            async with asyncio.timeout(wait_s):
                return await self._inbox.outbox.ask(message, on_delta)
        except TimeoutError as error:
            if isinstance(error, ReplyTimeout):
                raise
            raise ReplyTimeout(f"no answer within {wait_s:g} s") from error

    async def leave_note(self, pcm: bytes, rate_hz: int, *, note_id: str | None = None) -> str:
        """Say something that may be heard later: s16le mono PCM, delivered whole as soon as there is a line.

        Returns:
            The note's id; its transcript (`Stt`) and its answer (`Response`) come as events with it.

        Raises:
            AudioError: it is too long, or there is no sound in it.
            Overloaded, StoreError: it could not be kept.
        """
        # Encoding a minute takes long enough for sound to falter.
        note = await asyncio.to_thread(record_note, note_id or new_id(), pcm, rate_hz, self._profile.audio)
        await self._inbox.outbox.keep(note)
        return note.id

    async def ask(
        self, wav: Path | str | bytes, *, rate_hz: int | None = None, timeout_s: float = REPLY_TIMEOUT_S
    ) -> SpokenReply:
        """Speak a WAV file (or PCM of `rate_hz`) to the server in real time, and collect what it says back."""
        return await ask(self, wav, rate_hz=rate_hz, timeout_s=timeout_s)

    async def listen_start(self, mode: Mode = "auto", *, listen_id: str | None = None) -> str:
        """Open the microphone: sound is heard from now on. Returns the id that the `stt` will carry."""
        message = Listen(state="start", mode=mode, id=listen_id or new_id(), session_id=self.session_id)
        await self.send(message)
        return message.id or ""

    async def listen_stop(self) -> None:
        """The user has finished: what is left of the recording goes out, and the turn begins."""
        await self._voice.finish()
        await self.send(Listen(state="stop", session_id=self.session_id))

    async def detect(self, text: str, *, source: str = "text") -> None:
        """Say something in text and have it answered in speech."""
        await self.send(Listen(state="detect", text=text, source=source, session_id=self.session_id))

    async def abort(self, reason: str | None = None) -> None:
        """End the turn at once."""
        await self.send(Abort(reason=reason, session_id=self.session_id))

    async def send_audio(self, packet: bytes) -> None:
        """Send one packet in the format that `connect()` declared, no faster than real time."""
        await self._voice.packet(packet)

    async def send_pcm(self, pcm: bytes, rate_hz: int) -> int:
        """Encode and send s16le mono PCM, no faster than real time; returns the packets sent."""
        return await self._voice.pcm(pcm, rate_hz)

    async def played(self, turn_id: str, ms: float, *, final: bool = False) -> bool:
        """Tell what of a turn was really heard; False where the server did not ask for it."""
        return await self.send(Played(turn_id=turn_id, ms=ms, final=final, session_id=self.session_id))

    async def send(self, message: ClientMessage) -> bool:
        """Send any message of the protocol; False where the server did not agree to its type."""
        return await self._service.send_message(message)

    async def close(self) -> None:
        """End the conversation; leaving the `async with` block does so too. What is queued on disk stays there."""
        await self._supervisor.close()


@asynccontextmanager
async def connect(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    device_id: str | None = None,
    device_info: DeviceInfo | None = None,
    audio: AudioFormat | None = None,
    features: Features = DEFAULT_FEATURES,
    token: str | None = None,
    ca: Path | str | None = None,
    reconnect: ReconnectPolicy | None = FOR_EVER,
    queue_path: Path | str | None = None,
    wait_ready: bool = True,
    handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
    network: NetworkChecker | None = None,
    connector: Connector = connect_websocket,
    machine: StateMachine | None = None,
    wall_clock: Callable[[], float] = time.time,
) -> AsyncIterator[Client]:
    """Connect to a Lumi server: `async with lumi.connect("ws://127.0.0.1:8000/") as client: …`

    The client comes back after every loss: it resumes its session, chats that were on their way are sent again and
    answered once, and `events()` goes on.

    Args:
        url: `ws://` or `wss://`; any path.
        headers: sent with the upgrade request.
        device_id: the identity timers and lists belong to; one kept for this installation if not given.
        device_info: what hello says of this machine, its locale and time zone; found out if not given.
        audio: what this client sends and wants to hear; Opus 16 kHz 60 ms, or PCM where there is no Opus.
        features: what is asked for beyond the plain protocol (`resume` by every client that reconnects).
        token: sent as `Authorization: Bearer …`.
        ca: a file with the certificate (PEM) of an authority to trust beside the system's, for `wss://`.
        reconnect: how often and how long to try, also the first time; None: once, and a lost line is the end.
        queue_path: a file that keeps what is unanswered, so that it survives this process too. Then `chat()` waits
            for as long as it takes, also through errors that pass.
        wait_ready: enter the block when the client is ready; False: at once, to queue while there is no line.
        handshake_timeout_s: how long the server may take to answer hello.
        network: asked before each try whether there is a network at all; by default this machine's routes and
            resolver are, unless `connector` is not the usual one.
        connector: opens the link; for other transports and for tests.
        machine: the client's state, made by whoever wants to watch it also before this block is entered.
        wall_clock: UNIX seconds, for timestamps and the queue's age limit.

    Raises:
        ConnectFailed: no connection came about (`reconnect` allows no more tries), or `url` is no address.
        ConnectionRefused: the server will not have us.
        HandshakeError: the hello exchange went wrong (`HandshakeTimeout`, `MissingSessionId`).
        StoreError: the queue's file cannot be used, or another process uses it.
        ConfigError: `ca` is no certificate.
    """
    if connector is connect_websocket:
        split_url(url)  # a mistyped address will not get better
        network = network or NetworkChecker()
        connector = websocket_connector(ca) if ca else connector
    policy = reconnect or NEVER
    profile = Profile(
        device_id or installation_id(),
        device_info or describe_device(),
        audio or best_audio(),
        replace(features, resume=True) if reconnect else features,
    )
    destination = Destination(url, bearing(headers, token))
    async with AsyncExitStack() as stack:
        kept = await stack.enter_async_context(OfflineQueue(queue_path, wall_clock=wall_clock))
        service = await stack.enter_async_context(
            ConnectionService(connector, machine=machine, network=network)
        )
        outbox = ChatOutbox(
            service.send_message,
            kept,
            patience_s=REPLY_TIMEOUT_S if queue_path is None else None,
        )
        inbox = Inbox(Resumption(), outbox)
        supervisor = ConnectionSupervisor(
            service, inbox, destination, profile, policy=policy, handshake_timeout_s=handshake_timeout_s
        )
        service.scope.start(inbox.run(service.messages(paced=True)), name="client-pipeline")
        service.scope.start(supervisor.run(), name="client-supervisor")
        stack.push_async_callback(supervisor.close)
        if wait_ready:
            await supervisor.open()
        yield Client(service, supervisor, inbox, profile, wall_clock=wall_clock)


def bearing(headers: Mapping[str, str] | None, token: str | None) -> dict[str, str]:
    """The upgrade request's headers, with the token among them."""
    return dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
