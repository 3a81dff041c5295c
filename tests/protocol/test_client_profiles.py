"""Which client it is, by what its connection shows."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from lumi.protocol.client_profiles import (
    BUILT_IN,
    DESKTOP,
    FIRMWARE,
    GATEWAY,
    ClientProfile,
    Sign,
    adapted,
    choose,
    idle_times,
    names,
)
from lumi.protocol.dialect import Dialect
from lumi.protocol.messages import AudioParams, ClientHello

DOCS = Path(__file__).parents[2] / "docs" / "clients.md"
LUMI, XIAOZHI = Dialect.LUMI, Dialect.XIAOZHI
BOARD = {"protocol-version": "1", "device-id": "aa:bb", "client-id": "c", "authorization": "Bearer t"}


@pytest.mark.parametrize(
    ("dialect", "headers", "query", "name"),
    [
        (LUMI, {}, {}, "lumi"),
        (LUMI, {"origin": "http://localhost"}, {}, "page"),
        (XIAOZHI, {}, {}, "xiaozhi"),
        (XIAOZHI, BOARD, {}, "firmware"),
        (XIAOZHI, {"user-agent": "ESP32 WebSocket"}, {}, "firmware"),
        (XIAOZHI, BOARD, {"from": "mqtt_gateway"}, "gateway"),
        (LUMI, {}, {"from": "mqtt_gateway"}, "lumi"),
        (XIAOZHI, BOARD | {"user-agent": "okhttp/4.12.0"}, {}, "phone"),
        (XIAOZHI, {"user-agent": "Dart/3.5 (dart:io)"}, {}, "phone"),
        (XIAOZHI, BOARD | {"user-agent": "Python/3.11 websockets/15.0"}, {}, "desktop"),
        (XIAOZHI, BOARD | {"user-agent": "WebSocket++/0.8.2"}, {}, "linux-board"),
        (XIAOZHI, {"origin": "http://localhost:8080", "user-agent": "Mozilla/5.0"}, {}, "web"),
    ],
)
def test_a_client_is_known_by_what_it_shows(dialect, headers, query, name):
    assert choose(dialect, ClientHello(), headers, query).name == name


def test_who_declares_short_packets_gets_them():
    hello = ClientHello(audio_params=AudioParams(frame_duration=20))
    assert choose(XIAOZHI, hello, BOARD, {}) is DESKTOP
    assert DESKTOP.frame_ms is None


def test_every_profile_can_be_reached_and_some_sign_always_fits():
    assert BUILT_IN[-1][0] == Sign()
    assert len(names()) == 9


def test_a_setting_changes_a_profile_wherever_it_stands():
    table = adapted(BUILT_IN, "desktop", None, "xiaozhi", {"gap_ms": 5.0, "idle_s": 7.0})
    assert {profile.gap_ms for _, profile in table if profile.name == "desktop"} == {5.0}
    assert idle_times(table) == [7.0, 7.0]
    assert names(table)["firmware"] is FIRMWARE


def test_a_new_client_is_looked_for_first():
    table = adapted(BUILT_IN, "toy", Sign(user_agent=("toy",)), "gateway", {"lead_ms": 60.0})
    found = choose(XIAOZHI, ClientHello(), {"user-agent": "Toy/1"}, {}, table)
    assert (found.name, found.lead_ms, found.framing) == ("toy", 60.0, GATEWAY.framing)
    assert choose(XIAOZHI, ClientHello(), BOARD, {}, table) is FIRMWARE
    with pytest.raises(KeyError):
        adapted(BUILT_IN, "toy", None, "nobody", {})


def shown(profile: ClientProfile) -> list[str]:
    """A profile as a row of docs/clients.md."""
    set_by_server = "server's"
    downlink = f"{profile.rate_hz or 'declared'} Hz, {profile.frame_ms or 'declared'} ms"
    return [
        f"`{profile.name}`",
        f"{profile.gap_ms:g} ms",
        set_by_server if profile.lead_ms is None else f"{profile.lead_ms:g} ms",
        set_by_server if profile.margin_ms is None else f"{profile.margin_ms:g} ms",
        set_by_server if profile.idle_s is None else f"{profile.idle_s:g} s",
        downlink,
        profile.framing or "by hello",
        ", ".join(sorted(str(kind.__struct_config__.tag) for kind in profile.extra)) or "–",
        "yes" if profile.waits_for_listen else "no",
        "yes" if profile.farewell else "no",
    ]


def test_the_page_on_clients_is_the_table():
    page = DOCS.read_text(encoding="utf-8")
    for profile in names().values():
        assert f"| {' | '.join(shown(profile))} |" in page
        assert profile.about in page.replace("\n", " ")
    for number, (sign, profile) in enumerate(BUILT_IN, start=1):
        assert f"| {number} | {sign.words()} | `{profile.name}` |" in page
    assert len(fields(ClientProfile)) == 12, "a new field belongs into the page too"
