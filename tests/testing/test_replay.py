"""The scripts themselves, and the player where the server is not what it should be."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from lumi.errors import ConnectionLost
from lumi.protocol.client_profiles import choose
from lumi.protocol.dialect import detect
from lumi.protocol.messages import ClientHello
from lumi.testing.insistences import INSISTENCES, complaints
from lumi.testing.replay import Script, Step, replay, scripts
from lumi.transport.memory import memory_link_pair

SCRIPTS = scripts()
DOCS = Path(__file__).parents[2] / "docs" / "clients.md"

KINDS = {
    "firmware-v1",
    "firmware-v2",
    "firmware-v3",
    "gateway",
    "phone-two-hellos",
    "phone-impatient",
    "web",
    "desktop",
    "linux-board",
}


def test_every_kind_of_client_has_a_script() -> None:
    assert set(SCRIPTS) == KINDS


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_shows_the_signs_of_its_profile(name: str) -> None:
    script = SCRIPTS[name]
    said = next(step.send for step in script.steps if step.send is not None)
    hello = msgspec.convert(said, ClientHello)
    profile = choose(detect(hello), hello, script.headers, script.query)
    assert profile.name == script.profile
    assert script.gap_ms <= profile.gap_ms


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_insists_on_what_there_is(name: str) -> None:
    script = SCRIPTS[name]
    assert set(script.insists) <= set(INSISTENCES)
    assert len(set(script.insists)) == len(script.insists)
    assert len(script.heard) == script.answers


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_step_is_one_thing(name: str) -> None:
    for step in SCRIPTS[name].steps:
        ways = (step.send, step.expect, step.packets, step.pause_ms, step.speak_ms)
        assert sum(way is not None for way in ways) == 1


def test_the_page_on_clients_names_every_script() -> None:
    page = DOCS.read_text(encoding="utf-8")
    table = page.partition("| replay | profile | framing | who |\n|---|---|---|---|\n")[2].partition("\n\n")[
        0
    ]
    wanted = [f"| `{one.name}` | `{one.profile}` | {one.framing} | {one.about} |" for one in SCRIPTS.values()]
    assert table.splitlines() == wanted


def script(*steps: Step, insists: tuple[str, ...] = ("line_kept", "whole_answer")) -> Script:
    return Script("test", "A test.", "xiaozhi", frozenset(), (), (), insists, steps)


def test_a_step_that_nobody_knows_is_no_script() -> None:
    with pytest.raises(msgspec.ValidationError, match="shout"):
        msgspec.convert({"shout": 1}, Step)


@pytest.mark.parametrize("step", [Step(expect={"type": "hello"}), Step(packets=1)])
async def test_what_is_waited_for_in_vain_is_noted(step: Step) -> None:
    client, server = memory_link_pair()
    recording = await replay(client, script(step, Step(pause_ms=1)))
    assert recording.stuck.startswith("step 1 waited in vain")
    assert "whole_answer" in complaints(recording)
    with pytest.raises(ConnectionLost):
        await server.receive()


async def test_a_server_that_hangs_up_is_noted() -> None:
    client, server = memory_link_pair()
    await server.close(1011, "gone")
    recording = await replay(client, script(Step(expect={"type": "hello"})))
    assert recording.closed is not None
    assert recording.closed.code == 1011
    assert set(complaints(recording)) == {"line_kept", "whole_answer"}
