from __future__ import annotations

import re

import pytest

from lumi import errors
from lumi.client.error_handler import SERVER_WORDINGS, WORDINGS, explain, wording
from lumi.protocol.messages import ErrorCode


def tree(kind: type) -> list[type]:
    children: list[type] = kind.__subclasses__()
    return [kind, *(below for child in children for below in tree(child))]


def test_every_error_of_the_tree_has_words():
    ours = {kind for kind in tree(errors.LumiError) if kind.__module__ == "lumi.errors"}
    assert ours == set(WORDINGS)
    assert len(ours) > 20


def test_every_error_code_of_the_wire_has_words():
    assert set(ErrorCode) == set(SERVER_WORDINGS)
    advice = explain(errors.ServerError(ErrorCode.TOO_LARGE, "at most 8000"), "zh")
    assert advice.line == "消息太长 — 请缩短，或分成几条发送（at most 8000）"
    assert wording(errors.ServerError("of_tomorrow", "x")) is WORDINGS[errors.ServerError]


def test_where_the_server_says_what_helps_nothing_is_added_to_it():
    said = "Sorry, the language model does not accept my key. Please check the settings."
    error = errors.ServerError(ErrorCode.LLM_FAILED, said)
    assert explain(error).line == f"the answer could not be made: {said}"
    assert explain(error, "zh").line == f"回复生成失败：{said}"
    assert explain(errors.ServerError(ErrorCode.LLM_FAILED, "")).mend == "try again"


def made(kind: type[errors.LumiError]) -> errors.LumiError:
    """One of a kind, as it might be raised."""
    arguments: dict[type, tuple[object, ...]] = {
        errors.ConfigError: ("server.port", "wrong"),
        errors.ProtocolError: ("bad_json", "no JSON"),
        errors.FrameError: ("bad_message", "no frame"),
        errors.ConnectionRefused: (401, "no"),
        errors.ConnectionLost: (1006,),
        errors.MissingSessionId: (),
        errors.ServerError: ("internal", "oops"),
        errors.EngineError: ("espeak", "oops"),
        errors.EngineUnavailable: ("espeak", "install it"),
        errors.EngineTimeSpent: (60.0, 5.0, lambda: True),
        errors.ToolError: ("lamp", "it is gone"),
        errors.ToolUnanswered: ("lamp", "it said nothing"),
    }
    return kind(*arguments.get(kind, ("what happened and what helps",)))


RETRYABLE = {
    errors.ConnectFailed,
    errors.ConnectionLost,
    errors.HandshakeError,
    errors.HandshakeTimeout,
    errors.MissingSessionId,
    errors.NetworkUnavailable,
    errors.Overloaded,
    errors.RateLimited,
    errors.ReplyTimeout,
    errors.ServerError,
}


@pytest.mark.parametrize("kind", WORDINGS)
def test_every_error_says_what_and_whether_to_try_again_and_what_to_do(kind):
    error = made(kind)
    zh, en = explain(error, "zh"), explain(error, "en")
    assert zh.message
    assert zh.mend
    assert en.message
    assert str(error).split()[0] in en.line
    assert zh.retryable is en.retryable is (kind in RETRYABLE)


def test_all_chinese_words_are_chinese():
    for words in [*WORDINGS.values(), *SERVER_WORDINGS.values()]:
        assert re.search(r"[一-鿿]", words.zh)
        assert re.search(r"[一-鿿]", words.mend_zh)
        assert not re.search(r"[一-鿿]", words.en + words.mend_en)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.ConnectFailed("x"), "连接失败"),
        (errors.NotConnected("x"), "消息发送失败"),
        (errors.HandshakeTimeout("x"), "握手失败"),
        (errors.NetworkUnavailable("x"), "网络不可用"),
        (errors.MissingSessionId(), "服务器响应中缺少session_id"),
    ],
)
def test_the_founding_document_s_own_wordings(error, words):
    assert words in explain(error, "zh").line


def test_a_line_says_what_and_what_to_do():
    advice = explain(errors.ConnectionLost(1006, "gone\naway"), "en")
    assert advice.line == "connection lost: connection closed (1006: gone away) — connect again"
    assert advice.retryable
    assert (
        explain(errors.ConfigError("server.port", "wrong"), "en").line
        == "a setting is wrong: server.port: wrong"
    )


def test_an_error_without_words_of_its_own_gets_its_parent_s():
    class Odd(errors.ConnectFailed):
        pass

    assert wording(Odd("x")) is WORDINGS[errors.ConnectFailed]
    assert explain(errors.LumiError(), "en").message == "something went wrong"
    assert explain(errors.LumiError(), "zh").mend == WORDINGS[errors.LumiError].mend_zh


def test_what_is_not_ours_is_explained_too_and_not_retried():
    advice = explain(ValueError("odd"), "zh")
    assert advice.message == "出错了"
    assert not advice.retryable
