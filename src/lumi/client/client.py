"""`lumi.connect()`: a conversation with a Lumi server, in a few lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from msgspec import UNSET

from lumi.audio.format import AudioFormat
from lumi.client.broadcast import Subscription
from lumi.client.connection_service import ConnectionService, Connector, connect_websocket
from lumi.client.device_info import describe_device
from lumi.client.device_info import device_id as installation_id
from lumi.client.events import Event
from lumi.client.handshake import HANDSHAKE_TIMEOUT_S, HandshakeService, Profile, new_id, utc_text
from lumi.client.inbox import Inbox
from lumi.client.message_pipeline import MessagePipeline
from lumi.client.spoken_reply import SpokenReply, ask
from lumi.client.state_machine import ConnectionState, StateMachine
from lumi.client.uplink import best_audio
from lumi.client.voice_sender import VoiceSender
from lumi.errors import ReplyTimeout
from lumi.protocol.handshake import HandshakeResult
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
        profile: Profile,
        inbox: Inbox,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._profile = profile
        self._wall_clock = wall_clock
        self._inbox = inbox
        self._voice = VoiceSender(service, profile.audio)
        self._greeting: HandshakeResult | None = None

    @property
    def state(self) -> ConnectionState:
        return self._service.machine.state

    @property
    def session_id(self) -> str:
        """The session's id; empty before the handshake."""
        return self._greeting.session_id if self._greeting else ""

    @property
    def server_info(self) -> ServerInfo:
        """The server's version ('unknown' if it does not say) and capabilities (none if it does not say)."""
        if self._greeting is None:
            return ServerInfo()
        return ServerInfo(version=self._greeting.server_version, capabilities=self._greeting.capabilities)

    @property
    def device_id(self) -> str:
        """The identity the server knows us by."""
        known = self._greeting.device_id if self._greeting else None
        return known or self._profile.device_id or ""

    @property
    def features(self) -> Features:
        """Those granted."""
        return self._greeting.features if self._greeting else Features()

    @property
    def pipeline(self) -> MessagePipeline:
        """Add steps of your own: `client.pipeline.add_step(Response, step)`."""
        return self._inbox.pipeline

    def states(self) -> Subscription[ConnectionState]:
        """Every change of state from now on."""
        return self._service.states()

    def events(self) -> Subscription[Event]:
        """All messages and sound from now on, for `async for`; any number of listeners, each with a queue of its own.

        The stream ends when the connection is closed in an orderly way, and raises `ConnectionLost` when it breaks.
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
        timeout_s: float = REPLY_TIMEOUT_S,
        on_delta: Callable[[str], None] | None = None,
    ) -> Response:
        """Say something in text and wait for the answer.

        Args:
            content: at most 8,000 characters.
            speak: also speak the answer; it comes as events.
            chat_id: the message's id; sent again with the same id, the same answer comes back.
            timeout_s: how long to wait.
            on_delta: called with each piece of the answer as it is made, where `features.stream` was granted.

        Raises:
            ServerError: the server answered with an error.
            ReplyTimeout: no answer in time.
            NotConnected, ConnectionLost: there is no line, or it broke meanwhile.
        """
        message = Chat(
            id=chat_id or new_id(),
            content=content,
            session_id=self.session_id,
            device_id=self.device_id,
            timestamp=utc_text(self._wall_clock()),
            speak=speak or UNSET,
        )
        with self._inbox.pending.expect(message.id, on_delta) as answer:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._service.send_message(message)
                    return await answer
            except TimeoutError as error:
                raise ReplyTimeout(f"no answer within {timeout_s:g} s") from error

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
        """End the conversation; leaving the `async with` block does so too."""
        await self._service.disconnect(reason="client closed")

    async def open(self, url: str, headers: Mapping[str, str], *, handshake_timeout_s: float) -> None:
        """Connect and shake hands (done by `connect()`)."""
        await self._service.connect(url, headers)
        handshake = HandshakeService(self._service, timeout_s=handshake_timeout_s)
        self._greeting = await handshake.perform(self._profile)


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
    handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
    connector: Connector = connect_websocket,
    machine: StateMachine | None = None,
) -> AsyncIterator[Client]:
    """Connect to a Lumi server: `async with lumi.connect("ws://127.0.0.1:8000/") as client: …`

    Args:
        url: `ws://` or `wss://`; any path.
        headers: sent with the upgrade request.
        device_id: the identity timers and lists belong to; one kept for this installation if not given.
        device_info: what hello says of this machine, its locale and time zone; found out if not given.
        audio: what this client sends and wants to hear; Opus 16 kHz 60 ms, or PCM where there is no Opus.
        features: what is asked for beyond the plain protocol.
        token: sent as `Authorization: Bearer …`.
        handshake_timeout_s: how long the server may take to answer hello.
        connector: opens the link; for other transports and for tests.
        machine: the client's state, made by whoever wants to watch it also before this block is entered.

    Raises:
        ConnectFailed: no connection came about.
        ConnectionRefused: the server will not have us.
        HandshakeError: the hello exchange went wrong (`HandshakeTimeout`, `MissingSessionId`).
    """
    profile = Profile(
        device_id or installation_id(), device_info or describe_device(), audio or best_audio(), features
    )
    sent = dict(headers or {})
    if token:
        sent["Authorization"] = f"Bearer {token}"
    async with ConnectionService(connector, machine=machine) as service:
        inbox = Inbox()
        service.scope.start(inbox.run(service.messages()), name="client-pipeline")
        client = Client(service, profile, inbox)
        await client.open(url, sent, handshake_timeout_s=handshake_timeout_s)
        yield client
