import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lumi.errors import Overloaded, RateLimited
from lumi.server.registry import (
    CODE_S,
    CODES_AT_ONCE,
    CODES_PARTS,
    CODES_PER_S,
    MOST_PENDING,
    PENDING_S,
    PENDING_SHARE,
    DeviceRegistry,
)
from lumi.server.secret_file import SecretFile
from lumi.server.tokens import Judgement
from lumi.store.base import Device, DeviceState, PairingCode
from lumi.store.memory import MemoryStore


class Clock:
    now = 1_700_000_000.5

    def __call__(self) -> float:
        return self.now


class House:
    def __init__(self, place: Path) -> None:
        self.store, self.clock = MemoryStore(), Clock()
        self.waiting: list[tuple[Device, PairingCode]] = []
        self.registry = DeviceRegistry(
            self.store,
            self.clock,
            SecretFile(place / "token.secret"),
            lambda device, code: self.waiting.append((device, code)),
        )

    async def pair(self, device_id: str, client_id: str = "") -> Device:
        device = await self.registry.confirm((await self.registry.ask(device_id, client_id)).code)
        assert device is not None
        return device


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_a_device_asks_is_shown_and_is_let_in(house: House):
    code = await house.registry.ask("aa:bb", "c", model="box", name="kitchen")
    assert len(code.code) == 6
    assert code.code.isdigit()
    ((device, shown),) = house.waiting
    assert (device.id, device.model, device.name, shown) == ("aa:bb", "box", "kitchen", code)
    assert not house.registry.is_paired("aa:bb", "c")
    assert await house.registry.ask("aa:bb", "c") == code, "as long as it holds"
    assert len(house.waiting) == 1
    paired = await house.registry.confirm(f" {code.code[:3]} {code.code[3:]} ")
    assert paired is not None
    assert (paired.id, paired.state) == ("aa:bb", DeviceState.PAIRED)
    assert house.registry.is_paired("aa:bb", "c")
    assert not house.registry.is_paired("aa:bb", "another installation")
    assert await house.registry.confirm(code.code) is None, "a code serves once"


async def test_a_code_ends_and_the_next_is_another(house: House):
    code = await house.registry.ask("aa:bb", "c")
    house.clock.now += CODE_S
    assert await house.registry.confirm(code.code) is None
    assert (await house.registry.ask("aa:bb", "c")).challenge != code.challenge


async def test_tokens_of_a_paired_device(house: House):
    await house.pair("aa:bb", "c")
    token = await house.registry.token_for("aa:bb")
    assert house.registry.judge(token, "aa:bb") == (Judgement.VALID, "aa:bb")
    assert house.registry.judge(token, "another name") == (Judgement.VALID, "aa:bb")
    assert house.registry.judge(token, None) == (Judgement.VALID, "aa:bb")
    assert house.registry.judge("x.1", "aa:bb") == (Judgement.WRONG, "aa:bb")
    device = house.registry.get("aa:bb")
    assert device is not None
    assert device.keyed
    house.clock.now += 31 * 24 * 3600
    assert house.registry.judge(token, None)[0] is Judgement.EXPIRED


@pytest.mark.parametrize("way", ["revoke", "rotate"])
async def test_a_devices_tokens_can_be_taken_back(house: House, way: str):
    await house.pair("aa:bb")
    await house.pair("cc:dd")
    token, others = await house.registry.token_for("aa:bb"), await house.registry.token_for("cc:dd")
    await getattr(house.registry, way)("aa:bb")
    assert house.registry.judge(token, None) == (Judgement.VOID, "aa:bb")
    assert house.registry.judge(others, None) == (Judgement.VALID, "cc:dd")
    assert await getattr(house.registry, way)("unknown") is None


