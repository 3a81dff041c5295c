from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from lumi.audio.format import AudioFormat, Codec
from lumi.errors import HandshakeError, ProtocolError
from lumi.protocol.codec import encode
from lumi.protocol.dialect import Dialect
from lumi.protocol.frames import Framing
from lumi.protocol.handshake import (
    MISSING_SESSION_ID,
    Agreement,
    HandshakeResult,
    answer,
    audio_format,
    audio_params,
    check_answer,
    client_agreement,
    negotiate,
    served_formats,
)
from lumi.protocol.messages import AudioParams, ClientHello, ErrorCode, Features, ServerHello, ServerInfo

OPUS_24K = AudioFormat(Codec.OPUS, 24_000, 1, 20)
PCM = AudioFormat(Codec.PCM, 16_000, 1, 60)


def agree(
    hello: ClientHello,
    *,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    offered: Features | None = None,
    previous: Agreement | None = None,
    audio_busy: bool = False,
) -> Agreement:
    return negotiate(
        hello,
        headers=headers or {},
        query=query or {},
        offered=offered or Features(mcp=True, turns=True),
        previous=previous,
        audio_busy=audio_busy,
    )


def test_a_lumi_client_hears_what_it_declared():
    agreement = agree(ClientHello(id="1", audio_params=audio_params(OPUS_24K)))
    assert agreement.dialect is Dialect.LUMI
    assert agreement.framing is Framing.V1
    assert (agreement.uplink, agreement.downlink) == (OPUS_24K, OPUS_24K)
    assert agreement.version == 1


def test_a_xiaozhi_client_hears_opus_at_16_khz_in_60_ms():
    declared = AudioFormat(Codec.OPUS, 24_000, 1, 40)
    agreement = agree(ClientHello(audio_params=audio_params(declared), version=3))
    assert agreement.dialect is Dialect.XIAOZHI
    assert agreement.framing is Framing.V3
    assert (agreement.uplink, agreement.downlink) == (declared, AudioFormat(Codec.OPUS, 16_000, 1, 60))


def test_a_desktop_client_hears_packets_no_longer_than_it_has_room_for():
    agreement = agree(ClientHello(audio_params=audio_params(OPUS_24K)))
    assert agreement.client.name == "desktop"
    assert agreement.downlink == AudioFormat(Codec.OPUS, 16_000, 1, 20)


def test_a_later_hello_does_not_make_another_client_of_it():
    first = agree(ClientHello(), headers={"protocol-version": "1"})
    later = agree(ClientHello(audio_params=audio_params(OPUS_24K)), previous=first)
    assert later.client.name == first.client.name == "firmware"


def test_a_client_without_a_codec_hears_pcm_in_either_dialect():
    for hello_id in ("1", None):
        assert agree(ClientHello(id=hello_id, audio_params=audio_params(PCM))).downlink == PCM


def test_without_audio_params_it_is_opus_at_16_khz_in_60_ms():
    agreement = agree(ClientHello(id="1"))
    assert agreement.uplink == agreement.downlink == AudioFormat(Codec.OPUS, 16_000, 1, 60)


def test_features_are_granted_as_far_as_offered():
    asked = Features(mcp=True, stream=True)
    assert agree(ClientHello(id="1", features=asked)).features == Features(mcp=True)
    assert agree(ClientHello(id="1")).features == Features()


def test_the_header_chooses_the_framing_in_lumi():
    assert agree(ClientHello(id="1"), headers={"protocol-version": "2"}).framing is Framing.V2
    assert agree(ClientHello(id="1"), query={"from": "mqtt_gateway"}).framing is Framing.GATEWAY


def test_a_second_hello_keeps_dialect_and_framing_and_joins_features():
    first = agree(ClientHello(version=2, features=Features(turns=True)))
    second = agree(ClientHello(id="now with one", version=3, features=Features(mcp=True)), previous=first)
    assert second.dialect is Dialect.XIAOZHI
    assert second.framing is Framing.V2
    assert second.features == Features(mcp=True, turns=True)
    assert agree(ClientHello(), previous=second).features == second.features


