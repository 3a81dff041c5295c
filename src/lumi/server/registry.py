"""The devices of the household: who has been here, who may come in, and the codes of those who ask to.

All devices are in memory too, so that a request is judged without waiting for the disk; what another server changes in
the same store is seen within `REFRESH_S`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lumi.errors import ConfigError, StoreError
from lumi.server import tokens
from lumi.server.fair_share import CodePace, find_place
from lumi.server.log import Subject, logger
from lumi.server.secret_file import SecretFile
from lumi.server.tokens import Judgement
from lumi.store.base import Device, DeviceState, PairingCode, Store

CODE_S = 600.0
"""How long a code holds."""

PENDING_S = 24 * 3600.0
"""A device that nobody let in is forgotten after so long."""

MOST_PENDING = 64
PENDING_SHARE = 16
"""Devices that may wait to be let in, in all and from one address: whoever reaches us could invent any number."""

CODES_AT_ONCE = 2 * MOST_PENDING
CODES_PER_S = 0.2
CODES_PARTS = 8
"""New codes, and the part of them that one address may have: each is written down and shown to the household, and under
ever new Client-Ids one device could ask for any number."""

REFRESH_S = 15.0

Waiting = Callable[[Device, PairingCode], None]
"""A device has asked to be let in, and shows this code."""


@dataclass(frozen=True, slots=True)
class Visit:
    """When a device was here, and what it calls itself."""

    at: float
    name: str


class DeviceRegistry:
    """Owns what is known of devices; `run` is its housekeeping.

    Args:
        store: where it is kept.
        wall_clock: UNIX seconds.
        secret: what device tokens are made with; None: none are.
        on_waiting: told of every new code.
    """

    def __init__(
        self,
        store: Store,
        wall_clock: Callable[[], float],
        secret: SecretFile | None = None,
        on_waiting: Waiting = lambda _device, _code: None,
    ) -> None:
        self._store = store
        self._wall_clock = wall_clock
        self._secret = secret
        self._on_waiting = on_waiting
        self._devices: dict[str, Device] = {}
        self._seen: dict[str, Visit] = {}  # bounded: known devices only
        self._codes = CodePace(CODES_PER_S, CODES_AT_ONCE, CODES_PARTS)
        self._asked_from: dict[str, str] = {}  # addresses of those who wait; not stored
        self._lock = asyncio.Lock()
        self._log = logger(Subject.SERVER)

    # ── at once ──────────────────────────────────────────────────────────────────────────────────────────────────

    def get(self, device_id: str) -> Device | None:
        return self._devices.get(device_id)

    def all(self) -> Sequence[Device]:
        """In the order of their first visit."""
        return sorted(self._devices.values(), key=lambda device: (device.first_seen, device.id))

    def is_paired(self, device_id: str, client_id: str) -> bool:
        """Whether somebody has let this device in, with this installation on it."""
        device = self._devices.get(device_id)
        if device is None or device.state is not DeviceState.PAIRED:
            return False
        return tokens.same(device.client_id, client_id)

    def note_here(self, device_id: str, name: str = "") -> None:
        """A device is here now, and calls itself so, which counts until somebody names it; written down at the next
        housekeeping.
        """
        device = self._devices.get(device_id)
        if device is not None:
            self._devices[device_id] = replace(device, name=device.name or name)
            self._seen[device_id] = Visit(self._wall_clock(), name)

    def judge(self, token: str, device_id: str | None) -> tuple[Judgement, str | None]:
        """Look at a device token; gives the device it was made for, whatever name its bearer goes by."""
        secret = self._read_secret()
        if secret is None:
            return Judgement.WRONG, device_id
        found: tuple[Judgement, str | None] = (Judgement.WRONG, device_id)
        for device in self._devices.values():
            judgement = tokens.judge(
                secret, token, device.client_id, device.id, self._wall_clock(), tokens_from=device.tokens_from
            )
            if judgement is Judgement.VALID and device.state is DeviceState.PENDING:
                judgement = Judgement.VOID
            if judgement is not Judgement.WRONG:
                found = (judgement, device.id)
        return found

    def _read_secret(self) -> str | None:
        try:
            return None if self._secret is None else self._secret.read()
        except ConfigError as error:
            self._log.error("no device token can be checked", error=str(error))
            return None

    # ── with the store ───────────────────────────────────────────────────────────────────────────────────────────

    async def load(self) -> None:
        """Read what is known; raises StoreError."""
        async with self._lock:
            self._devices = {device.id: device for device in await self._store.devices.all()}

    async def run(self) -> None:
        """For ever: write down who was here, see what others changed, forget who was never let in."""
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await self.refresh()
            except StoreError as error:
                self._log.warning("devices not brought up to date", error=str(error))

    async def refresh(self) -> None:
        """One round of `run`."""
        now = self._wall_clock()
        async with self._lock:
            known = {device.id: device for device in await self._store.devices.all()}
            for device_id, seen in self._seen.items():
                if (device := known.get(device_id)) is not None:
                    last_seen, name = max(device.last_seen, seen.at), device.name or seen.name
                    known[device_id] = replace(device, last_seen=last_seen, name=name)
                    if known[device_id] != device:
                        await self._store.devices.save(known[device_id])
            self._seen.clear()
            for device in [device for device in known.values() if _may_be_forgotten(device, now)]:
                del known[device.id]
                await self._store.devices.remove(device.id)
            self._devices = known
            self._asked_from = {
                device.id: self._asked_from.get(device.id, "") for device in self.all() if _only_waits(device)
            }
        await self._store.pairings.forget_before(now)

    async def ask(
        self, device_id: str, client_id: str, *, address: str = "", model: str = "", name: str = ""
    ) -> PairingCode:
        """The code by which a device can be let in: the one it has, or a new one.

        Raises:
            RateLimited: too many from this address wait already, or have asked of late.
            Overloaded: too many in all do, or have.
            StoreError: it cannot be kept.
        """
        now = self._wall_clock()
        code = await self._store.pairings.of(device_id, client_id, now)
        if code is not None:
            return code
        self._codes.take(address, asyncio.get_running_loop().time())
        device = await self._note(device_id, client_id, address, model=model, name=name)
        while True:
            digits = f"{secrets.randbelow(1_000_000):06}"
            challenge = secrets.token_urlsafe(24)
            code = PairingCode(digits, device_id, client_id, challenge, now + CODE_S)
            if await self._store.pairings.issue(code, now):
                break
        self._log.info("device asks to be let in", device=device_id, model=device.model)
        self._on_waiting(replace(device, client_id=client_id), code)
        return code

    async def confirm(self, digits: str) -> Device | None:
        """Let in the device that shows this code. None: there is none (any more); said five times, all need new ones.

        Raises:
            StoreError: it cannot be kept.
        """
        now = self._wall_clock()
        code = await self._store.pairings.take("".join(digits.split()), now)
        if code is None:
            return None
        async with self._lock:
            device = await self._store.devices.get(code.device_id) or Device(code.device_id, first_seen=now)
            keeps = device.state is DeviceState.PAIRED and device.client_id == code.client_id
            return await self._save(
                replace(
                    device,
                    client_id=code.client_id,
                    state=DeviceState.PAIRED,
                    keyed=device.keyed and keeps,
                    tokens_from=device.tokens_from if keeps else self._from_now_on(device),
                )
            )

    async def token_for(self, device_id: str) -> str:
        """A new token for a paired device; empty where none can be made out to its names. From then on it must show one.

        Raises:
            ConfigError: the secret's file cannot be used.
            StoreError: it cannot be kept.
        """
        device = self._devices.get(device_id)
        if self._secret is None or device is None or not tokens.may_have_token(device.client_id, device.id):
            return ""
        secret = self._secret.obtain()
        if not device.keyed:
            device = await self.change(device_id, keyed=True) or device
        return tokens.make(
            secret, device.client_id, device.id, self._wall_clock(), tokens_from=device.tokens_from
        )

    async def grant(self, device_id: str) -> str:
        """Let a device in by a token that is made for it now; empty: it was shut out, or can have none.

        Raises:
            ConfigError: the secret's file cannot be used.
            StoreError: it cannot be kept.
        """
        async with self._lock:
            device = await self._store.devices.get(device_id) or Device(
                device_id, first_seen=self._wall_clock()
            )
            able = tokens.may_have_token(device.client_id, device_id)
            if device.state is DeviceState.REVOKED or not able:
                return ""
            await self._save(replace(device, state=DeviceState.PAIRED))
        return await self.token_for(device_id)

    async def change(self, device_id: str, **changes: Any) -> Device | None:
        """Change what is known of a device; None: there is no such device. Raises StoreError."""
        async with self._lock:
            device = await self._store.devices.get(device_id)
            return None if device is None else await self._save(replace(device, **changes))

    async def revoke(self, device_id: str) -> Device | None:
        """Let a device in no more, and make its tokens void."""
        return await self._void(device_id, state=DeviceState.REVOKED, keyed=False)

    async def rotate(self, device_id: str) -> Device | None:
        """Make a device's tokens void; it stays let in, and gets a new one when it asks."""
        return await self._void(device_id)

    async def forget(self, device_id: str) -> bool:
        """As if it had never been here. Whether it was known."""
        async with self._lock:
            self._devices.pop(device_id, None)
            self._seen.pop(device_id, None)
            return await self._store.devices.remove(device_id)

    async def _void(self, device_id: str, **changes: Any) -> Device | None:
        device = self._devices.get(device_id)
        if device is None:
            return None
        return await self.change(device_id, tokens_from=self._from_now_on(device), **changes)

    def _from_now_on(self, device: Device) -> int:
        """Later than any token of it was made."""
        return max(int(self._wall_clock()), device.tokens_from) + 1

    async def _note(self, device_id: str, client_id: str, address: str, *, model: str, name: str) -> Device:
        """Somebody asks to be let in: what is known of the device stays as it is until that is said."""
        now = self._wall_clock()
        async with self._lock:
            device = await self._store.devices.get(device_id)
            if device is None:
                await self._make_room(address)
                self._asked_from[device_id] = address
                device = Device(device_id, client_id, name=name, model=model, first_seen=now)
            model, name = model or device.model, device.name or name
            return await self._save(replace(device, model=model, name=name, last_seen=now))

    async def _make_room(self, address: str) -> None:
        """For one more that waits. Who has to go for it may still be let in by the code that it shows."""
        waiting = {
            device.id: self._asked_from.get(device.id, "") for device in self.all() if _only_waits(device)
        }
        gone = find_place(waiting, address, most=MOST_PENDING, share=PENDING_SHARE, retry_s=CODE_S)
        if gone is not None:
            self._log.info("a device that waited made room", device=gone, remote=waiting[gone])
            self._devices.pop(gone, None)
            self._asked_from.pop(gone, None)
            await self._store.devices.remove(gone)

    async def _save(self, device: Device) -> Device:
        await self._store.devices.save(device)
        self._devices[device.id] = device
        return device


def _only_waits(device: Device) -> bool:
    """Whether a device has done nothing but ask, and nobody has said anything of it."""
    said = device.persona or device.language or device.voice
    return device.state is DeviceState.PENDING and not said


def _may_be_forgotten(device: Device, now: float) -> bool:
    return _only_waits(device) and device.last_seen < now - PENDING_S
