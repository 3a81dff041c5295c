"""The hello exchange: what a client asks for, what a server can serve, what both go by from then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import UNSET
from msgspec.structs import asdict

from lumi.audio.format import AudioFormat, Codec
from lumi.errors import HandshakeError, ProtocolError
from lumi.protocol.client_profiles import BUILT_IN, ClientProfile, Clients, choose
from lumi.protocol.dialect import Dialect, detect
from lumi.protocol.frames import Framing, choose_framing
from lumi.protocol.messages import (
    CAPABILITIES,
    PROTOCOL_VERSION,
    AudioParams,
    ClientHello,
    ErrorCode,
    Features,
    ServerHello,
    ServerInfo,
)

VERSIONS: dict[Dialect, tuple[int, ...]] = {Dialect.LUMI: (PROTOCOL_VERSION,), Dialect.XIAOZHI: (1, 2, 3)}
"""In xiaozhi, `version` is that of the binary framing."""

SAMPLE_RATES_HZ: dict[Codec, tuple[int, ...]] = {
    Codec.OPUS: (8_000, 12_000, 16_000, 24_000, 48_000),
    Codec.PCM: (8_000, 12_000, 16_000, 24_000),
}
FRAME_MS = (20, 40, 60)

MISSING_SESSION_ID = "服务器响应中缺少session_id"
"""The founding document's words for a hello answer without a session."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both ends go by. `uplink` is what the client sends, `downlink` what the server sends."""

    dialect: Dialect
    framing: Framing
    uplink: AudioFormat
    downlink: AudioFormat
    features: Features
    version: int
    client: ClientProfile = field(default_factory=ClientProfile)
    """How the client at the other end wants to be served."""
    base_url: str = ""
    """Where the client reaches this server over HTTP, as it asked for it; empty where that is not known."""
    voice: str = ""
    """The voice that the client wishes for; empty: none."""


@dataclass(frozen=True, slots=True)
class HandshakeResult:
    """What a client knows after hello. `audio` is what the server sends."""

    session_id: str
    server_version: str
    capabilities: tuple[str, ...]
    features: Features
    audio: AudioFormat
    resumed: bool = False
    device_id: str | None = None


def negotiate(
    hello: ClientHello,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    offered: Features,
    previous: Agreement | None = None,
    audio_busy: bool = False,
    clients: Clients = BUILT_IN,
) -> Agreement:
    """Agree on what a hello asks for, as far as it can be served.

    A later hello keeps dialect and framing, joins its features to those granted, and changes the audio only
    while nothing is spoken or heard.

    Args:
        hello: the client's.
        headers: of its upgrade request, names in lower case.
        query: of its URL.
        offered: the features this server has.
        previous: what was agreed before on this connection.
        audio_busy: something is being spoken or heard.
        clients: the kinds of clients there are.

    Raises:
        ProtocolError: `unsupported_version` or `unsupported_audio`, naming what can be served.
    """
    dialect = previous.dialect if previous else detect(hello)
    if hello.version not in VERSIONS[dialect]:
        served = ", ".join(map(str, VERSIONS[dialect]))
        problem = f"hello.version {hello.version} is not served; accepted: {served}"
        raise ProtocolError(ErrorCode.UNSUPPORTED_VERSION, problem, message_id=hello.id)
    client = previous.client if previous else choose(dialect, hello, headers, query, clients)
    framing = client.framing or choose_framing(dialect, hello.version, headers, query)
    uplink, downlink = _audio(hello, client, previous, audio_busy=audio_busy)
    return Agreement(
        dialect=dialect,
        framing=previous.framing if previous else framing,
        uplink=uplink,
        downlink=downlink,
        features=grant(hello.features, offered, previous.features if previous else Features()),
        version=hello.version,
        client=client,
        base_url=_base_url(headers),
        voice=hello.voice or (previous.voice if previous else ""),
    )


def _base_url(headers: Mapping[str, str]) -> str:
    """A proxy before us says by which scheme it was asked."""
    host = headers.get("host", "").strip()
    scheme = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return f"{'https' if scheme in {'https', 'wss'} else 'http'}://{host}" if host else ""


def audio_format(params: AudioParams, message_id: str | None = None) -> AudioFormat:
    """The format that `audio_params` name.

    Raises:
        ProtocolError: `unsupported_audio`, naming what can be served.
    """
    codec = {one.value: one for one in Codec}.get(params.format.lower())
    known = (
        codec is not None
        and params.sample_rate in SAMPLE_RATES_HZ[codec]
        and params.channels == 1
        and params.frame_duration in FRAME_MS
    )
    if codec is None or not known:
        asked = (
            f"{params.format} {params.sample_rate} Hz, {params.channels} channels, {params.frame_duration} ms"
        )
        problem = f"audio_params: {asked} cannot be served; accepted: {served_formats()}"
        raise ProtocolError(ErrorCode.UNSUPPORTED_AUDIO, problem, message_id=message_id)
    return AudioFormat(codec, params.sample_rate, params.channels, params.frame_duration)


