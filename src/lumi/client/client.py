"""`lumi.connect()`: a conversation with a Lumi server, in a few lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from msgspec import UNSET

from lumi.audio.format import AudioFormat, Codec
from lumi.client.broadcast import Broadcast, Subscription
from lumi.client.connection_service import ConnectionService, Connector, connect_websocket
from lumi.client.device_info import describe_device
from lumi.client.device_info import device_id as installation_id
from lumi.client.downlink import Downlink
from lumi.client.events import Audio, Event, Incoming
from lumi.client.handshake import (
    HANDSHAKE_TIMEOUT_S,
    HandshakeService,
    Profile,
    closed_error,
    new_id,
)
from lumi.client.message_pipeline import MessagePipeline
from lumi.client.pending_replies import PendingReplies
from lumi.client.spoken_reply import SpokenReply, ask
from lumi.client.state_machine import ConnectionState
from lumi.client.voice_sender import VoiceSender
from lumi.errors import ConnectionLost, OpusUnavailable, ReplyTimeout
from lumi.protocol.handshake import HandshakeResult, audio_format
from lumi.protocol.messages import (
    Abort,
    AudioFrame,
    AudioParams,
    Chat,
    ClientMessage,
    Error,
    Features,
    Listen,
    Played,
    Response,
    ServerHello,
    ServerInfo,
    Tts,
    TtsState,
)

Mode = Literal["auto", "manual", "realtime"]

DEFAULT_FEATURES = Features(emotion=True, turns=True, notify=True)
"""What an application meets without asking: no partial transcripts, no deltas, every message whole."""

REPLY_TIMEOUT_S = 60.0
CLOSE_REASON = "client closed"


class Client:
    """One conversation; made by `connect()`. All methods belong to one event loop."""

    def __init__(
        self, service: ConnectionService, profile: Profile, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._profile = profile
        self._wall_clock = wall_clock
        self._events: Broadcast[Event] = Broadcast(may_drop=is_sound)
        self._pending = PendingReplies()
        self._voice = VoiceSender(service, profile.audio)
        self._downlink: Downlink | None = None
        self._turn_id: str | None = None
        self._greeting: HandshakeResult | None = None
        self.pipeline = self._build_pipeline()

    # ── who we talk to ───────────────────────────────────────────────────────────────────────────────────────────────

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
        return ServerInfo(
            version=self._greeting.server_version, capabilities=tuple(self._greeting.capabilities)
        )

    @property
    def device_id(self) -> str:
        """The identity the server knows us by."""
        known = self._greeting.device_id if self._greeting else None
        return known or self._profile.device_id or ""

    @property
    def features(self) -> Features:
        """Those granted."""
        return self._greeting.features if self._greeting else Features()

    def states(self) -> Subscription[ConnectionState]:
        """Every change of state from now on."""
        return self._service.states()

    def events(self) -> Subscription[Event]:
        """All messages and sound from now on, for `async for`; any number of listeners, each with a queue of its own.

        The stream ends when the connection is closed in an orderly way, and raises `ConnectionLost` when it breaks.
        A listener that falls behind loses its oldest sound first (`missed` counts), and is cut off with `Overloaded`
        when 512 messages wait.
        """
        return self._events.subscribe()

    # ── conversation ─────────────────────────────────────────────────────────────────────────────────────────────────

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
        with self._pending.expect(message.id, on_delta) as answer:
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
        await self._service.disconnect(reason=CLOSE_REASON)

    # ── the way in ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self, url: str, headers: Mapping[str, str], *, handshake_timeout_s: float) -> None:
        """Connect and shake hands (done by `connect()`)."""
        await self._service.connect(url, headers)
        self._greeting = await HandshakeService(self._service, timeout_s=handshake_timeout_s).perform(
            self._profile
        )

    async def run(self, incoming: Subscription[Incoming]) -> None:
        """Process what comes until the line closes (a task of `connect()`)."""
        closed = await self.pipeline.run(incoming)
        error = closed_error(closed) if closed is not None else ConnectionLost(1000, CLOSE_REASON)
        self._pending.fail_all(error)
        self._events.close(None if closed is None or closed.orderly else error)

    def _build_pipeline(self) -> MessagePipeline:
        pipeline = MessagePipeline(self._events.publish, parse=self._parse_audio)
        pipeline.add_step(ServerHello, self._on_hello)
        pipeline.add_step(Response, self._pending.answered)
        pipeline.add_step(Error, self._pending.failed)
        pipeline.add_step(Tts, self._on_tts)
        return pipeline

    def _parse_audio(self, frame: AudioFrame) -> Audio:
        if self._downlink is None:
            return Audio(frame.payload, turn_id=self._turn_id)
        return self._downlink.decode(frame, self._turn_id)

    async def _on_hello(self, hello: ServerHello) -> ServerHello:
        self._downlink = Downlink(audio_format(hello.audio_params or AudioParams()))
        return hello

    async def _on_tts(self, tts: Tts) -> Tts:
        if tts.state is TtsState.START:
            self._turn_id = tts.turn_id if isinstance(tts.turn_id, str) else None
            if self._downlink is not None:
                self._downlink.reset()
        return tts


def is_sound(event: Event) -> bool:
    """What an application that lags may lose."""
    return isinstance(event, Audio)


def utc_text(unix_s: float) -> str:
    """ISO-8601 UTC with a Z, as the founding document writes it."""
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def best_audio() -> AudioFormat:
    """Opus where this machine has it, else PCM: a conversation needs no codec."""
    try:
        from lumi.audio.libopus import load_library

        load_library()
    except OpusUnavailable:
        return AudioFormat(Codec.PCM)
    return AudioFormat()


@asynccontextmanager
async def connect(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    device_id: str | None = None,
    audio: AudioFormat | None = None,
    features: Features = DEFAULT_FEATURES,
    token: str | None = None,
    handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S,
    connector: Connector = connect_websocket,
) -> AsyncIterator[Client]:
    """Connect to a Lumi server: `async with lumi.connect("ws://127.0.0.1:8000/") as client: …`

    Args:
        url: `ws://` or `wss://`; any path.
        headers: sent with the upgrade request.
        device_id: the identity timers and lists belong to; one kept for this installation if not given.
        audio: what this client sends and wants to hear; Opus 16 kHz 60 ms, or PCM where there is no Opus.
        features: what is asked for beyond the plain protocol.
        token: sent as `Authorization: Bearer …`.
        handshake_timeout_s: how long the server may take to answer hello.
        connector: opens the link; for other transports and for tests.

    Raises:
        ConnectFailed: no connection came about.
        ConnectionRefused: the server will not have us.
        HandshakeError: the hello exchange went wrong (`HandshakeTimeout`, `MissingSessionId`).
    """
    profile = Profile(device_id or installation_id(), describe_device(), audio or best_audio(), features)
    sent = dict(headers or {})
    if token:
        sent["Authorization"] = f"Bearer {token}"
    async with ConnectionService(connector) as service:
        client = Client(service, profile)
        service.scope.start(client.run(service.messages()), name="client-pipeline")
        await client.open(url, sent, handshake_timeout_s=handshake_timeout_s)
        yield client
