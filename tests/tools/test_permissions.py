from __future__ import annotations

import pytest

from lumi.tools.permissions import Rule, fits, permitted

CHILDREN = Rule(devices=("nursery-*",), allow=("lumi.*", "home.light*"), deny=("home.light_show",))


@pytest.mark.parametrize(
    ("device", "tool", "may"),
    [
        ("nursery-1", "lumi.set_timer", True),
        ("nursery-1", "home.light_on", True),
        ("nursery-1", "home.light_show", False),
        ("nursery-1", "shop.order", False),
        ("NURSERY-1", "Shop.Order", False),
        ("kitchen", "shop.order", True),
    ],
)
def test_a_rule_is_about_its_devices(device: str, tool: str, may: bool):
    assert permitted([CHILDREN], device, tool) is may


def test_all_rules_about_a_device_count():
    nobody_shops = Rule(deny=("shop.*",))
    assert not permitted([nobody_shops, CHILDREN], "kitchen", "shop.order")
    assert permitted([nobody_shops, CHILDREN], "nursery-2", "lumi.set_timer")
    assert permitted([], "anybody", "anything")


def test_patterns():
    assert fits("home.UnlockDoor", ["*unlock*"])
    assert not fits("home.lock", ["*unlock*"])
    assert not fits("home.lock", [])
