from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lumi.commands.trusted import authority


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The authority of a server on this machine."""
    monkeypatch.setenv("LUMI_DATA_DIR", str(tmp_path))
    path = tmp_path / "tls" / "ca.pem"
    path.parent.mkdir()
    path.write_text("x")
    return path


def test_the_named_one_is_taken_else_that_of_the_server_here(own: Path):
    named = Path("named.pem")
    assert authority("wss://a/", named) == named
    assert authority("wss://a/", None) == own
    own.unlink()
    assert authority("wss://a/", None) is None


def test_without_tls_none_is_looked_for(own: Path):
    assert authority("ws://a/", None) is None


def test_without_the_servers_packages_it_is_looked_for_where_it_usually_is(
    own: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "lumi.config", None)
    monkeypatch.delattr("lumi.config", raising=False)
    assert authority("wss://a/", None) == own
    monkeypatch.delenv("LUMI_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(own.parents[1] / "nothing"))
    assert authority("wss://a/", None) is None


def test_wrong_settings_are_no_reason_not_to_connect(own: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LUMI_PORT", "nonsense")
    assert authority("wss://a/", None) == own
