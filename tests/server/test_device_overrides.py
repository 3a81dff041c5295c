from lumi.server.device_overrides import NOTHING, DeviceOverrides, nothing


def test_the_upper_word_holds_and_where_it_says_nothing_the_lower():
    upper = DeviceOverrides(persona="", voice="a")
    lower = DeviceOverrides(persona="be kind", speed=1.2, tools_deny=("door_*",))
    assert upper.over(lower) == DeviceOverrides(persona="", voice="a", speed=1.2, tools_deny=("door_*",))
    assert NOTHING.over(lower) == lower
    assert lower.over(NOTHING) == lower


def test_nothing_is_said_unless_it_is():
    assert nothing("dev") is NOTHING
