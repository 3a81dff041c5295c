"""Where a device sends its pictures, and a pass to be shown there: it opens that door alone, and names its device.

    base64url(device id) . signature . time        a device token's form, by a key that is made of the same secret

A pass holds as long as a device token does, and is void with the device's tokens.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from lumi.errors import ConfigError
from lumi.protocol.mcp import VisionAccess
from lumi.server import tokens
from lumi.server.log import Subject, logger
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import SecretFile
from lumi.server.tokens import Judgement

PATH = "/mcp/vision/explain"
PURPOSE = "vision"


@dataclass(frozen=True, slots=True)
class VisionPasses:
    """Makes and judges them.

    Args:
        secret: the server's.
        registry: knows whose tokens are void.
        wall_clock: UNIX seconds.
        needed: whether anything has to be shown at all.
    """

    secret: SecretFile
    registry: DeviceRegistry
    wall_clock: Callable[[], float]
    needed: bool = True

    def access(self, device_id: str, base_url: str) -> VisionAccess | None:
        """What a device is told that reaches this server at `base_url`; None: nothing that would work."""
        if not base_url:
            return None
        token = self._make(device_id) if self.needed else ""
        return VisionAccess(base_url.rstrip("/") + PATH, token) if token or not self.needed else None

    def judge(self, token: str) -> tuple[Judgement, str]:
        """Look at a pass; gives the device it was made for, whatever name its bearer goes by."""
        name, _, rest = token.partition(".")
        try:
            device_id = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
            key = self._key(self.secret.read() or "")
        except (ValueError, binascii.Error, ConfigError):
            return Judgement.WRONG, ""
        void = self._tokens_from(device_id)
        return tokens.judge(key, rest, "", device_id, self.wall_clock(), tokens_from=void), device_id

    def _make(self, device_id: str) -> str:
        if not tokens.may_have_token("", device_id):
            return ""
        try:
            key = self._key(self.secret.obtain())
        except ConfigError as error:
            logger(Subject.ERROR).error("no pass for pictures", error=str(error))
            return ""
        name = base64.urlsafe_b64encode(device_id.encode()).rstrip(b"=").decode()
        void = self._tokens_from(device_id)
        return f"{name}.{tokens.make(key, '', device_id, self.wall_clock(), tokens_from=void)}"

    @staticmethod
    def _key(secret: str) -> str:
        return f"{secret}|{PURPOSE}"

    def _tokens_from(self, device_id: str) -> int:
        device = self.registry.get(device_id)
        return 0 if device is None else device.tokens_from
