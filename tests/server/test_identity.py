import pytest

from lumi.server.identity import (
    NAME_LIMIT,
    bare_token,
    client_name,
    device_name,
    is_this_machine,
    shown_token,
)
from lumi.transport.base import LinkInfo


@pytest.mark.parametrize(
    ("headers", "query", "token"),
    [
        ({"authorization": "Bearer let-me-in"}, {}, "let-me-in"),
        ({"authorization": "bearer  let-me-in "}, {}, "let-me-in"),
        ({"authorization": "let-me-in"}, {}, "let-me-in"),
        ({}, {"authorization": "let-me-in"}, "let-me-in"),
        ({}, {"authorization": "Bearer let-me-in"}, "let-me-in"),
        ({}, {}, ""),
    ],
)
def test_a_token_may_be_shown_in_several_ways(headers, query, token):
    assert shown_token(LinkInfo(headers=headers, query=query)) == token


@pytest.mark.parametrize(
    ("headers", "query", "claimed", "name"),
    [
        ({"device-id": "h"}, {"device-id": "q"}, "c", "h"),
        ({}, {"device-id": "q"}, "c", "q"),
        ({}, {}, "c", "c"),
        ({}, {}, None, None),
        ({"device-id": "  "}, {}, "c", "c"),
        ({"device-id": "a\nb\x1b[31m"}, {}, None, "ab[31m"),
        ({"device-id": "x" * 999}, {}, None, "x" * NAME_LIMIT),
    ],
)
def test_the_strongest_name_counts(headers, query, claimed, name):
    assert device_name(LinkInfo(headers=headers, query=query), claimed) == name


def test_an_installation_may_have_a_name():
    assert client_name(LinkInfo(headers={"client-id": "a\n"}, query={"client-id": "b"})) == "a"
    assert client_name(LinkInfo(query={"client-id": "b"})) == "b"
    assert client_name(LinkInfo()) == ""


@pytest.mark.parametrize(
    ("remote", "headers", "here"),
    [
        ("127.0.0.1", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("192.168.1.9", {}, False),
        ("fe80::1%eth0", {}, False),
        ("", {}, False),
        ("elsewhere", {}, False),
        ("127.0.0.1", {"x-forwarded-for": "192.168.1.9"}, False),  # a proxy asks for somebody else
        ("127.0.0.1", {"forwarded": "for=192.168.1.9"}, False),
    ],
)
def test_whether_a_peer_runs_on_this_machine(remote, headers, here):
    assert is_this_machine(LinkInfo(remote=remote, headers=headers)) is here


def test_a_token_is_bare_with_or_without_its_scheme():
    assert bare_token(" Bearer  x ") == bare_token("x") == bare_token("bearer x") == "x"
    assert bare_token("Bearer ") == bare_token("  ") == bare_token("")
