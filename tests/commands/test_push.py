from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.commands.test_devices import running, settings, told
from typer.testing import CliRunner

import lumi.cli
from lumi.commands.console import Console
from lumi.commands.push import Where, cancel, moment, push, seconds, shown, waiting
from lumi.errors import ConfigError, ConnectFailed, RequestRefused
from lumi.server.secret_file import ADMIN_TOKEN, SecretFile

TERMINAL = Console("en", as_json=True)
NOW = datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=8)))


@pytest.mark.real
async def test_words_for_a_device_are_sent_listed_and_taken_back(tmp_path, capsys):
    async with running(tmp_path) as (file, server):
        where = Where(file)
        await server.registry.confirm((await server.registry.ask("aa:bb/x", "c", name="Kitchen")).code)
        await push(TERMINAL, where, "kitchen", "Dinner is ready.", None, None)
        first: Any = told(capsys)
        assert (first["device_id"], first["status"]) == ("aa:bb/x", "waiting")
        await push(TERMINAL, where, "aa:bb/x", "Bedtime.", None, "1h30m")
        second: Any = told(capsys)
        assert second["status"] == "scheduled"
        assert second["due_at"] - second["created_at"] == pytest.approx(5400, abs=1)
        await waiting(Console("en"), where)
        lines = capsys.readouterr().out.splitlines()
        assert [line.split("  ")[0] for line in lines] == [first["id"], second["id"]]
        assert "when it is back" in lines[0]
        await cancel(TERMINAL, where, first["id"])
        assert told(capsys) == {"cancelled": first["id"]}
        with pytest.raises(RequestRefused, match="no message"):
            await cancel(TERMINAL, where, first["id"])
        with pytest.raises(RequestRefused, match=r"no device 'attic'; known are: Kitchen \(aa:bb/x\)"):
            await push(TERMINAL, where, "attic", "Hello.", None, None)


@pytest.mark.real
async def test_a_server_elsewhere_wants_its_admin_token(tmp_path, capsys):
    async with running(tmp_path) as (_, server):
        await server.registry.ask("aa:bb", "c")
        url, token = server.url, SecretFile(tmp_path / "data" / ADMIN_TOKEN).obtain()
        await push(TERMINAL, Where(None, url, token), "aa:bb", "Hello.", None, None)
        assert told(capsys)["status"] == "waiting"
        with pytest.raises(ConfigError, match="lumi token admin"):
            await waiting(TERMINAL, Where(None, url))
        with pytest.raises(RequestRefused, match="does not take this admin token"):
            await waiting(TERMINAL, Where(None, url, "wrong"))
    with pytest.raises(ConnectFailed, match="does not answer"):
        await waiting(TERMINAL, Where(None, url, token))
    with pytest.raises(ConfigError, match="no address of a server"):
        await waiting(TERMINAL, Where(None, "kitchen", token))


def test_without_a_server_it_waits_for_the_next_one(tmp_path: Path):
    file = settings(tmp_path, 1)

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(lumi.cli.app, [*arguments, "--config", str(file)])
        return done.exit_code, done.output

    assert run("token", "device", "program")[0] == 0
    code, said = run("push", "program", "Dinner is ready.", "--json")
    made = json.loads(said)
    assert (code, made["status"]) == (0, "waiting")
    code, said = run("push", "program", "Bedtime.", "--at", "2020-01-01T00:00")
    assert code == 2
    assert "366 days ahead" in said
    code, said = run("push", "--list")
    assert (code, "Dinner is ready." in said) == (0, True)
    assert run("push", "--cancel", made["id"])[0] == 0
    assert "Nothing waits" in run("push", "--list")[1]
    assert run("push", "--cancel", made["id"])[0] == 2
    code, said = run("push", "program")
    assert code == 2
    assert "say which device and what" in said
    code, said = run("push", "program", "x", "--at", "18:30", "--in", "5m")
    assert code == 2
    assert "not both" in said


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-31T18:30:00+00:00", datetime(2026, 1, 31, 18, 30, tzinfo=UTC)),
        ("2026-01-31T18:30Z", datetime(2026, 1, 31, 18, 30, tzinfo=UTC)),
        ("2026-01-31 18:30", datetime(2026, 1, 31, 18, 30).astimezone()),
        ("2026-01-31", datetime(2026, 1, 31).astimezone()),
        ("23:59", datetime(2026, 1, 5, 23, 59).astimezone()),
    ],
)
def test_a_moment_is_a_time_of_the_clock_or_of_a_day(text, at):
    now = datetime(2026, 1, 5, 9, 30).astimezone()
    assert moment(text, now) == at


def test_a_time_that_has_passed_is_tomorrows():
    now = datetime(2026, 1, 5, 9, 30).astimezone()
    assert moment("09:30", now) == datetime(2026, 1, 6, 9, 30).astimezone()
    assert moment("09:30:01", now) == datetime(2026, 1, 5, 9, 30, 1).astimezone()


@pytest.mark.parametrize("text", ["teatime", "25:00", "18:3", "", "2026-13-01"])
def test_what_is_no_time_is_told_so(text):
    with pytest.raises(ConfigError, match="18:30"):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("90", 90), ("1.5", 1.5), ("10m", 600), ("1h30m", 5400), ("two hours", 7200), ("十分钟", 600)],
)
def test_a_length_of_time_is_a_number_or_said_in_words(text, wanted):
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["soon", "nan", "inf", "", "-5m", " -5m", "-90"])
def test_what_is_no_length_of_time_is_told_so(text):
    with pytest.raises(ConfigError, match="1h30m"):
        seconds(text)


def test_the_day_is_shown_unless_it_is_today():
    assert shown(NOW.timestamp() + 60, NOW) == "09:31:00"
    assert shown(NOW.timestamp() + 86400, NOW) == "2026-01-06 09:30:00"
