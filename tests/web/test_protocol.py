"""The page's messages against the Python types and the golden samples."""

import json
import typing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields
from tests.web.browsing import IN_BROWSER

from lumi.protocol.codec import MAX_CONTENT_CHARS, decode_client
from lumi.protocol.codes import FATAL_CLOSE_CODES, RETRYABLE
from lumi.protocol.faults import Limits
from lumi.protocol.fields import tag_of, words
from lumi.protocol.messages import CLIENT_TYPES, PROTOCOL_VERSION, SERVER_TYPES, Features

pytestmark = IN_BROWSER

SAMPLES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "golden").glob("*.json"))
}


def messages(who: str, *origins: str) -> dict[str, Any]:
    return {
        name: sample["message"]
        for name, sample in SAMPLES.items()
        if sample["from"] == who and (not origins or sample["origin"] in origins)
    }


def table(types) -> dict[str, dict[str, list[Any]]]:
    """Each message's fields as the types declare them: what they accept in words, and whether they must be there."""
    declared = {}
    for one in types:
        hints = typing.get_type_hints(one, include_extras=True)
        declared[tag_of(one)] = {
            field.encode_name: [words(hints[field.name]), field.required] for field in fields(one)
        }
    return declared


async def test_the_fields_are_those_of_the_python_types(module_page):
    told = await module_page.evaluate(
        """async () => {
          const { CLIENT_MESSAGES, SERVER_MESSAGES, field } = await import("/sdk/protocol.js");
          const tell = (fields) => Object.fromEntries(Object.entries(fields).map(([name, kind]) => {
            const { words, required } = field(kind);
            return [name, [words, required]];
          }));
          const all = (messages) => Object.fromEntries(Object.entries(messages).map(([type, f]) => [type, tell(f)]));
          return [all(CLIENT_MESSAGES), all(SERVER_MESSAGES)];
        }"""
    )
    assert told == [table(CLIENT_TYPES), table(SERVER_TYPES)]
    assert len(told[0]) == len(CLIENT_TYPES) > 8


async def test_numbers_and_names_are_those_of_the_protocol(module_page):
    told = await module_page.evaluate(
        """async () => {
          const { PROTOCOL_VERSION, MAX_CONTENT_CHARS, MAX_TEXT_BYTES } = await import("/sdk/protocol.js");
          const { FATAL_CLOSE_CODES, RETRYABLE } = await import("/sdk/errors.js");
          const { FEATURES } = await import("/sdk/lumi.js");
          return [PROTOCOL_VERSION, MAX_CONTENT_CHARS, MAX_TEXT_BYTES, FATAL_CLOSE_CODES, RETRYABLE, Object.keys(FEATURES)];
        }"""
    )
    assert told[:3] == [PROTOCOL_VERSION, MAX_CONTENT_CHARS, Limits().text_bytes]
    assert set(told[3]) == FATAL_CLOSE_CODES
    assert set(told[4]) == {code.value for code in RETRYABLE}
    assert set(told[5]) <= {field.name for field in fields(Features)}


async def test_every_golden_sample_of_a_server_is_read(module_page):
    read = await module_page.evaluate(
        """async (samples) => {
          const { decodeServer } = await import("/sdk/protocol.js");
          return Object.fromEntries(Object.entries(samples).map(([name, text]) => [name, decodeServer(text)]));
        }""",
        {name: json.dumps(message) for name, message in messages("server").items()},
    )
    for name, message in messages("server").items():
        assert read[name].items() >= message.items(), name
        added = read[name].keys() - message.keys()
        assert not added or name.startswith(("founding", "xiaozhi")), f"{name}: {added}"


async def test_every_golden_sample_of_a_client_is_read_and_written_again(module_page):
    written = await module_page.evaluate(
        """async (samples) => {
          const { decodeClient, encode } = await import("/sdk/protocol.js");
          return Object.fromEntries(Object.entries(samples).map(([name, text]) => [name, encode(decodeClient(text))]));
        }""",
        {name: json.dumps(message) for name, message in messages("client").items()},
    )
    for name, message in messages("client").items():
        said = {key: value for key, value in message.items() if value is not None}
        assert json.loads(written[name]) == said, name


async def test_what_the_client_says_is_the_golden_sample_field_for_field(module_page):
    """From the values alone: names, order of rooms and what is left out are the module's own doing."""
    ours = messages("client", "founding document", "protocol")
    written = await module_page.evaluate(
        """async (samples) => {
          const { clientMessage, encode, hello } = await import("/sdk/protocol.js");
          return Object.fromEntries(Object.entries(samples).map(([name, sample]) => {
            const { type, session_id, device_id, timestamp, ...own } = sample;
            const stamped = clientMessage(type, type === "ping" ? { ...own, timestamp } : own,
              { session_id, device_id, timestamp });
            const greeting = () => hello(sample.id, {
              deviceId: device_id, deviceInfo: own.device_info, audioParams: own.audio_params,
              features: { ...own.features, metrics: false }, resume: own.resume,
            });
            return [name, encode(type === "hello" ? greeting() : stamped)];
          }));
        }""",
        ours,
    )
    for name, message in ours.items():
        assert json.loads(written[name]) == message, name
        assert tag_of(type(decode_client(written[name]))) == message["type"]


@pytest.mark.parametrize(
    ("text", "code", "words_of_it"),
    [
        ("{", "bad_json", "not JSON"),
        ("[]", "bad_message", "object"),
        ("{}", "unknown_type", "undefined"),
        ('{"type":"toString"}', "unknown_type", "toString"),
        ('{"type":"stt"}', "bad_message", "stt.text is missing; accepted: text"),
        ('{"type":"tts","state":"pause"}', "bad_message", '"sentence_end" or "stop"'),
        ('{"type":"response","id":7}', "bad_message", "response.id is 7; accepted: text or null"),
        ('{"type":"stt","text":"a","is_final":"yes"}', "bad_message", "true or false"),
        ('{"type":"stt","text":"a","seq":1.5}', "bad_message", "a whole number"),
        ('{"type":"iot","commands":[1]}', "bad_message", "a list of objects"),
        ('{"type":"hello","features":[]}', "bad_message", "an object"),
    ],
)
async def test_nonsense_is_named(module_page, text, code, words_of_it):
    said = await module_page.evaluate(
        """async (text) => {
          const { decodeServer } = await import("/sdk/protocol.js");
          try { decodeServer(text); } catch (error) { return [error.name, error.code, error.message]; }
        }""",
        text,
    )
    assert said is not None
    assert said[:2] == ["LumiError", code]
    assert words_of_it in said[2]


async def test_our_own_mistakes_are_named_before_they_go_out(module_page):
    said = await module_page.evaluate(
        """async () => {
          const { encode, newId } = await import("/sdk/protocol.js");
          const told = [];
          for (const message of [
            { type: "listen", state: "start", mode: "loud" }, { type: "chat", id: "", content: "a" },
            { type: "played", turn_id: "t", ms: -1 }, { type: "ack", seq: 1.5 }, { type: "response", id: "a" },
          ]) try { told.push(encode(message)); } catch (error) { told.push(error.message); }
          return [told, new Set(Array.from({ length: 100 }, newId)).size];
        }"""
    )
    assert said[1] == 100
    assert [problem.split(";")[0] for problem in said[0]] == [
        'listen.mode is "loud"',
        'chat.id is ""',
        "played.ms is -1",
        "ack.seq is 1.5",
        'type "response" is not known here',
    ]
