import pytest

from lumi.server.origins import Origins

AT_HOME = Origins()
ON_THE_LAN = Origins("0.0.0.0")


def allowed(rule: Origins, origin: str | None, host: str = "", *, any_name: bool = False) -> bool:
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    return rule.allow(headers, any_name=any_name)


@pytest.mark.parametrize("rule", [AT_HOME, ON_THE_LAN])
def test_what_is_no_browser_has_no_origin_and_may_come(rule):
    assert allowed(rule, None)


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
    assert allowed(AT_HOME, origin, "127.0.0.1:8000")


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
    assert not allowed(AT_HOME, origin, host)


@pytest.mark.parametrize(
    "authority",
    ["192.168.1.9:8000", "lumi.local:8000", "lumi", "lumi.lan", "[fd00::1]:8000", "Lumi.Local:8000"],
)
def test_a_server_at_home_serves_its_own_page(authority):
    assert allowed(ON_THE_LAN, f"http://{authority}", authority)


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
    assert not allowed(ON_THE_LAN, origin, host)


def test_where_a_token_is_asked_for_the_name_does_not_matter():
    assert allowed(ON_THE_LAN, "https://lumi.example", "lumi.example", any_name=True)
    assert not allowed(ON_THE_LAN, "https://evil.example", "lumi.example", any_name=True)


def test_pages_may_be_listed():
    rule = Origins(listed=("https://Home.example/", "http://b.example:3000"))
    assert allowed(rule, "https://home.example")
    assert allowed(rule, "http://b.example:3000")
    assert not allowed(rule, "http://b.example")
    assert allowed(Origins(listed=("*",)), "null")
