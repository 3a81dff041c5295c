"""Things of older boards. Whole conversations are in test_device_tools.py."""

from __future__ import annotations

from lumi.protocol.iot import MAX_THINGS
from lumi.protocol.messages import ClientIot, ServerIot
from lumi.server.device_iot import DeviceIot

LAMP = {
    "name": "Lamp",
    "properties": {"on": {"description": "lit"}},
    "methods": {"Toggle": {"description": "flips"}},
}


def test_a_thing_has_a_state_and_methods() -> None:
    sent: list[ServerIot] = []
    iot = DeviceIot(sent.append)
    iot.take(ClientIot(descriptors=[LAMP], states=[{"name": "Lamp", "state": {"on": True}}]))
    state, toggle = iot.tools()
    assert (state.name, state.description) == ("Lamp.state", "How it is now. on: lit")
    assert (toggle.name, toggle.description) == ("Lamp.Toggle", "flips")
    assert iot.call(state, {}).text == '{"on": true}'
    assert not iot.call(toggle, {}).failed
    assert sent == [ServerIot(commands=[{"name": "Lamp", "method": "Toggle", "parameters": {}}])]


def test_states_are_joined_and_descriptions_replaced() -> None:
    iot = DeviceIot(lambda _: None)
    iot.take(ClientIot(descriptors=[LAMP]))
    for state in ({"on": True, "hue": 3}, {"on": False}):
        iot.take(ClientIot(states=[{"name": "Lamp", "state": state}]))
    assert iot.call(next(iot.tools()), {}).text == '{"on": false, "hue": 3}'
    iot.take(ClientIot(descriptors=[{"name": "Lamp", "methods": {}}]))
    assert list(iot.tools()) == []


def test_things_are_bounded() -> None:
    iot = DeviceIot(lambda _: None)
    iot.take(ClientIot(descriptors=[LAMP | {"name": f"L{n}"} for n in range(1000)]))
    iot.take(ClientIot(states=[{"name": f"S{n}", "state": {}} for n in range(1000)]))
    assert len(list(iot.tools())) == 2 * MAX_THINGS
