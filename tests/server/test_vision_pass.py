"""Passes for pictures: whose they are, and what makes them void."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumi.protocol.mcp import VisionAccess
from lumi.server import tokens
from lumi.server.registry import DeviceRegistry
from lumi.server.secret_file import SecretFile
from lumi.server.tokens import Judgement
from lumi.server.vision_pass import PATH, VisionPasses
from lumi.store.memory import MemoryStore

BASE = "https://lumi.local:8443/"


class House:
    """Passes over a secret in a file."""

    def __init__(self, directory: Path, *, needed: bool = True) -> None:
        self.now = 1_700_000_000.0
        self.secret = SecretFile(directory / "token.secret")
        self.registry = DeviceRegistry(MemoryStore(), lambda: self.now, self.secret)
        self.passes = VisionPasses(self.secret, self.registry, lambda: self.now, needed=needed)

    def token(self, device_id: str) -> str:
        access = self.passes.access(device_id, BASE)
        assert access is not None
        assert access.url == BASE.rstrip("/") + PATH
        return access.token


def test_where_nothing_has_to_be_shown_there_is_an_address_alone(tmp_path: Path) -> None:
    house = House(tmp_path, needed=False)
    assert house.passes.access("cam", "http://a") == VisionAccess(f"http://a{PATH}", "")
    assert house.passes.access("cam", "") is None, "it is not known by which address the device reaches us"


def test_a_pass_names_its_device(tmp_path: Path) -> None:
    house = House(tmp_path)
    for name in ("cam", "aa:bb:cc", "相机"):
        token = house.token(name)
        assert token.isascii()
        assert house.passes.judge(token) == (Judgement.VALID, name)


def test_a_device_whose_name_cannot_be_signed_gets_none(tmp_path: Path) -> None:
    assert House(tmp_path).passes.access("a|b", BASE) is None


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "!.x.1", "//8.x.1", "Y2Ft.x.1", "é.x.1"])
def test_what_is_none_is_wrong(tmp_path: Path, token: str) -> None:
    house = House(tmp_path)
    assert house.passes.judge(token)[0] is Judgement.WRONG, "without a secret"
    assert house.token("cam")
    assert house.passes.judge(token)[0] is Judgement.WRONG


def test_another_name_does_not_fit_the_signature(tmp_path: Path) -> None:
    house = House(tmp_path)
    name, *_ = house.token("other").split(".")
    _, *rest = house.token("cam").split(".")
    assert house.passes.judge(".".join([name, *rest]))[0] is Judgement.WRONG


async def test_it_opens_no_other_door(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.registry.grant("cam")
    _, _, rest = house.token("cam").partition(".")
    for shown in (house.token("cam"), rest):
        assert house.registry.judge(shown, "cam")[0] is Judgement.WRONG
    device_token = await house.registry.token_for("cam")
    assert house.passes.judge(device_token)[0] is Judgement.WRONG


async def test_it_ends_with_its_time_and_with_the_tokens_of_its_device(tmp_path: Path) -> None:
    house = House(tmp_path)
    await house.registry.grant("cam")
    token = house.token("cam")
    await house.registry.rotate("cam")
    assert house.passes.judge(token)[0] is Judgement.VOID
    token = house.token("cam")
    assert house.passes.judge(token)[0] is Judgement.VALID
    house.now += tokens.VALID_S + 2
    assert house.passes.judge(token)[0] is Judgement.EXPIRED


def test_a_secret_that_others_may_read_makes_none(tmp_path: Path) -> None:
    house = House(tmp_path)
    token = house.token("cam")
    house.secret.path.chmod(0o644)
    assert house.passes.access("cam", BASE) is None
    assert house.passes.judge(token)[0] is Judgement.WRONG
