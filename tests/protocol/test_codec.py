from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.ends import FUZZ

from lumi.errors import ProtocolError
from lumi.protocol.codec import decode_client, decode_server, encode, error_message, message_id
from lumi.protocol.messages import (
    Chat,
    ClientHello,
    ErrorCode,
    Listen,
    Mcp,
    Ping,
    Pong,
    Response,
    Stt,
)

BIG = "9" * 5_000


def refused(text: str | bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        decode_client(text)
    return caught.value


def test_a_message_decodes_to_its_type():
    assert decode_client('{"type":"chat","id":"1","content":"hi","more":[1]}') == Chat(id="1", content="hi")
    assert decode_client(b'{"type":"ping"}') == Ping()
    assert decode_server('{"type":"stt","text":"hi","confidence":1}') == Stt(text="hi", confidence=1.0)


@pytest.mark.parametrize(
    ("text", "code", "says", "message_id"),
    [
        ("", ErrorCode.BAD_JSON, "not JSON (input data was truncated); accepted: one JSON object", None),
        ("hello", ErrorCode.BAD_JSON, "not JSON (invalid character (byte 0))", None),
        ('{"type":"ping"} {}', ErrorCode.BAD_JSON, "trailing characters", None),
        ('{"id":"a7","type":"chat","content":"x', ErrorCode.BAD_JSON, "truncated", "a7"),
        ('{"type":"chat", "id" : "a7","content":', ErrorCode.BAD_JSON, "truncated", "a7"),
        ('{"payload":{"id":"inner"},"id":', ErrorCode.BAD_JSON, "truncated", None),
        ('{"type":"ping","timestamp":NaN}', ErrorCode.BAD_JSON, "invalid character", None),
        (b'{"type":"chat","id":"a7","content":"\xff"}', ErrorCode.BAD_JSON, "not JSON (not UTF-8)", "a7"),
        ('{"type":"chat","id":"a7","content":"\ud800"}', ErrorCode.BAD_JSON, "half a surrogate pair", "a7"),
        (r'{"type":"chat","id":"a7","content":"\ud83d"}', ErrorCode.BAD_JSON, "half a surrogate pair", "a7"),
        ("[]", ErrorCode.BAD_MESSAGE, "a list is no message; accepted: one JSON object with a `type`", None),
        ('"chat"', ErrorCode.BAD_MESSAGE, '"chat" is no message', None),
        ("{}", ErrorCode.BAD_MESSAGE, "type is missing; accepted: hello, chat, listen, abort", None),
        ('{"type":5,"id":"a7"}', ErrorCode.BAD_MESSAGE, "type is 5; accepted: hello, chat", "a7"),
        ('{"type":{},"id":"a7"}', ErrorCode.BAD_MESSAGE, "type is an object; accepted", "a7"),
        (
            '{"type":"response","id":7}',
            ErrorCode.UNKNOWN_TYPE,
            'type "response" is unknown; accepted: hello',
            "7",
        ),
        ('{"type":"x","id":true}', ErrorCode.UNKNOWN_TYPE, "accepted: hello, chat", None),
        ('{"type":"x","id":1.5}', ErrorCode.UNKNOWN_TYPE, "accepted: hello, chat", None),
        ('{"type":"chat","id":"a7"}', ErrorCode.BAD_MESSAGE, "chat.content is missing; accepted: text", "a7"),
        (
            '{"type":"chat","content":"x"}',
            ErrorCode.BAD_MESSAGE,
            "chat.id is missing; accepted: text of 1",
            None,
        ),
        ('{"type":"chat","id":5,"content":""}', ErrorCode.BAD_MESSAGE, "chat.id is 5; accepted: text", "5"),
        (
            '{"type":"chat","id":"","content":""}',
            ErrorCode.BAD_MESSAGE,
            'chat.id is ""; accepted: text of 1',
            "",
        ),
        (
            '{"type":"listen","state":"begin"}',
            ErrorCode.BAD_MESSAGE,
            'listen.state is "begin"; accepted: "start", "stop" or "detect"',
            None,
        ),
        (
            '{"type":"listen","state":"start","mode":"loud"}',
            ErrorCode.BAD_MESSAGE,
            'listen.mode is "loud"; accepted: "auto", "manual", "realtime" or null',
            None,
        ),
        (
            '{"type":"hello","audio_params":{"sample_rate":"16k"}}',
            ErrorCode.BAD_MESSAGE,
            'hello.audio_params.sample_rate is "16k"; accepted: a whole number',
            None,
        ),
        (
            '{"type":"hello","resume":{}}',
            ErrorCode.BAD_MESSAGE,
            "hello.resume.session_id is missing; accepted: text",
            None,
        ),
        (
            '{"type":"iot","states":[{},3]}',
            ErrorCode.BAD_MESSAGE,
            "iot.states[1] is 3; accepted: an object",
            None,
        ),
        (
            '{"type":"ack","seq":-1}',
            ErrorCode.BAD_MESSAGE,
            "ack.seq is -1; accepted: a whole number from 0",
            None,
        ),
        (
            '{"type":"played","turn_id":"t","ms":-1}',
            ErrorCode.BAD_MESSAGE,
            "accepted: a number from 0 up",
            None,
        ),
        (f'{{"type":"chat","id":"{"x" * 99}","content":7}}', ErrorCode.BAD_MESSAGE, "content is 7", "x" * 99),
        (
            f'{{"type":"listen","state":"{"x" * 99}"}}',
            ErrorCode.BAD_MESSAGE,
            f'is "{"x" * 39}…; accepted',
            None,
        ),
        ('{"type":"chat","id":"a7","content":[1]}', ErrorCode.BAD_MESSAGE, "chat.content is a list", "a7"),
        (
            '{"type":"chat","type":"ping","id":"a7","content":""}',
            ErrorCode.BAD_MESSAGE,
            "type is there more",
            "a7",
        ),
        (
            f'{{"id":"a7","type":"ping","timestamp":{BIG}}}',
            ErrorCode.BAD_MESSAGE,
            "timestamp is out of range",
            "a7",
        ),
        (
            f'{{"type":"mcp","payload":{{"n":{BIG}}}}}',
            ErrorCode.BAD_MESSAGE,
            "is out of range; accepted",
            None,
        ),
        (f'{{"type":"nonsense","n":{BIG}}}', ErrorCode.BAD_MESSAGE, "a number is out of range", None),
        (
            '{"id":"a7","type":"ping","timestamp":1e999}',
            ErrorCode.BAD_MESSAGE,
            "timestamp is out of range",
            "a7",
        ),
        ("[" * 60_000, ErrorCode.BAD_MESSAGE, "nested too deeply", None),
        ('{"id":"a7","type":"ping","x":' + "[" * 60_000, ErrorCode.BAD_MESSAGE, "nested too deeply", "a7"),
        ('{"type":"mcp","payload":' + '{"a":' * 10_000, ErrorCode.BAD_MESSAGE, "nested too deeply", None),
    ],
)
def test_what_makes_no_sense_is_named(text, code, says, message_id):
    error = refused(text)
    assert error.code == code
    assert says in str(error)
    assert error.message_id == message_id


def test_a_value_the_path_does_not_lead_to_is_not_shown():
    with pytest.raises(ProtocolError, match=r"stages.* is not what is accepted; accepted: a number"):
        decode_server('{"type":"metrics","turn_id":"t","stages":{"stt":"slow"}}')


def test_the_server_side_names_its_own_types():
    with pytest.raises(ProtocolError, match="accepted: hello, response, stt") as caught:
        decode_server('{"type":"chat"}')
    assert caught.value.code == ErrorCode.UNKNOWN_TYPE


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{{"type":"chat","id":"a7","content":"{}"}}', "chat.content"),
        ('{{"type":"listen","state":"detect","id":"a7","text":"{}"}}', "listen.text"),
    ],
)
def test_text_beyond_the_limit_is_too_large(text, name):
    decode_client(text.format("语" * 8_000))
    error = refused(text.format("语" * 8_001))
    assert error.code == ErrorCode.TOO_LARGE
    assert str(error) == f"{name} has 8001 characters; accepted: at most 8000"
    assert error.message_id == "a7"


