from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lumi.cli
from lumi.commands.console import Console
from lumi.commands.devices import act, list_devices, place, secret
from lumi.commands.household import devices
from lumi.config import load
from lumi.errors import RequestRefused
from lumi.server.registry import DeviceRegistry
from lumi.server.server import Server
from lumi.store.sqlite import SqliteStore
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts, ScriptedVad

pytestmark = pytest.mark.real

TERMINAL = Console("en", as_json=True)


def settings(folder: Path, port: int) -> Path:
    file = folder / "lumi.toml"
    file.write_text(
        f'[server]\nport = {port}\ndata_dir = "{folder / "data"}"\npairing = true\n[log]\nfile = false\n'
    )
    return file


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[Path, Server]]:
    config = load(settings(folder, 0), environ={})
    engines = {"vad": ScriptedVad(), "stt": ScriptedStt(), "llm": ScriptedLlm(), "tts": ScriptedTts()}
    async with Server(config, **engines) as server:  # type: ignore[arg-type]
        yield settings(folder, server.port), server


async def ask(folder: Path, device_id: str) -> str:
    """A device that asked to be let in, before the server stopped."""
    store = await SqliteStore.open(folder / "data" / "lumi.db")
    try:
        import time

        return (await DeviceRegistry(store, time.time).ask(device_id, "c")).code
    finally:
        await store.aclose()


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


async def test_a_device_is_let_in_and_described_through_the_running_server(tmp_path, capsys):
    async with running(tmp_path) as (file, server):
        code = (await server.registry.ask("aa:bb/x", "c")).code
        done = {"zh": "{id}", "en": "{id}"}
        await act(TERMINAL, file, ("POST", "/api/v1/pairings", {"code": code}), done)
        assert told(capsys)["state"] == "paired"
        assert server.registry.is_paired("aa:bb/x", "c")
        await act(TERMINAL, file, ("PATCH", place("aa:bb/x"), {"persona": "Be brief."}), done)
        assert server._overrides("aa:bb/x").persona == "Be brief."
        assert server._overrides("unknown").persona is None
        await list_devices(TERMINAL, file)
        assert [device["id"] for device in told(capsys)["devices"]] == ["aa:bb/x"]  # type: ignore[attr-defined]
        await act(TERMINAL, file, ("DELETE", place("aa:bb/x"), None), done)
        assert server.registry.get("aa:bb/x") is None
        with pytest.raises(RequestRefused, match="no device shows this code"):
            await act(TERMINAL, file, ("POST", "/api/v1/pairings", {"code": code}), done)


async def test_without_a_server_the_same_is_done_in_its_store(tmp_path, capsys):
    file, code = settings(tmp_path, 1), await ask(tmp_path, "aa:bb")
    done = {"zh": "{id}", "en": "{id}"}
    await act(TERMINAL, file, ("POST", "/api/v1/pairings", {"code": code}), done)
    assert told(capsys)["state"] == "paired"
    async with devices(file) as household:
        assert (await household.call("PATCH", place("aa:bb"), {"name": "厨房"}))["name"] == "厨房"
        assert (await household.call("POST", place("aa:bb", "token")))["token"]
        assert (await household.call("POST", place("aa:bb", "revoke")))["state"] == "revoked"
        assert len((await household.call("GET", "/api/v1/devices"))["devices"]) == 1
        with pytest.raises(RequestRefused, match="language"):
            await household.call("PATCH", place("aa:bb"), {"language": "fr"})
        assert await household.call("DELETE", place("aa:bb")) == {}
        with pytest.raises(RequestRefused, match="no device"):
            await household.call("DELETE", place("aa:bb"))


async def test_secrets_are_printed_once_asked_for_and_renewed(tmp_path, capsys):
    file = settings(tmp_path, 1)
    await secret(TERMINAL, file, "admin", renew=False)
    first = told(capsys)["token"]
    await secret(TERMINAL, file, "admin", renew=False)
    assert told(capsys)["token"] == first
    await secret(TERMINAL, file, "admin", renew=True)
    assert told(capsys)["token"] != first
    await secret(TERMINAL, file, "tokens", renew=True)
    assert told(capsys) == {"rotated": True}


def test_the_commands_are_there_and_say_what_is_wrong(tmp_path: Path):
    file = settings(tmp_path, 1)
    run = CliRunner().invoke
    shown = run(lumi.cli.app, ["devices", "list", "--config", str(file)])
    assert shown.exit_code == 0
    assert "No device" in shown.output
    wrong = run(lumi.cli.app, ["devices", "pair", "000000", "--config", str(file)])
    assert wrong.exit_code == 2
    assert "no device shows this code" in wrong.output
    assert run(lumi.cli.app, ["devices", "set", "x", "--config", str(file)]).exit_code == 2
    strange = run(lumi.cli.app, ["devices", "set", "x", "--language", "fr", "--config", str(file)])
    assert strange.exit_code == 2
    assert "zh or en" in strange.output
    made = run(lumi.cli.app, ["token", "device", "program", "--config", str(file)])
    assert made.exit_code == 0
    assert made.output.strip().rpartition(".")[2].isdigit()
    for arguments in (
        ["devices", "name", "program", "kitchen"],
        ["devices", "set", "kitchen", "--persona", "Be brief.", "--language", "zh"],
        ["token", "rotate", "Kitchen"],
        ["devices", "revoke", "kitchen"],
        ["devices", "forget", "program"],
        ["token", "admin"],
        ["token", "rotate"],
    ):
        assert run(lumi.cli.app, [*arguments, "--config", str(file)]).exit_code == 0, arguments