async def test_another_secret_makes_all_tokens_void(house: House, tmp_path: Path):
    await house.pair("aa:bb")
    token = await house.registry.token_for("aa:bb")
    SecretFile(tmp_path / "token.secret").renew()
    assert house.registry.judge(token, None)[0] is Judgement.WRONG
    assert house.registry.judge(await house.registry.token_for("aa:bb"), None)[0] is Judgement.VALID


async def test_another_installation_on_a_paired_device_changes_nothing_until_it_is_let_in(house: House):
    await house.pair("aa:bb", "c")
    token = await house.registry.token_for("aa:bb")
    code = await house.registry.ask("aa:bb", "new")
    assert house.registry.is_paired("aa:bb", "c")
    assert house.registry.judge(token, None)[0] is Judgement.VALID
    await house.registry.confirm(code.code)
    assert house.registry.is_paired("aa:bb", "new")
    assert house.registry.judge(token, None)[0] is not Judgement.VALID, "it was the former installation's"


async def test_whoever_uses_a_devices_name_does_not_take_its_code_away(house: House):
    code = await house.registry.ask("aa:bb", "c", address="192.0.2.7")
    strangers = await house.registry.ask("aa:bb", "stranger", address="192.0.2.8")
    assert await house.registry.ask("aa:bb", "c", address="192.0.2.7") == code
    assert len(house.waiting) == 2, "it is not asked for again and again"
    assert await house.registry.confirm(code.code)
    assert house.registry.is_paired("aa:bb", "c")
    assert not house.registry.is_paired("aa:bb", "stranger")
    assert strangers.code != code.code


async def test_what_is_said_of_a_device_stays_when_it_is_let_in_again(house: House):
    await house.pair("aa:bb", "c")
    await house.registry.change("aa:bb", persona="Be brief.", name="kitchen")
    device = await house.pair("aa:bb", "c")
    assert (device.persona, device.name) == ("Be brief.", "kitchen")
    assert await house.registry.change("unknown", name="x") is None


async def test_only_so_many_may_wait_and_they_are_forgotten(house: House):
    for number in range(MOST_PENDING):
        await house.registry.ask(f"invented {number}", "")
    with pytest.raises(Overloaded):
        await house.registry.ask("one more", "")
    await house.registry.ask("invented 3", "")
    house.clock.now += PENDING_S + 1
    await house.registry.refresh()
    assert not house.registry.all()
    assert not await house.store.devices.all()
    await house.registry.ask("one more", "")


async def test_new_codes_are_made_and_shown_only_so_fast(house: House):
    for number in range(CODES_AT_ONCE):
        await house.registry.ask("aa:bb", f"installation {number}")
    with pytest.raises(Overloaded) as refused:
        await house.registry.ask("aa:bb", "one more")
    assert refused.value.retry_after_s == pytest.approx(1 / CODES_PER_S, abs=0.1)
    assert len(house.waiting) == CODES_AT_ONCE
    last = f"installation {CODES_AT_ONCE - 1}"
    assert (await house.registry.ask("aa:bb", last)) == house.waiting[-1][1], (
        "the one that holds is no new one"
    )
    await asyncio.sleep(1 / CODES_PER_S)
    await house.registry.ask("aa:bb", "one more")