def test_length_is_counted_in_characters_of_the_text_not_of_the_json():
    assert isinstance(decode_client('{"type":"chat","id":"1","content":"' + "\\u8bed" * 8_000 + '"}'), Chat)
    assert isinstance(decode_client('{"type":"mcp","payload":{"text":"' + "x" * 9_000 + '"}}'), Mcp)
    assert isinstance(decode_client('{"type":"listen","state":"stop","x":"' + "x" * 9_000 + '"}'), Listen)


@pytest.mark.parametrize(
    ("confidence", "on_the_wire"),
    [(1, "1.0"), (0, "0.0"), (0.5, "0.5"), (float("nan"), "0.0"), (float("inf"), "0.0")],
)
def test_confidence_is_always_a_float_on_the_wire(confidence, on_the_wire):
    assert f'"confidence":{on_the_wire},' in encode(Stt(text="hi", confidence=confidence))


def test_text_that_is_no_unicode_is_sent_with_a_question_mark():
    sent = json.loads(encode(Response(id="1", content="a\ud83db", session_id="s", timestamp=5)))
    assert sent == {
        "type": "response",
        "id": "1",
        "content": "a?b",
        "session_id": "s",
        "timestamp": 5,
        "is_final": True,
    }


def test_the_hello_always_says_version_and_transport():
    assert encode(ClientHello(id="1")) == '{"type":"hello","id":"1","version":1,"transport":"websocket"}'


