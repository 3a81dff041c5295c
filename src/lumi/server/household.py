"""What somebody of the household may do with its devices: the words of the HTTP API and of `lumi devices` alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from lumi.errors import LumiError
from lumi.server.identity import NAME_LIMIT, printable
from lumi.server.registry import DeviceRegistry
from lumi.store.base import Device, DeviceState

Text64 = Annotated[str, Meta(max_length=64)]


class DeviceRecord(Struct, frozen=True, kw_only=True):
    """One device, as it is told."""

    id: str
    client_id: str
    name: str
    model: str
    state: Literal["pending", "paired", "revoked"]
    connected: bool
    needs_token: bool
    persona: str
    language: str
    voice: str
    first_seen: float
    last_seen: float


class DeviceChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be said of a device. An empty text takes back what was said."""

    name: Text64 | UnsetType = UNSET
    persona: Annotated[str, Meta(max_length=8000)] | UnsetType = UNSET
    language: Literal["", "zh", "en"] | UnsetType = UNSET
    voice: Text64 | UnsetType = UNSET


class PairingRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The code that a device shows; blanks in it do not matter."""

    code: Annotated[str, Meta(min_length=6, max_length=16)]


class DeviceToken(Struct, frozen=True):
    """A device's new token: shown once, and kept nowhere."""

    device_id: str
    token: str


class NotThere(LookupError):
    """What was asked for is not there. `code` says in a word what."""

    code = "not_found"


class UnknownDevice(NotThere):
    """There is no such device."""

    code = "unknown_device"


class Conflict(LumiError):
    """It makes sense, but not as things stand. `code` says in a word why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownCode(NotThere):
    """No device shows this code (any more)."""

    code = "unknown_code"


class Household:
    """Acts on the registry.

    Args:
        registry: of the devices; each is meant by its id, or by its name.
        is_here: whether a device is connected.
        dismiss: hangs up on a device that may be here no longer.
    """

    def __init__(
        self,
        registry: DeviceRegistry,
        is_here: Callable[[str], bool] = lambda _device_id: False,
        dismiss: Callable[[str], None] = lambda _device_id: None,
    ) -> None:
        self._registry = registry
        self._is_here = is_here
        self._dismiss = dismiss

    def devices(self) -> list[DeviceRecord]:
        """All, in the order of their first visit."""
        return [self._record(device) for device in self._registry.all()]

    def device(self, wanted: str) -> DeviceRecord:
        """One; raises UnknownDevice, or Conflict."""
        device_id = self._meant(wanted)
        return self._record(_known(self._registry.get(device_id), device_id))

    async def pair(self, code: str) -> DeviceRecord:
        """Let in the device that shows this code; raises UnknownCode."""
        device = await self._registry.confirm(code)
        if device is None:
            raise UnknownCode(
                "no device shows this code (any more); after five wrong ones the device shows a new one"
            )
        return self._record(device)

    async def change(self, wanted: str, changes: DeviceChanges) -> DeviceRecord:
        """Say something of a device; raises UnknownDevice, or Conflict."""
        device_id = self._meant(wanted)
        said = {name: value for name, value in structs.asdict(changes).items() if value is not UNSET}
        return self._record(_known(await self._registry.change(device_id, **said), device_id))

    async def revoke(self, wanted: str) -> DeviceRecord:
        """Shut a device out, now and from now on; raises UnknownDevice, or Conflict."""
        device_id = self._meant(wanted)
        device = _known(await self._registry.revoke(device_id), device_id)
        self._dismiss(device_id)
        return self._record(device)

    async def forget(self, wanted: str) -> None:
        """As if it had never been here; raises UnknownDevice, or Conflict."""
        device_id = self._meant(wanted)
        if not await self._registry.forget(device_id):
            raise UnknownDevice(_no_such(device_id))
        self._dismiss(device_id)

    async def rotate(self, wanted: str) -> DeviceRecord:
        """Make its tokens void; it gets a new one when it asks. Raises UnknownDevice, or Conflict."""
        device_id = self._meant(wanted)
        device = _known(await self._registry.rotate(device_id), device_id)
        self._dismiss(device_id)
        return self._record(device)

    async def token(self, device_id: str) -> DeviceToken:
        """A token for a device that does not ask for one by itself; an unknown device is let in by it."""
        named = printable(device_id) == device_id
        token = await self._registry.grant(device_id) if named else ""
        if not token:
            raise UnknownDevice(
                f"{device_id!r} can have no token: it was shut out, or no device goes by it (an id has up to "
                f"{NAME_LIMIT} characters that can be printed, and no '|')"
            )
        return DeviceToken(device_id, token)

    def _meant(self, wanted: str) -> str:
        """The id of the device that is meant by its id, or by its name if it was let in once.

        Who waits may call itself as it likes, so that its name means nobody.

        Raises:
            Conflict: several have this name.
        """
        if self._registry.get(wanted) is not None:
            return wanted
        name = wanted.strip().casefold()
        inside = [device for device in self._registry.all() if device.state is not DeviceState.PENDING]
        found = [device.id for device in inside if name and device.name.casefold() == name]
        if len(found) > 1:
            problem = f"{wanted!r} is the name of several; say one's id: {', '.join(found)}"
            raise Conflict("ambiguous_device", problem)
        return found[0] if found else wanted

    def _record(self, device: Device) -> DeviceRecord:
        return DeviceRecord(
            id=device.id,
            client_id=device.client_id,
            name=device.name,
            model=device.model,
            state=device.state.value,
            connected=self._is_here(device.id),
            needs_token=device.keyed,
            persona=device.persona,
            language=device.language,
            voice=device.voice,
            first_seen=device.first_seen,
            last_seen=device.last_seen,
        )


def _known(device: Device | None, device_id: str) -> Device:
    if device is None:
        raise UnknownDevice(_no_such(device_id))
    return device


def _no_such(device_id: str) -> str:
    return f"there is no device {device_id!r}; the list of devices has their ids"


def plain(record: Any) -> Any:
    """As JSON would have it."""
    return msgspec.to_builtins(record)
