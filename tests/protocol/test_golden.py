"""The samples in tests/golden against the types, the codec and both ends of a connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.protocol.ends import Ends, acquainted

from lumi.protocol.codec import decode_client, decode_server, encode
from lumi.protocol.connection import Connection, Role
from lumi.protocol.dialect import RULES, Dialect
from lumi.protocol.fields import tag_of
from lumi.protocol.messages import CLIENT_TYPES, SERVER_TYPES, ClientHello, Features, ServerHello

SAMPLES = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[1] / "golden").glob("*.json"))
}
BY_TAG = {tag_of(one): one for one in SERVER_TYPES}
CLIENT_BY_TAG = {tag_of(one): one for one in CLIENT_TYPES}

DIALECTS = {"lumi": ClientHello(id="h-1"), "xiaozhi": ClientHello()}


def named(**wanted: str) -> list[str]:
    names = {"who": "from"}
    return [
        name
        for name, sample in SAMPLES.items()
        if all(sample[names.get(key, key)] == value for key, value in wanted.items())
    ]


def holds(whole: Any, part: Any) -> bool:
    """Whether every field of `part` is in `whole` with the same value."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(
            name in whole and holds(whole[name], part[name]) for name in part
        )
    return type(whole) is type(part) and whole == part


def ends_for(sample: dict[str, Any]) -> Ends:
    """A server whose client has the sample's dialect and features, and has sent what the sample says it has."""
    hello = DIALECTS[sample["dialect"]]
    features = Features(**sample.get("features", {}))
    extra = frozenset(BY_TAG[tag] for tag in sample.get("extra", []))
    ends = acquainted(ClientHello(id=hello.id, features=features), extra=extra)
    for tag in sample.get("asked", []):
        ends.server.receive(json.dumps({"type": tag, "id": "x", "content": ""}))
    return ends


def test_every_type_has_a_sample_in_lumi():
    for who, types in (("client", CLIENT_TYPES), ("server", SERVER_TYPES)):
        shown = {SAMPLES[name]["message"]["type"] for name in named(who=who)}
        assert shown == {tag_of(one) for one in types}
    lumi = {SAMPLES[name]["message"]["type"] for name in named(who="client", dialect="lumi")}
    assert lumi == set(CLIENT_BY_TAG)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_every_type_a_dialect_gets_has_a_sample_in_it(dialect):
    shown = {SAMPLES[name]["message"]["type"] for name in named(who="server", dialect=dialect.value)}
    gets = {tag_of(kind) for kind, rule in RULES.items() if dialect in rule.dialects or rule.asked_by}
    assert shown >= gets - ({"goodbye"} if dialect is Dialect.XIAOZHI else set())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_samples_name_says_what_it_is(name):
    sample = SAMPLES[name]
    first = "founding" if sample["origin"] == "founding document" else sample["dialect"]
    assert name.startswith(f"{first}-{sample['from']}-{sample['message']['type']}")


@pytest.mark.parametrize("name", named(who="client"))
def test_a_clients_message_is_understood(name):
    message = SAMPLES[name]["message"]
    decoded = decode_client(json.dumps(message))
    assert type(decoded) is CLIENT_BY_TAG[message["type"]]
    ends = acquainted(DIALECTS[SAMPLES[name]["dialect"]])
    assert ends.server.receive(json.dumps(message)) == [decoded]


@pytest.mark.parametrize(
    "name", [*named(who="client", origin="founding document"), *named(who="client", origin="protocol")]
)
def test_our_client_writes_it_field_for_field(name):
    message = SAMPLES[name]["message"]
    assert json.loads(encode(decode_client(json.dumps(message)))) == message


@pytest.mark.parametrize("name", named(who="server", origin="protocol"))
def test_our_server_writes_it_field_for_field(name):
    sample = SAMPLES[name]
    decoded = decode_server(json.dumps(sample["message"]))
    if isinstance(decoded, ServerHello):
        written: Any = encode(decoded)
    else:
        written = ends_for(sample).server.send(decoded)
    assert json.loads(written) == sample["message"]


@pytest.mark.parametrize("name", named(who="server", origin="founding document"))
def test_the_founding_documents_answers_are_in_what_our_server_writes(name):
    sample = SAMPLES[name]
    decoded = decode_server(json.dumps(sample["message"]))
    written: Any = (
        encode(decoded) if isinstance(decoded, ServerHello) else ends_for(sample).server.send(decoded)
    )
    assert holds(json.loads(written), sample["message"])


@pytest.mark.parametrize("name", named(who="server", origin="protocol", dialect="lumi"))
def test_without_its_feature_it_is_not_sent(name):
    """A plain client gets the message without the optional fields, or not at all."""
    sample = SAMPLES[name]
    decoded = decode_server(json.dumps(sample["message"]))
    if isinstance(decoded, ServerHello):
        return
    written = acquainted(DIALECTS["lumi"]).server.send(decoded)
    if written is not None:
        assert isinstance(written, str)
        assert {"turn_id", "seq", "delta"}.isdisjoint(json.loads(written))
    assert (written is None) == (
        decoded.__struct_config__.tag in _NOT_PLAIN
        or not getattr(decoded, "is_final", True)
        or name.endswith("sentence_end")
    )


_NOT_PLAIN = {"cards", "llm", "notify", "mcp", "iot", "pong", "metrics", "alert", "system"}


@pytest.mark.parametrize("name", named(who="server"))
def test_a_client_understands_what_a_server_writes(name):
    message = SAMPLES[name]["message"]
    client = Connection(Role.CLIENT)
    client.send(ClientHello(id=message.get("id") if message["type"] == "hello" else "h"))
    if message["type"] != "hello":
        client.receive('{"type":"hello","id":"h","session_id":"ssssssss"}')
    (received,) = client.receive(json.dumps(message))
    assert type(received) is BY_TAG[message["type"]]