def test_an_error_has_both_pairs_of_fields():
    error = ProtocolError(ErrorCode.BAD_MESSAGE, "no", message_id="a7")
    assert json.loads(encode(error_message(error, session_id="s", timestamp=9))) == {
        "type": "error",
        "id": "a7",
        "request_id": "a7",
        "error_code": "bad_message",
        "error_message": "no",
        "code": 4002,
        "message": "no",
        "session_id": "s",
        "timestamp": 9,
        "retryable": False,
    }


def test_an_error_before_hello_has_no_session_and_says_when_to_retry():
    reply = json.loads(encode(error_message(ProtocolError(ErrorCode.OVERLOADED, "full"), retry_after_s=2.0)))
    assert "session_id" not in reply
    assert (reply["id"], reply["retryable"], reply["retry_after"]) == (None, True, 2.0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "id",
        "type",
        "content",
        "state",
        "mode",
        "text",
        "features",
        "audio_params",
        "payload",
        "seq",
        "ms",
        "turn_id",
        "version",
        "resume",
        "descriptors",
    ]
)
types = st.sampled_from(
    [
        "hello",
        "chat",
        "listen",
        "abort",
        "played",
        "mcp",
        "iot",
        "goodbye",
        "ping",
        "ack",
        "stt",
        "tts",
        "response",
        "error",
        "x",
    ]
)
shaped = st.builds(
    lambda tag, fields: json.dumps({**fields, "type": tag}),
    types,
    st.dictionaries(names, json_values, max_size=6),
)


@FUZZ
@given(
    st.sampled_from([decode_client, decode_server]),
    st.one_of(shaped, shaped.map(lambda text: text[:-2]), st.text(), st.binary()),
)
def test_anything_decodes_or_is_a_named_error(decode, data):
    error = None
    try:
        message = decode(data)
    except ProtocolError as raised:
        error = raised
    if error is None:
        assert type(decode(encode(message))) is type(message)
    else:
        assert ErrorCode(error.code)
        assert str(error)
        assert error.message_id is None or isinstance(error.message_id, str)


def test_a_huge_whole_number_comes_back_as_it_came():
    ping = decode_client('{"type":"ping","timestamp":100000000000000000000000000}')
    assert isinstance(ping, Ping)
    assert '"timestamp":100000000000000000000000000' in encode(Pong(timestamp=ping.timestamp))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type":"chat","id":"c","content":7}', "c"),
        ('{"id":5}', "5"),
        ('{"id":"c","type":', "c"),
        ('{"id":true}', None),
        ("[]", None),
        ("", None),
        ('{"x":' + "[" * 3_000, None),
    ],
)
def test_the_id_of_a_message_that_is_not_looked_at(text, expected):
    assert message_id(text) == expected
