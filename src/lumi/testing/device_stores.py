"""What every store must do for devices and their pairing codes: the part of `stores.StoreConformance` about them."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from lumi.store.base import PAIRING_ATTEMPTS, Device, DeviceState, PairingCode, Store
from lumi.testing.session_stores import refusal

DEVICE = Device(
    "aa:bb",
    "c-1",
    name="厨房",
    model="box-3",
    state=DeviceState.PAIRED,
    tokens_from=1_000,
    keyed=True,
    persona="Be brief.",
    language="zh",
    voice="calm",
    first_seen=1_000.5,
    last_seen=1_001.5,
)
CODE = PairingCode("012345", "aa:bb", "c-1", "a challenge", expires_at=1_600.0)


class DeviceConformance:
    """Who has been here, and who may be let in."""

    durable = False

    def open_store(self, place: Path) -> AbstractAsyncContextManager[Store]:
        raise NotImplementedError

    async def test_a_device_keeps_all_that_was_said_of_it(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            assert await store.devices.get("aa:bb") is None
            await store.devices.save(DEVICE)
            assert await store.devices.get("aa:bb") == DEVICE
            await store.devices.save(replace(DEVICE, state=DeviceState.REVOKED, keyed=False))
            found = await store.devices.get("aa:bb")
            assert found is not None
            assert (found.state, found.keyed) == (DeviceState.REVOKED, False)
            assert found.state is DeviceState.REVOKED

    async def test_devices_come_in_the_order_of_their_first_visit(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            for name, seen in (("c", 3.0), ("a", 2.0), ("b", 2.0)):
                await store.devices.save(Device(name, first_seen=seen))
            assert [device.id for device in await store.devices.all()] == ["a", "b", "c"]
            assert await store.devices.remove("a")
            assert not await store.devices.remove("a")
            assert [device.id for device in await store.devices.all()] == ["b", "c"]

    async def test_a_code_serves_once(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            assert await store.pairings.issue(CODE, 1_000.0)
            assert await store.pairings.of("aa:bb", "c-1", 1_000.0) == CODE
            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(store.pairings.take("012345", 1_000.0)) for _ in range(4)]
            assert [task.result() for task in tries].count(CODE) == 1
            assert await store.pairings.of("aa:bb", "c-1", 1_000.0) is None

    async def test_a_code_that_has_expired_is_none(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.pairings.issue(CODE, 1_000.0)
            assert await store.pairings.of("aa:bb", "c-1", 1_600.0) is None
            assert await store.pairings.take("012345", 1_600.0) is None
            assert await store.pairings.forget_before(1_601.0) == 1
            assert await store.pairings.forget_before(1_601.0) == 0

    async def test_another_installation_under_a_devices_name_takes_no_code_away(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            other = replace(CODE, code="543210", client_id="c-2")
            await store.pairings.issue(CODE, 1_000.0)
            assert await store.pairings.issue(other, 1_000.0)
            assert not await store.pairings.issue(replace(other, code="012345"), 1_000.0)
            assert await store.pairings.of("aa:bb", "c-1", 1_000.0) == CODE
            assert await store.pairings.take("543210", 1_000.0) == other
            assert await store.pairings.of("aa:bb", "c-2", 1_000.0) is None
            assert await store.pairings.take("012345", 1_000.0) == CODE

    async def test_a_device_has_one_code_and_no_two_have_the_same(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.pairings.issue(CODE, 1_000.0)
            other = replace(CODE, device_id="cc:dd")
            assert not await store.pairings.issue(other, 1_000.0)
            assert await store.pairings.of("cc:dd", "c-1", 1_000.0) is None
            newer = replace(CODE, code="999999", challenge="another")
            assert await store.pairings.issue(newer, 1_000.0)
            assert await store.pairings.of("aa:bb", "c-1", 1_000.0) == newer
            assert await store.pairings.issue(other, 1_000.0), "the digits are free again"
            assert await store.pairings.issue(replace(newer, device_id="ee:ff"), 1_700.0), (
                "and after their time"
            )

    async def test_wrong_codes_wear_out_every_one_that_waits(self, tmp_path: Path) -> None:
        async with self.open_store(tmp_path) as store:
            await store.pairings.issue(CODE, 1_000.0)
            for _ in range(PAIRING_ATTEMPTS - 1):
                assert await store.pairings.take("000000", 1_000.0) is None
            kept = await store.pairings.of("aa:bb", "c-1", 1_000.0)
            assert kept is not None
            assert kept.attempts == PAIRING_ATTEMPTS - 1
            await store.pairings.take("000000", 1_000.0)
            assert await store.pairings.of("aa:bb", "c-1", 1_000.0) is None
            assert await store.pairings.take("012345", 1_000.0) is None, "worn out"

    async def test_devices_and_codes_outlive_a_closing_where_the_store_is_durable(
        self, tmp_path: Path
    ) -> None:
        async with self.open_store(tmp_path) as store:
            await store.devices.save(DEVICE)
            await store.pairings.issue(CODE, 1_000.0)
        if not self.durable:
            return
        async with self.open_store(tmp_path) as store:
            assert await store.devices.get("aa:bb") == DEVICE
            assert await store.pairings.of("aa:bb", "c-1", 1_000.0) == CODE
            await store.aclose()
            assert "closed" in await refusal(store.devices.all())
            assert "closed" in await refusal(store.pairings.take("012345", 1_000.0))
