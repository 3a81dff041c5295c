"""Device tokens: `base64url(HMAC-SHA256(secret, "client_id|device_id|ts"))` without padding, a dot, and `ts`.

Pure. A token holds 30 days; a device's tokens are taken back by moving the second from which on they count, all
tokens by another secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from enum import Enum

VALID_S = 30 * 24 * 3600
AHEAD_S = 60
"""How far a token's time may lie ahead of the clock here: a device's tokens may be void up to the current second."""

SEPARATOR = "|"
LONGEST_TIME = 12
"""Digits of `ts` that are looked at."""


class Judgement(Enum):
    """What a token turned out to be."""

    VALID = "valid"
    WRONG = "wrong"
    EXPIRED = "expired"
    VOID = "void"
    """It was right, and was taken back."""


def same(shown: str, known: str) -> bool:
    """Whether two texts are the same; how long that takes tells nothing of where they differ.

    What a header holds need not be text: bytes that are no UTF-8 come as surrogates.
    """
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), known.encode("utf-8", "surrogatepass"))


def may_have_token(client_id: str, device_id: str) -> bool:
    """Whether a token can be made out: with the separator in a name, two devices could have the same."""
    return bool(device_id) and SEPARATOR not in client_id and SEPARATOR not in device_id


def make(secret: str, client_id: str, device_id: str, now: float, *, tokens_from: int = 0) -> str:
    """A token that counts from now on.

    Args:
        secret: the server's.
        client_id: the installation it is for.
        device_id: the device it is for; `may_have_token` has said yes to both.
        now: UNIX seconds.
        tokens_from: the device's older tokens, made before this second, are void.
    """
    made_at = str(max(int(now), tokens_from))
    return f"{_signature(secret, client_id, device_id, made_at)}.{made_at}"


def judge(
    secret: str, token: str, client_id: str, device_id: str, now: float, *, tokens_from: int = 0
) -> Judgement:
    """Look at a token. How long that takes does not depend on where it is wrong."""
    signature, _, made_at = token.rpartition(".")
    right = same(signature, _signature(secret, client_id, device_id, made_at))
    if not right or not may_have_token(client_id, device_id) or not _is_time(made_at):
        return Judgement.WRONG
    age_s = now - int(made_at)
    if age_s < -AHEAD_S:
        return Judgement.WRONG
    if int(made_at) < tokens_from:
        return Judgement.VOID
    return Judgement.EXPIRED if age_s >= VALID_S else Judgement.VALID


def _is_time(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_TIME


def _signature(secret: str, client_id: str, device_id: str, made_at: str) -> str:
    content = SEPARATOR.join((client_id, device_id, made_at)).encode("utf-8", "surrogatepass")
    digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
