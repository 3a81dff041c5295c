from __future__ import annotations

import pytest
from tests.commands.screen import AS_JSON, CHINESE, ENGLISH, Screen

from lumi.commands.console import Console, language_of
from lumi.errors import ConnectFailed


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE"}, "en"),
        ({"LANG": "C"}, "en"),
    ],
)
def test_the_language_is_the_locale_s(environ, language):
    assert language_of(environ) == language


def test_results_on_standard_output_all_else_on_standard_error(screen: Screen):
    ENGLISH.write("result")
    ENGLISH.write("half", newline=False)
    ENGLISH.note(zh="注意", en="note")
    ENGLISH.result({"ignored": True})
    assert screen.read() == ("result\nhalf", "note\n")


def test_json_is_the_only_thing_on_standard_output(screen: Screen):
    AS_JSON.write("ignored")
    AS_JSON.note(zh="注意", en="note")
    AS_JSON.result({"text": "三点"})
    assert screen.read() == ('{"text": "三点"}\n', "note\n")


def test_chinese(screen: Screen):
    CHINESE.note(zh="注意", en="note")
    CHINESE.fail(ConnectFailed("nobody there"))
    out, err = screen.read()
    assert out == ""
    assert err == "注意\n连接失败 — 请检查地址和端口，或先运行 lumi serve（nobody there）\n"


def test_a_failure_is_one_line_and_one_object(screen: Screen):
    Console("en", as_json=True).fail(ConnectFailed("nobody\nthere"))
    out, err = screen.read()
    assert err == "connection failed: nobody there\n"
    assert out == (
        '{"error": "ConnectFailed", "message": "connection failed: nobody there", "retryable": true}\n'
    )
