"""Devices and their pairing codes in memory: the part of `MemoryStore` about who may come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lumi.store.base import PAIRING_ATTEMPTS, Device, PairingCode


class MemoryDevices:
    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._by_id: dict[str, Device] = {}

    async def get(self, device_id: str) -> Device | None:
        self._check()
        return self._by_id.get(device_id)

    async def save(self, device: Device) -> None:
        self._check()
        self._by_id[device.id] = device

    async def all(self) -> Sequence[Device]:
        self._check()
        return sorted(self._by_id.values(), key=lambda device: (device.first_seen, device.id))

    async def remove(self, device_id: str) -> bool:
        self._check()
        return self._by_id.pop(device_id, None) is not None


class MemoryPairings:
    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._kept: dict[tuple[str, str], PairingCode] = {}  # by device and installation

    async def issue(self, code: PairingCode, now: float) -> bool:
        self._check()
        others = {key: kept for key, kept in self._kept.items() if key != _key(code)}
        taken = next((kept for kept in others.values() if kept.code == code.code), None)
        if taken is not None:
            if _holds(taken, now):
                return False
            del self._kept[_key(taken)]
        self._kept[_key(code)] = code
        return True

    async def of(self, device_id: str, client_id: str, now: float) -> PairingCode | None:
        self._check()
        code = self._kept.get((device_id, client_id))
        return code if code is not None and _holds(code, now) else None

    async def take(self, code: str, now: float) -> PairingCode | None:
        self._check()
        waiting = [kept for kept in self._kept.values() if _holds(kept, now)]
        for kept in waiting:
            if kept.code == code:
                return self._kept.pop(_key(kept))
        for kept in waiting:
            self._kept[_key(kept)] = replace(kept, attempts=kept.attempts + 1)
        return None

    async def forget_before(self, expires_at: float) -> int:
        self._check()
        old = [key for key, code in self._kept.items() if code.expires_at < expires_at]
        for key in old:
            del self._kept[key]
        return len(old)


def _key(code: PairingCode) -> tuple[str, str]:
    return code.device_id, code.client_id


def _holds(code: PairingCode, now: float) -> bool:
    return code.expires_at > now and code.attempts < PAIRING_ATTEMPTS
