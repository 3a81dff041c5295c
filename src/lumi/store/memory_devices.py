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
        self._by_device: dict[str, PairingCode] = {}

    async def issue(self, code: PairingCode, now: float) -> bool:
        self._check()
        others = {key: kept for key, kept in self._by_device.items() if key != code.device_id}
        taken = next((kept for kept in others.values() if kept.code == code.code), None)
        if taken is not None:
            if _holds(taken, now):
                return False
            del self._by_device[taken.device_id]
        self._by_device[code.device_id] = code
        return True

    async def of(self, device_id: str, now: float) -> PairingCode | None:
        self._check()
        code = self._by_device.get(device_id)
        return code if code is not None and _holds(code, now) else None

    async def take(self, code: str, now: float) -> PairingCode | None:
        self._check()
        waiting = [kept for kept in self._by_device.values() if _holds(kept, now)]
        for kept in waiting:
            if kept.code == code:
                return self._by_device.pop(kept.device_id)
        for kept in waiting:
            self._by_device[kept.device_id] = replace(kept, attempts=kept.attempts + 1)
        return None

    async def forget_before(self, expires_at: float) -> int:
        self._check()
        old = [key for key, code in self._by_device.items() if code.expires_at < expires_at]
        for key in old:
            del self._by_device[key]
        return len(old)


def _holds(code: PairingCode, now: float) -> bool:
    return code.expires_at > now and code.attempts < PAIRING_ATTEMPTS
