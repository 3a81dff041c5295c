"""Who may come in, and under which name: the policy over tokens, devices and pages.

A request is judged before its upgrade. A peer that names its device, or shows its token, only in its hello is judged again
then.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from lumi.errors import Overloaded, RateLimited
from lumi.server.identity import client_name, device_name, is_this_machine, shown_token
from lumi.server.origins import Origins
from lumi.server.registry import DeviceRegistry
from lumi.server.tokens import Judgement, same
from lumi.store.base import DeviceState
from lumi.transport.base import LinkInfo


class Verdict(StrEnum):
    """What becomes of a request to connect. The values are the reasons in logs and counts."""

    WELCOME = "welcome"
    PAIRING = "pairing"
    """Nobody has let this device in yet: it hears its code, and nothing else."""
    BAD_ORIGIN = "bad_origin"
    NO_TOKEN = "no_token"  # noqa: S105 - a verdict, as those below
    BAD_TOKEN = "bad_token"  # noqa: S105
    EXPIRED_TOKEN = "expired_token"  # noqa: S105
    REVOKED = "revoked"
    """The device, or the token that it shows, was let in once and is no more."""
    CLIENT_CHANGED = "client_changed"
    """The device was let in with another installation (`Client-Id`) on it."""
    CROWDED = "crowded"
    """Too many wait to be let in."""
    ADDRESS_CODES = "address_codes"
    """Too many wait to be let in from one address."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A verdict, and whom it is about.

    Attributes:
        device_id: None: the peer has not named its device (yet).
        final: the hello cannot change it.
    """

    verdict: Verdict
    device_id: str | None = None
    client_id: str = ""
    final: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """As somebody set them.

    Attributes:
        tokens: static ones; any of them lets in.
        allowed: devices let in by their id alone.
        pairing: unknown devices may ask to be let in.
    """

    tokens: tuple[str, ...] = ()
    allowed: frozenset[str] = frozenset()
    pairing: bool = False

    @property
    def locked(self) -> bool:
        """Whether anybody has to show anything."""
        return bool(self.tokens or self.allowed or self.pairing)


class Standing(Enum):
    """What a device is to the household, by its names alone: what it gets that asks for a token."""

    OPEN = "open"
    """It has to show nothing."""
    MEMBER = "member"
    STRANGER = "stranger"
    """It may ask to be let in."""
    OUTSIDER = "outsider"
    """It needs a token that somebody gave it."""
    REVOKED = "revoked"


JUDGEMENTS = {
    Judgement.VALID: Verdict.WELCOME,
    Judgement.WRONG: Verdict.BAD_TOKEN,
    Judgement.EXPIRED: Verdict.EXPIRED_TOKEN,
    Judgement.VOID: Verdict.REVOKED,
}


REFUSALS = {
    Verdict.BAD_ORIGIN: (
        403,
        "this page may not connect; the server's setting server.origins lists those that may",
    ),
    Verdict.NO_TOKEN: (
        401,
        "a token is wanted here; send `Authorization: Bearer <token>`, or, from a web page, `token` in the hello",
    ),
    Verdict.BAD_TOKEN: (401, "the token is wrong; ask who runs this server for one"),
    Verdict.EXPIRED_TOKEN: (401, "the token has expired; ask for a new one at /xiaozhi/ota/"),
    Verdict.REVOKED: (403, "this device was shut out; only who runs this server can let it in again"),
    Verdict.CLIENT_CHANGED: (
        403,
        "this device was let in under another Client-Id; who runs this server must let it in anew",
    ),
}
"""Status and words; a browser, which can read neither, gets the words over the WebSocket."""


def crowded(refusal: Overloaded) -> Verdict:
    """Why somebody gets no code."""
    return Verdict.ADDRESS_CODES if isinstance(refusal, RateLimited) else Verdict.CROWDED


UNTIL_THE_HELLO = frozenset({Verdict.NO_TOKEN, Verdict.CLIENT_CHANGED})
"""Refusals that a right token in the hello would lift."""


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Judges requests."""

    rules: Rules = field(default_factory=Rules)
    origins: Origins = field(default_factory=Origins)
    registry: DeviceRegistry | None = None

    def judge(self, info: LinkInfo) -> Admission:
        """Whether the peer may connect, as far as its request tells."""
        trusted = self._trusts(info)
        if not self.origins.allow(info.headers, any_name=not trusted):
            return Admission(Verdict.BAD_ORIGIN)
        return self._judge(info, device_name(info, None), shown_token(info), trusted=trusted)

    def greet(self, info: LinkInfo, admission: Admission, claimed: str | None, token: str = "") -> Admission:
        """The verdict once the hello is there, which may name the device, and bring the token that the request lacks.

        Nothing but a right token lets in whom the request did not; and a wrong one keeps out who shows it.
        """
        trusted, shown = self._trusts(info), shown_token(info)
        if token and not shown and not trusted:
            return self._judge(info, device_name(info, claimed), token, trusted=False)
        if self._is_revoked(admission.device_id):  # meanwhile
            return replace(admission, verdict=Verdict.REVOKED)
        refused = admission.verdict in REFUSALS
        if refused or admission.final or admission.device_id is not None or claimed is None:
            return admission
        return self._judge(info, device_name(info, claimed), shown, trusted=trusted)

    def standing(self, info: LinkInfo, device_id: str) -> Standing:
        """What a device is, that asks over HTTP."""
        if self._is_revoked(device_id):
            return Standing.REVOKED
        if self._trusts(info):
            return Standing.OPEN
        paired = self.registry is not None and self.registry.is_paired(device_id, client_name(info))
        if paired or device_id in self.rules.allowed:
            return Standing.MEMBER
        return Standing.STRANGER if self.rules.pairing else Standing.OUTSIDER

    def _trusts(self, info: LinkInfo) -> bool:
        """Whether a peer has to show nothing: nobody has to, or it is this machine and only strangers are to pair."""
        rules = self.rules
        return not rules.locked or (not rules.tokens and is_this_machine(info))

    def _judge(self, info: LinkInfo, device_id: str | None, token: str, *, trusted: bool) -> Admission:
        found = Admission(Verdict.WELCOME, device_id, client_name(info), final=device_id is not None)
        if self._is_revoked(device_id):
            return replace(found, verdict=Verdict.REVOKED)
        if trusted:
            return found
        return self._bearer(found, token) if token else self._stranger(found)

    def _is_revoked(self, device_id: str | None) -> bool:
        if self.registry is None or device_id is None:
            return False
        device = self.registry.get(device_id)
        return device is not None and device.state is DeviceState.REVOKED

    def _bearer(self, found: Admission, token: str) -> Admission:
        """Who shows a token must show a right one, and is whose it is."""
        matches = [same(token, known) for known in self.rules.tokens]
        if any(matches):
            return found
        if self.registry is None:
            return replace(found, verdict=Verdict.BAD_TOKEN)
        judgement, owner = self.registry.judge(token, found.device_id)
        verdict = JUDGEMENTS[judgement]
        if self._is_revoked(owner):
            verdict = Verdict.REVOKED
        return replace(found, verdict=verdict, device_id=owner or found.device_id, final=True)

    def _stranger(self, found: Admission) -> Admission:
        """Who shows none comes in by its name, where somebody said so, or may ask to."""
        if found.device_id in self.rules.allowed:
            return found
        device = (
            None if self.registry is None or found.device_id is None else self.registry.get(found.device_id)
        )
        paired = device is not None and device.state is DeviceState.PAIRED
        if device is not None and paired and same(device.client_id, found.client_id):
            return replace(found, verdict=Verdict.NO_TOKEN) if device.keyed else found
        if self.rules.pairing:
            return replace(found, verdict=Verdict.PAIRING)
        return replace(found, verdict=Verdict.CLIENT_CHANGED if paired else Verdict.NO_TOKEN)