async def test_one_stranger_cannot_keep_others_from_a_code(house: House):
    for number in range(CODES_AT_ONCE // CODES_PARTS):
        await house.registry.ask(f"invented {number}", "", address="2001:db8::1")
    with pytest.raises(RateLimited, match="too many codes") as refused:
        await house.registry.ask("one more", "", address="2001:db8::2")
    assert refused.value.retry_after_s == pytest.approx(CODES_PARTS / CODES_PER_S, abs=0.1)
    await house.registry.ask("kitchen", "", address="192.0.2.7")
    assert house.waiting[-1][0].id == "kitchen"


async def test_one_address_may_have_only_so_many_wait(house: House):
    for number in range(PENDING_SHARE):
        await house.registry.ask(f"invented {number}", "", address="192.0.2.1")
    await asyncio.sleep(CODES_PARTS / CODES_PER_S)
    with pytest.raises(RateLimited, match=f"{PENDING_SHARE} from this address"):
        await house.registry.ask("one more", "", address="192.0.2.1")


async def test_who_comes_to_a_full_house_gets_a_place_of_who_has_many(house: House):
    for number in range(MOST_PENDING):
        await house.registry.ask(f"invented {number:02}", "", address=f"192.0.2.{number % 6}")
        house.clock.now += 1
    first = next(code for _, code in house.waiting)
    await house.registry.refresh()
    await house.registry.ask("kitchen", "", address="192.0.2.77")
    assert len(house.registry.all()) == MOST_PENDING
    assert house.registry.get("invented 00") is None
    assert await house.store.devices.get("invented 00") is None
    late = await house.registry.confirm(first.code)
    assert late is not None, "its code still holds"
    assert house.registry.is_paired("invented 00", "")


async def test_whom_the_household_has_set_up_keeps_its_place(house: House):
    await house.registry.ask("attic", "")
    await house.registry.change("attic", language="zh")
    for number in range(MOST_PENDING):
        await house.registry.ask(f"invented {number}", "", address="" if number else "192.0.2.1")
    await house.registry.ask("kitchen", "", address="192.0.2.7")
    assert house.registry.get("attic") is not None
    assert house.registry.get("invented 1") is None


async def test_whoever_is_here_is_written_down_and_others_changes_are_seen(house: House):
    await house.pair("aa:bb")
    house.clock.now += 100
    house.registry.note_here("aa:bb")
    house.registry.note_here("unknown")
    stored = await house.store.devices.get("aa:bb")
    assert stored is not None
    await house.store.devices.save(replace(stored, name="by another server"))
    await house.registry.refresh()
    device = house.registry.get("aa:bb")
    assert device is not None
    assert (device.name, device.last_seen) == ("by another server", house.clock.now)
    assert await house.registry.forget("aa:bb")
    assert not await house.registry.forget("aa:bb")
    assert house.registry.get("aa:bb") is None


async def test_a_secret_that_others_may_read_lets_nobody_in(house: House, tmp_path: Path):
    await house.pair("aa:bb")
    token = await house.registry.token_for("aa:bb")
    (tmp_path / "token.secret").chmod(0o644)
    assert house.registry.judge(token, None)[0] is Judgement.WRONG


async def test_without_a_secret_there_are_no_tokens():
    registry = DeviceRegistry(MemoryStore(), Clock())
    await registry.confirm((await registry.ask("a", "")).code)
    assert await registry.token_for("a") == ""
    assert registry.judge("x", "a") == (Judgement.WRONG, "a")
    await registry.load()
    assert registry.is_paired("a", "")


async def test_what_a_device_calls_itself_counts_until_somebody_names_it(house):
    await house.pair("aa:bb")
    house.registry.note_here("aa:bb", "Box")
    assert house.registry.get("aa:bb").name == "Box"
    await house.registry.refresh()
    assert (await house.store.devices.get("aa:bb")).name == "Box"
    house.registry.note_here("aa:bb", "Another box")
    assert house.registry.get("aa:bb").name == "Box"
    await house.registry.change("aa:bb", name="Kitchen")
    house.registry.note_here("aa:bb", "Box")
    await house.registry.refresh()
    assert house.registry.get("aa:bb").name == "Kitchen"
    await house.registry.change("aa:bb", name="")
    house.registry.note_here("aa:bb", "Box")
    assert house.registry.get("aa:bb").name == "Box"


async def test_a_device_that_waits_may_still_say_its_name(house):
    await house.registry.ask("aa:bb", "c")
    await house.registry.ask("aa:bb", "d", name="Box")
    assert house.registry.get("aa:bb").name == "Box"
    await house.registry.ask("aa:bb", "e", name="Other")
    assert house.registry.get("aa:bb").name == "Box"
