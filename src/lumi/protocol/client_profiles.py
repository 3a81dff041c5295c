"""What differs between the clients in the field: one table, and the signs by which a connection shows whose it is.

Nothing else in Lumi asks which client it talks to; it reads the profile. Pure: `choose` looks at what the connection
shows, `adapted` at what somebody set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lumi.audio.format import AudioFormat, Codec
from lumi.protocol.dialect import Dialect
from lumi.protocol.frames import Framing
from lumi.protocol.messages import Alert, ClientHello, Message, System


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """How one kind of client wants to be served. None: what the server's settings or the client's own hello say."""

    name: str = "any"
    about: str = ""
    gap_ms: float = 0.0
    """Between `tts start` and the first packet."""
    lead_ms: float | None = None
    """How far ahead of real time speech is sent."""
    margin_ms: float | None = None
    """Between the end of playing and `tts stop`."""
    idle_s: float | None = None
    """Silence after which it is cut off."""
    rate_hz: int | None = None
    """Sample rate of the Opus it is sent."""
    frame_ms: int | None = None
    """Length of the Opus packets it is sent."""
    framing: Framing | None = None
    extra: frozenset[type[Message]] = frozenset()
    """Types of message it gets beside its dialect's."""
    waits_for_listen: bool = False
    """Nothing is spoken to it before it first listens."""
    farewell: bool = True
    """It is told 'Goodbye' aloud before it is cut off for silence, if it ever listened."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What a connection must show; all of what is given.

    Attributes:
        dialect: the one spoken.
        header: this header is there, whatever it says (name in lower case).
        user_agent: one of these is in the `User-Agent` (in lower case).
        query: name and value of a part of the URL's query.
        frame_ms: the hello declares packets of this length.
    """

    dialect: Dialect | None = None
    header: str = ""
    user_agent: tuple[str, ...] = ()
    query: tuple[str, str] | None = None
    frame_ms: int | None = None

    def fits(
        self, dialect: Dialect, hello: ClientHello, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> bool:
        """Whether the connection shows it."""
        agent = headers.get("user-agent", "").lower()
        params = hello.audio_params
        return all(
            (
                self.dialect in {None, dialect},
                not self.header or self.header in headers,
                not self.user_agent or any(word in agent for word in self.user_agent),
                self.query is None or query.get(self.query[0]) == self.query[1],
                self.frame_ms is None or (params is not None and params.frame_duration == self.frame_ms),
            )
        )

    def words(self) -> str:
        """For the docs."""
        said = [
            f"dialect {self.dialect}" if self.dialect else "",
            f"header `{self.header}`" if self.header else "",
            " or ".join(f"`{word}`" for word in self.user_agent) + " in `user-agent`"
            if self.user_agent
            else "",
            f"`{self.query[0]}={self.query[1]}` in the URL" if self.query else "",
            f"packets of {self.frame_ms} ms in its hello" if self.frame_ms else "",
        ]
        return ", ".join(part for part in said if part) or "anything"


Clients = tuple[tuple[Sign, ClientProfile], ...]
"""The first sign that fits decides; the last fits always."""

_LUMI = Sign(Dialect.LUMI)
_XIAOZHI = Dialect.XIAOZHI

XIAOZHI_DOWNLINK = AudioFormat(Codec.OPUS, 16_000, 1, 60)
"""Whoever decodes at 24 kHz can play it too."""

PAGE = ClientProfile("page", "A browser page that speaks lumi, e.g. Lumi's own.")
LUMI = ClientProfile("lumi", "Lumi's client, its commands and its terminal app.")
XIAOZHI = ClientProfile(
    "xiaozhi",
    "A client that speaks xiaozhi and shows no more of itself: treated with all the care that any of them needs.",
    gap_ms=40.0,
    rate_hz=XIAOZHI_DOWNLINK.sample_rate_hz,
    frame_ms=XIAOZHI_DOWNLINK.frame_ms,
    waits_for_listen=True,
)
GATEWAY = replace(
    XIAOZHI,
    name="gateway",
    about="Boards behind an MQTT gateway: each packet behind 16 bytes of header.",
    framing=Framing.GATEWAY,
    extra=frozenset({Alert, System}),
)
WEB = replace(
    XIAOZHI,
    name="web",
    about="A browser page that speaks xiaozhi; it prints types it does not know into the chat.",
    gap_ms=0.0,
)
DESKTOP = replace(
    XIAOZHI,
    name="desktop",
    about="A desktop client in Python; its decoder has room for packets as long as it declares (20 ms) and no longer.",
    frame_ms=None,
)
PHONE = replace(
    XIAOZHI,
    name="phone",
    about="The phone apps: one says hello twice, one drops packets below 10 bytes and refuses `notifications/…`.",
)
LINUX_BOARD = replace(
    XIAOZHI,
    name="linux-board",
    about="Linux boards; they repeat `listen start` at every sentence.",
)
FIRMWARE = replace(
    XIAOZHI,
    name="firmware",
    about="Boards with an ESP32: they reset their decoder at `tts start` and choke on bursts.",
    extra=frozenset({Alert, System}),
)

BUILT_IN: Clients = (
    (Sign(_XIAOZHI, query=("from", "mqtt_gateway")), GATEWAY),
    (Sign(Dialect.LUMI, header="origin"), PAGE),
    (_LUMI, LUMI),
    (Sign(_XIAOZHI, header="origin"), WEB),
    (Sign(_XIAOZHI, user_agent=("okhttp", "dart", "cfnetwork", "darwin")), PHONE),
    (Sign(_XIAOZHI, user_agent=("websocket++", "libwebsockets", "boost")), LINUX_BOARD),
    (Sign(_XIAOZHI, user_agent=("python", "electron")), DESKTOP),
    (Sign(_XIAOZHI, frame_ms=20), DESKTOP),
    (Sign(_XIAOZHI, header="protocol-version"), FIRMWARE),
    (Sign(_XIAOZHI, user_agent=("esp",)), FIRMWARE),
    (Sign(), XIAOZHI),
)


def choose(
    dialect: Dialect,
    hello: ClientHello,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    clients: Clients = BUILT_IN,
) -> ClientProfile:
    """The profile of the client that shows this.

    Args:
        dialect: the one it speaks.
        hello: its first.
        headers: of its upgrade request, names in lower case.
        query: of its URL.
        clients: the table.
    """
    return next(profile for sign, profile in clients if sign.fits(dialect, hello, headers, query))


def names(clients: Clients = BUILT_IN) -> dict[str, ClientProfile]:
    """Every profile once."""
    return {profile.name: profile for _, profile in clients}


def idle_times(clients: Clients) -> list[float]:
    """Those that profiles have of their own, in seconds."""
    return [profile.idle_s for _, profile in clients if profile.idle_s is not None]


def adapted(clients: Clients, name: str, sign: Sign | None, like: str, changes: Mapping[str, Any]) -> Clients:
    """The table with one profile changed, or (with a sign, looked at before all others) added.

    Args:
        clients: the table so far.
        name: of the profile; a new one begins as a copy of `like`.
        sign: by which it is known; None: by those it has.
        like: the profile that a new one resembles.
        changes: fields and their values.

    Raises:
        KeyError: there is no profile `name`, and none `like` it.
    """
    known = names(clients)
    start = known.get(name) or replace(known[like], name=name, about=f"From the settings; like `{like}`.")
    profile = replace(start, **changes)
    table = tuple((one, profile if former.name == name else former) for one, former in clients)
    return table if sign is None else ((sign, profile), *table)