def audio_params(audio: AudioFormat) -> AudioParams:
    """The format in the words of the wire."""
    return AudioParams(
        format=audio.codec.value,
        sample_rate=audio.sample_rate_hz,
        channels=audio.channels,
        frame_duration=audio.frame_ms,
    )


def served_formats() -> str:
    """All formats that can be served, in words."""
    codecs = [f"{codec} at {'/'.join(map(str, rates))} Hz" for codec, rates in SAMPLE_RATES_HZ.items()]
    return f"{' or '.join(codecs)}, 1 channel, {'/'.join(map(str, FRAME_MS))} ms frames"


def grant(asked: Features | None, offered: Features, before: Features) -> Features:
    """The features asked for that the server has, and those granted before."""
    wanted = asdict(asked or Features())
    return Features(
        **{name: getattr(before, name) or (wanted[name] and has) for name, has in asdict(offered).items()}
    )


def answer(
    hello: ClientHello,
    agreement: Agreement,
    *,
    session_id: str,
    device_id: str,
    server_version: str,
    resumed: bool = False,
) -> ServerHello:
    """The server's hello: the first frame of all on a connection."""
    is_lumi = agreement.dialect is Dialect.LUMI
    return ServerHello(
        id=hello.id or UNSET,
        session_id=session_id,
        version=agreement.version,
        server_info=ServerInfo(version=server_version, capabilities=CAPABILITIES),
        audio_params=audio_params(agreement.downlink),
        device_id=device_id if is_lumi else UNSET,
        features=agreement.features if is_lumi else UNSET,
        resumed=resumed if is_lumi else UNSET,
    )


def check_answer(hello: ClientHello, answer: ServerHello) -> HandshakeResult:
    """Read the server's hello, as a client.

    Raises:
        HandshakeError: it answers another hello, has no session, or names audio that cannot be played.
    """
    if answer.id is not UNSET and answer.id != hello.id:
        raise HandshakeError(f"the server answered the hello {answer.id!r}, not {hello.id!r}")
    if not answer.session_id:
        raise HandshakeError(f"the server's hello has no session_id ({MISSING_SESSION_ID})")
    try:
        audio = audio_format(answer.audio_params or hello.audio_params or AudioParams())
    except ProtocolError as error:
        raise HandshakeError(f"the server's hello names audio that cannot be played: {error}") from error
    info = answer.server_info or ServerInfo()
    return HandshakeResult(
        session_id=answer.session_id,
        server_version=info.version or "unknown",
        capabilities=info.capabilities or (),
        features=_granted(hello, answer),
        audio=audio,
        resumed=answer.resumed is True,
        device_id=answer.device_id or None,
    )


def client_agreement(
    hello: ClientHello,
    result: HandshakeResult,
    *,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    previous: Agreement | None = None,
) -> Agreement:
    """What a client goes by after the server's hello.

    Args:
        hello: the one that was answered.
        result: what the answer says.
        headers: those the client sent, names in lower case.
        query: of the URL it asked for.
        previous: what was agreed before on this connection.
    """
    dialect = previous.dialect if previous else detect(hello)
    declared = audio_format(hello.audio_params or AudioParams(), hello.id)
    return Agreement(
        dialect=dialect,
        framing=previous.framing if previous else choose_framing(dialect, hello.version, headers, query),
        uplink=previous.uplink if previous and hello.audio_params is None else declared,
        downlink=result.audio,
        features=grant(result.features, result.features, previous.features if previous else Features()),
        version=hello.version,
        client=previous.client if previous else choose(dialect, hello, headers, query),
    )


def _granted(hello: ClientHello, answer: ServerHello) -> Features:
    """Only the lumi answer tells. Without one a lumi client counts on nothing but its tools being used,
    a xiaozhi client on all it asked for.
    """
    if answer.features is not UNSET:
        return answer.features
    asked = hello.features or Features()
    return asked if detect(hello) is Dialect.XIAOZHI else Features(mcp=asked.mcp)


def _audio(
    hello: ClientHello, client: ClientProfile, previous: Agreement | None, *, audio_busy: bool
) -> tuple[AudioFormat, AudioFormat]:
    """Uplink and downlink. A client that declares PCM has no codec, so it gets PCM in either dialect."""
    if previous and (audio_busy or hello.audio_params is None):
        return previous.uplink, previous.downlink
    declared = audio_format(hello.audio_params or AudioParams(), hello.id)
    if declared.codec is not Codec.OPUS:
        return declared, declared
    rate_hz = client.rate_hz or declared.sample_rate_hz
    return declared, AudioFormat(Codec.OPUS, rate_hz, 1, client.frame_ms or declared.frame_ms)
