"""What a fuzzer calls is right on frames that are known, and found out where it is wrong; the fuzzer itself is optional."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumi.bench.rubbish import guided, targets
from lumi.bench.rubbish.targets import CUT, TARGETS
from lumi.protocol.messages import AudioFrame, ErrorCode, Fault


def test_the_command_knows_every_target() -> None:
    assert set(guided.NAMES) == set(TARGETS)


@pytest.mark.parametrize("name", TARGETS)
def test_frames_that_make_no_sense_raise_nothing(name: str) -> None:
    for seed in guided.seeds(name):
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
@given(st.binary(max_size=60) | st.lists(st.binary(max_size=20), max_size=4).map(CUT.join))
def test_nor_do_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


def breaks(_: object, **__: object) -> Any:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("name", "broken"),
    [("decode", "decode_client"), ("connection", "opened"), ("framing", "unpack"), ("opus", "OpusDecoder")],
)
def test_what_is_raised_within_comes_out(monkeypatch: pytest.MonkeyPatch, name: str, broken: str) -> None:
    monkeypatch.setattr(targets, broken, breaks if name != "framing" else lambda *_: breaks(0))
    with pytest.raises(ZeroDivisionError):
        TARGETS[name](b'{"type":"abort"}')


def test_a_message_that_is_read_again_as_another_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "encode", lambda _: '{"type":"ping"}')
    with pytest.raises(AssertionError, match="Abort"):
        targets.decode(b'{"type":"abort"}')


def test_sound_that_is_unpacked_otherwise_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "pack", lambda layout, frame: frame.payload + b"x")
    with pytest.raises(AssertionError, match="unpacked otherwise"):
        targets.framing(bytes([0]) + b"sound")


def test_a_fault_that_nobody_is_told_of_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Fault(ErrorCode.BAD_JSON, "x", None, None, None)
    link = SimpleNamespace(receive=lambda _: [AudioFrame(b"x"), fault])
    monkeypatch.setattr(targets, "opened", lambda _: link)
    with pytest.raises(AssertionError, match="nobody was told"):
        targets.connection(b"\0x")


def test_sound_of_an_impossible_length_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = SimpleNamespace(decode=lambda _: bytes(16 * 2 * 121), close=lambda: None)
    monkeypatch.setattr(targets, "OpusDecoder", lambda _: decoder)
    with pytest.raises(AssertionError, match="a packet of 121 ms"):
        targets.opus(b"\x02x")


def test_without_the_fuzzer_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert guided.main(["decode"]) == 2
    assert "pip install atheris" in " ".join(capsys.readouterr().err.split())


def test_a_target_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert guided.main(["everything"]) == 2
    assert "decode, framing, connection, opus" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(("returned", "code"), [(0, 0), (77, 1)])
def test_it_is_run_within_bounds_in_a_process_of_its_own(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, returned: int, code: int
) -> None:
    ran: list[list[str]] = []

    def run(line: list[str], *, check: bool) -> SimpleNamespace:
        ran.append(line)
        _, (own, corpus, words, *_) = json.loads(line[-1])
        assert own == str(tmp_path / "kept")
        assert any((tmp_path / corpus).iterdir())
        assert '"\\"session_id\\""' in (tmp_path / words.removeprefix("-dict=")).read_text(encoding="utf-8")
        return SimpleNamespace(returncode=returned)

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(subprocess, "run", run)
    assert guided.main(["framing", "--seconds", "7", "--corpus", str(tmp_path / "kept")]) == code
    ((_, _, child, said),) = ran
    target, arguments = json.loads(said)
    assert "import fuzz" in child
    assert target == "framing"
    assert {"-max_total_time=7", "-seed=1", "-rss_limit_mb=1024"} <= set(arguments)


def test_what_is_watched_is_imported_under_its_eyes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def watching(include: list[str]) -> AbstractContextManager[None]:
        seen.append(include)
        return nullcontext()

    fuzzer = SimpleNamespace(
        instrument_imports=watching,
        Setup=lambda arguments, target: seen.extend((arguments, target)),
        Fuzz=lambda: seen.append("fuzzed"),
    )
    monkeypatch.setitem(sys.modules, "atheris", fuzzer)
    guided.fuzz(json.dumps(["opus", ["-runs=1"]]))
    assert seen == [guided.WATCHED, ["guided", "-runs=1"], targets.opus, "fuzzed"]
