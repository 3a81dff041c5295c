"""Test doubles that ship: virtual time, scripted engines, a device at the wire, faulty links, conformance suites.

`clock`, `engines`, `sounds`, `device`, `wire` and `links` need neither sockets nor models; the suites in `transports`,
`stores` and `conformance` are imported by name.
"""

from __future__ import annotations

from lumi.testing.clock import Deadlock, OutOfTime, VirtualTimeLoop, WallClock, run
from lumi.testing.device import FakeDevice
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad, echo
from lumi.testing.leftovers import leaving_nothing
from lumi.testing.links import Faults, FaultyLink
from lumi.testing.sounds import loudness, silence, tone
from lumi.testing.wire import GATEWAY, V1, V2, V3, DeviceFraming, Received, SpokenTurn
from lumi.transport.memory import memory_link_pair

__all__ = [
    "GATEWAY",
    "V1",
    "V2",
    "V3",
    "Deadlock",
    "DeviceFraming",
    "FakeDevice",
    "Faults",
    "FaultyLink",
    "OutOfTime",
    "Received",
    "ScriptedDeviceTools",
    "ScriptedLlm",
    "ScriptedStt",
    "ScriptedTts",
    "ScriptedVad",
    "SpokenTurn",
    "VirtualTimeLoop",
    "WallClock",
    "echo",
    "leaving_nothing",
    "loudness",
    "memory_link_pair",
    "run",
    "silence",
    "tone",
]
