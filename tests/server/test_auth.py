import pytest

from lumi.server.auth import NAME_LIMIT, Doorkeeper, Verdict, device_name, shown_token
from lumi.transport.base import LinkInfo

AT_HOME = Doorkeeper()
ON_THE_LAN = Doorkeeper(host="0.0.0.0")
WITH_TOKEN = Doorkeeper(host="0.0.0.0", token="let-me-in")


def info(origin: str | None = None, host: str = "", **headers: str) -> LinkInfo:
    given = {"host": host, **headers}
    return LinkInfo(headers=given if origin is None else given | {"origin": origin})


@pytest.mark.parametrize("keeper", [AT_HOME, ON_THE_LAN])
def test_what_is_no_browser_has_no_origin_and_may_come(keeper):
    assert keeper.judge(info()) is Verdict.WELCOME


@pytest.mark.parametrize(
    "origin",
    [
        "http://127.0.0.1:8000",
        "http://localhost:3000",
        "https://localhost",
        "http://[::1]:8000",
        "http://LOCALHOST:1",
    ],
)
def test_pages_of_this_machine_may_come(origin):
    assert AT_HOME.judge(info(origin, "127.0.0.1:8000")) is Verdict.WELCOME


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "127.0.0.1:8000"),
        ("http://evil.example:8000", "evil.example:8000"),  # a name that somebody points at this machine
        ("http://localhost.evil.example", "127.0.0.1:8000"),
        ("http://127.0.0.1.evil.example", "127.0.0.1:8000"),
        ("null", "127.0.0.1:8000"),
        ("", "127.0.0.1:8000"),
        ("file://", "127.0.0.1:8000"),
        ("chrome-extension://localhost", "127.0.0.1:8000"),
        ("http://localhost:not-a-port", "127.0.0.1:8000"),
        ("http://[::1", "127.0.0.1:8000"),
        (
            "http://192.168.1.9:8000",
            "192.168.1.9:8000",
        ),  # only this machine is served: nobody is there by that name
    ],
)
def test_other_pages_may_not(origin, host):
    assert AT_HOME.judge(info(origin, host)) is Verdict.BAD_ORIGIN


@pytest.mark.parametrize(
    "authority",
    ["192.168.1.9:8000", "lumi.local:8000", "lumi", "lumi.lan", "[fd00::1]:8000", "Lumi.Local:8000"],
)
def test_a_server_at_home_serves_its_own_page(authority):
    assert ON_THE_LAN.judge(info(f"http://{authority}", authority)) is Verdict.WELCOME


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://192.168.1.9:8000", "192.168.1.9:9000"),
        ("http://192.168.1.8:8000", "192.168.1.9:8000"),
        ("http://evil.example", "evil.example"),
        ("http://lumi.local", "x:y"),
    ],
)
def test_but_not_others_and_no_name_of_the_open_web(origin, host):
    assert ON_THE_LAN.judge(info(origin, host)) is Verdict.BAD_ORIGIN


def test_where_a_token_is_asked_for_the_name_does_not_matter():
    came = info("https://lumi.example", "lumi.example", authorization="Bearer let-me-in")
    assert WITH_TOKEN.judge(came) is Verdict.WELCOME


def test_pages_may_be_listed():
    keeper = Doorkeeper(origins=("https://Home.example/", "http://b.example:3000"))
    assert keeper.judge(info("https://home.example")) is Verdict.WELCOME
    assert keeper.judge(info("http://b.example:3000")) is Verdict.WELCOME
    assert keeper.judge(info("http://b.example")) is Verdict.BAD_ORIGIN
    assert Doorkeeper(origins=("*",)).judge(info("null")) is Verdict.WELCOME


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
    came = LinkInfo(headers=headers, query=query)
    assert shown_token(came) == token
    assert WITH_TOKEN.judge(came) is (Verdict.WELCOME if token else Verdict.BAD_TOKEN)


def test_a_wrong_token_is_refused_and_any_is_ignored_where_none_is_asked_for():
    came = info(authorization="Bearer wörng")
    assert WITH_TOKEN.judge(came) is Verdict.BAD_TOKEN
    assert AT_HOME.judge(came) is Verdict.WELCOME


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