def test_a_second_hello_changes_audio_only_while_idle():
    first = agree(ClientHello(id="1"))
    again = ClientHello(id="2", audio_params=audio_params(OPUS_24K))
    assert agree(again, previous=first, audio_busy=True).downlink == first.downlink
    assert agree(again, previous=first).downlink == OPUS_24K
    assert agree(ClientHello(id="3"), previous=agree(again, previous=first)).uplink == OPUS_24K


@pytest.mark.parametrize(
    ("hello", "accepted"),
    [
        (ClientHello(id="1", version=2), "accepted: 1"),
        (ClientHello(id="1", version=0), "accepted: 1"),
        (ClientHello(version=4), "accepted: 1, 2, 3"),
    ],
)
def test_another_version_is_refused(hello, accepted):
    with pytest.raises(
        ProtocolError, match=f"hello.version {hello.version} is not served; {accepted}"
    ) as caught:
        agree(hello)
    assert caught.value.code == ErrorCode.UNSUPPORTED_VERSION
    assert caught.value.message_id == hello.id


@pytest.mark.parametrize("rate", [8_000, 12_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("frame_ms", [20, 40, 60])
def test_opus_is_served_at_its_rates_and_frames(rate, frame_ms):
    params = AudioParams(sample_rate=rate, frame_duration=frame_ms)
    assert audio_format(params) == AudioFormat(Codec.OPUS, rate, 1, frame_ms)
    assert audio_params(audio_format(params)) == params


@pytest.mark.parametrize(
    "params",
    [
        AudioParams(format="mp3"),
        AudioParams(sample_rate=44_100),
        AudioParams(channels=2),
        AudioParams(frame_duration=10),
        AudioParams(frame_duration=0),
        AudioParams(format="pcm", sample_rate=48_000),
        AudioParams(sample_rate=-(10**30)),
    ],
)
def test_other_audio_is_refused_and_says_what_is_served(params):
    with pytest.raises(ProtocolError) as caught:
        agree(ClientHello(id="a7", audio_params=params))
    assert caught.value.code == ErrorCode.UNSUPPORTED_AUDIO
    assert caught.value.message_id == "a7"
    assert f"{params.format} {params.sample_rate} Hz" in str(caught.value)
    assert str(caught.value).endswith(f"accepted: {served_formats()}")


def test_the_name_of_the_format_may_be_shouted():
    assert audio_format(AudioParams(format="OPUS")).codec is Codec.OPUS


def test_served_formats_in_words():
    assert served_formats() == (
        "opus at 8000/12000/16000/24000/48000 Hz or pcm at 8000/12000/16000/24000 Hz, 1 channel, 20/40/60 ms frames"
    )


def reply_to(hello: ClientHello, **more: Any) -> ServerHello:
    agreement = agree(hello)
    return answer(hello, agreement, session_id="s" * 8, device_id="kitchen", server_version="9", **more)


def test_the_lumi_answer_says_who_and_what():
    hello = ClientHello(id="h", features=Features(mcp=True), audio_params=audio_params(OPUS_24K))
    assert json.loads(encode(reply_to(hello, resumed=True))) == {
        "id": "h",
        "type": "hello",
        "session_id": "ssssssss",
        "version": 1,
        "transport": "websocket",
        "server_info": {"version": "9", "capabilities": ["chat", "voice", "tts", "stt"]},
        "audio_params": {"format": "opus", "sample_rate": 24000, "channels": 1, "frame_duration": 20},
        "device_id": "kitchen",
        "features": {"mcp": True},
        "resumed": True,
    }


def test_the_xiaozhi_answer_has_nothing_but_the_dialects_fields():
    sent = json.loads(encode(reply_to(ClientHello(version=3))))
    assert set(sent) == {"type", "session_id", "version", "transport", "server_info", "audio_params"}
    assert sent["version"] == 3
    assert sent["transport"] == "websocket"


def test_the_client_reads_the_answer():
    hello = ClientHello(id="h", features=Features(mcp=True), audio_params=audio_params(OPUS_24K))
    assert check_answer(hello, reply_to(hello, resumed=True)) == HandshakeResult(
        session_id="ssssssss",
        server_version="9",
        capabilities=("chat", "voice", "tts", "stt"),
        features=Features(mcp=True),
        audio=OPUS_24K,
        resumed=True,
        device_id="kitchen",
    )


@pytest.mark.parametrize(
    "info", [None, ServerInfo(), ServerInfo(version=None, capabilities=None), ServerInfo(version="")]
)
def test_what_a_server_leaves_out_has_the_founding_documents_defaults(info):
    result = check_answer(ClientHello(id="h"), ServerHello(session_id="s", server_info=info))
    assert result.server_version == "unknown"
    assert result.capabilities == ()
    assert result.features == Features()
    assert result.audio == AudioFormat()
    assert result.resumed is False
    assert result.device_id is None


@pytest.mark.parametrize("session_id", [None, ""])
def test_an_answer_without_session_id_is_an_error(session_id):
    with pytest.raises(HandshakeError, match="no session_id") as caught:
        check_answer(ClientHello(id="h"), ServerHello(id="h", session_id=session_id))
    assert MISSING_SESSION_ID in str(caught.value)
    assert MISSING_SESSION_ID == "服务器响应中缺少session_id"


def test_an_answer_to_another_hello_is_an_error():
    with pytest.raises(HandshakeError, match="answered the hello 'x', not 'h'"):
        check_answer(ClientHello(id="h"), ServerHello(id="x", session_id="s"))


def test_an_answer_with_audio_that_cannot_be_played_is_an_error():
    strange = ServerHello(session_id="s", audio_params=AudioParams(format="mp3"))
    with pytest.raises(HandshakeError, match="cannot be played: audio_params: mp3"):
        check_answer(ClientHello(id="h"), strange)


def test_without_word_of_features_a_client_counts_on_little():
    asked = Features(mcp=True, played=True)
    silent = ServerHello(session_id="s")
    assert silent.features is UNSET
    assert check_answer(ClientHello(id="h", features=asked), silent).features == Features(mcp=True)
    assert check_answer(ClientHello(features=asked), silent).features == asked


def test_both_ends_go_by_the_same():
    hello = ClientHello(version=2, features=Features(mcp=True), audio_params=audio_params(OPUS_24K))
    agreement = agree(hello)
    assert client_agreement(hello, check_answer(hello, reply_to(hello)), headers={}, query={}) == agreement
    assert agreement.downlink == AudioFormat(Codec.OPUS, 16_000, 1, 20)


def test_both_ends_go_by_the_same_after_a_second_hello():
    first = ClientHello(version=2, features=Features(turns=True), audio_params=audio_params(OPUS_24K))
    before = agree(first)
    second = ClientHello(id="now with one", features=Features(mcp=True))
    after = agree(second, previous=before)
    reply = answer(second, after, session_id="s" * 8, device_id="kitchen", server_version="9")
    seen = client_agreement(second, check_answer(second, reply), headers={}, query={}, previous=before)
    assert after.uplink == OPUS_24K
    assert after.features == Features(mcp=True, turns=True)
    assert (seen.dialect, seen.framing, seen.uplink, seen.downlink) == (
        after.dialect,
        after.framing,
        after.uplink,
        after.downlink,
    )


@pytest.mark.parametrize(
    ("headers", "base_url"),
    [
        ({}, ""),
        ({"host": "lumi.local:8000"}, "http://lumi.local:8000"),
        ({"host": "lumi.example", "x-forwarded-proto": "https"}, "https://lumi.example"),
        ({"host": "lumi.example", "x-forwarded-proto": "wss, http"}, "https://lumi.example"),
        ({"host": "lumi.example", "x-forwarded-proto": "javascript"}, "http://lumi.example"),
    ],
)
def test_where_the_client_reaches_us(headers: dict[str, str], base_url: str):
    assert agree(ClientHello(id="1"), headers=headers).base_url == base_url
