from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.ends import EVERYTHING, FUZZ, NOW_S, SESSION_ID, acquainted, lumi_hello, strangers

from lumi.errors import LocalProtocolError, NotConnected
from lumi.protocol.connection import Connection, Limits, Role, State
from lumi.protocol.frames import Framing, pack
from lumi.protocol.handshake import answer, negotiate
from lumi.protocol.messages import (
    SERVER_TYPES,
    Ack,
    Alert,
    AudioFrame,
    AudioParams,
    Cards,
    Chat,
    ClientHello,
    ClientIot,
    CloseCode,
    Error,
    ErrorCode,
    Fault,
    Features,
    Goodbye,
    Listen,
    LlmEmotion,
    Mcp,
    Metrics,
    Notify,
    Ping,
    Played,
    Pong,
    Response,
    ServerHello,
    ServerIot,
    Stt,
    System,
    Tts,
    TtsState,
)

FRAME = AudioFrame(b"\x01\x02\x03")


def fault(received: list[Any]) -> Fault:
    (only,) = received
    assert isinstance(only, Fault)
    return only


# ── a conversation ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_ends_become_ready_and_go_by_the_same():
    ends = strangers()
    assert (ends.client.state, ends.server.state) == (State.OPENING, State.OPENING)
    answered = ends.greet(lumi_hello(features=Features(turns=True)))
    assert isinstance(answered, ServerHello)
    assert (ends.client.state, ends.server.state) == (State.READY, State.READY)
    assert ends.client.agreement == ends.server.agreement
    assert ends.client.session_id == ends.server.session_id == SESSION_ID


def test_a_typed_turn_and_a_spoken_turn():
    ends = acquainted()
    (chat,) = ends.up(Chat(id="c-1", content="现在几点了"))
    assert (chat.content, chat.session_id) == ("现在几点了", SESSION_ID)
    (response,) = ends.down(
        Response(id="c-1", request_id="c-1", content="八点整", timestamp="2026-03-02T08:00:00Z")
    )
    assert (response.content, response.session_id) == ("八点整", SESSION_ID)

    (listen,) = ends.up(Listen(state="start", mode="auto"))
    assert listen.mode == "auto"
    assert ends.up(FRAME) == [FRAME]
    spoken = [
        Stt(text="hello", session_id=SESSION_ID),
        Tts(state=TtsState.START, session_id=SESSION_ID),
        Tts(state=TtsState.SENTENCE_START, text="Hi.", session_id=SESSION_ID),
        FRAME,
        Tts(state=TtsState.STOP, session_id=SESSION_ID),
    ]
    assert [one for message in spoken for one in ends.down(message)] == spoken


@pytest.mark.parametrize("framing", list(Framing))
def test_sound_goes_both_ways_in_every_framing(framing):
    versions = {Framing.V2: 2, Framing.V3: 3}
    query = {"from": "mqtt_gateway"} if framing is Framing.GATEWAY else {}
    ends = acquainted(ClientHello(version=versions.get(framing, 1)), query=query)
    assert ends.server.agreement is not None
    assert ends.server.agreement.framing is framing
    (up,) = ends.up(AudioFrame(b"abc", 60, 1))
    (down,) = ends.down(AudioFrame(b"def", 120, 2))
    assert (up.payload, down.payload) == (b"abc", b"def")


def test_header_names_are_case_insensitive():
    ends = acquainted(headers={"Protocol-Version": "3"})
    assert ends.client.agreement is not None
    assert ends.client.agreement.framing is Framing.V3
    assert ends.up(FRAME) == [FRAME]


def test_json_may_come_in_a_v2_frame():
    ends = acquainted(ClientHello(version=2))
    text = b'{"type":"ping"}'
    frame = pack(Framing.V2, AudioFrame(text))
    assert ends.server.receive(frame[:3] + b"\x01" + frame[4:]) == [Ping()]


def test_a_second_hello_is_answered_and_joins_features():
    ends = acquainted(lumi_hello(features=Features(turns=True)))
    answered = ends.greet(ClientHello(id="h-2", features=Features(metrics=True)))
    assert answered.id == "h-2"
    assert answered.session_id == SESSION_ID
    assert ends.down(Metrics(turn_id="t", stages={})) == [
        Metrics(turn_id="t", stages={}, session_id=SESSION_ID)
    ]
    assert ends.client.agreement == ends.server.agreement


def test_hellos_sent_back_to_back_are_both_answered():
    ends = strangers()
    first = ends.client.send(ClientHello())
    second = ends.client.send(ClientHello(features=Features(mcp=True)))
    assert isinstance(first, str)
    assert isinstance(second, str)
    hellos = [*ends.server.receive(first), *ends.server.receive(second)]
    for hello in hellos:
        assert isinstance(hello, ClientHello)
        agreement = negotiate(hello, headers={}, query={}, offered=EVERYTHING, previous=ends.server.agreement)
        reply = answer(hello, agreement, session_id=SESSION_ID, device_id="d", server_version="1")
        assert ends.client.receive(ends.server.accept(hello, reply, agreement))
    assert ends.down(Mcp(payload={"id": 1})) == [Mcp(payload={"id": 1}, session_id=SESSION_ID)]


# ── what a peer gets ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_client_gets_nothing_it_did_not_ask_for():
    ends = acquainted()
    unasked = [
        LlmEmotion(),
        Stt(text="a", is_final=False),
        Tts(state=TtsState.SENTENCE_END, text="a"),
        Metrics(turn_id="t", stages={}),
        Pong(),
        ServerIot(commands=[]),
        Alert(status="a", message="b", emotion="c"),
    ]
    assert [ends.server.send(one) for one in unasked] == [None] * len(unasked)


def test_fields_without_their_feature_are_left_out():
    text = acquainted().server.send(Stt(text="a", turn_id="t", seq=4, id="l-1"))
    assert isinstance(text, str)
    assert json.loads(text) == {
        "type": "stt",
        "text": "a",
        "confidence": 1.0,
        "is_final": True,
        "session_id": SESSION_ID,
        "id": "l-1",
    }


def test_what_a_client_says_announces_the_answer():
    ends = acquainted(ClientHello())
    assert ends.down(Response(id="c")) == []
    ends.up(Chat(id="c", content="hi"))
    ends.up(Ping())
    ends.up(ClientIot(states=[]))
    assert [type(ends.down(one)[0]) for one in (Response(id="c"), Pong(), ServerIot(commands=[]))] == [
        Response,
        Pong,
        ServerIot,
    ]


def test_firmware_gets_its_own_types():
    ends = acquainted(ClientHello(), extra=frozenset({System}))
    assert ends.down(System(command="reboot")) == [System(command="reboot", session_id=SESSION_ID)]
    assert ends.server.send(Alert(status="a", message="b", emotion="c")) is None


def test_a_client_sends_only_what_the_server_granted():
    ends = acquainted()
    unasked = (Played(turn_id="t", ms=5.0), Ack(seq=1), Mcp(payload={}))
    assert [ends.client.send(one) for one in unasked] == [None, None, None]
    granted = acquainted(lumi_hello(features=EVERYTHING))
    assert [type(granted.up(one)[0]) for one in unasked] == [Played, Ack, Mcp]


def test_a_session_named_by_the_sender_stays():
    (chat,) = acquainted().up(Chat(id="c", content="hi", session_id="other"))
    assert chat.session_id == "other"


def test_the_connection_dates_errors_with_the_clock_it_was_given():
    ends = acquainted()
    (error,) = ends.down(Error(error_code="internal"))
    assert error.timestamp == NOW_S * 1000
    (dated,) = ends.down(Error(error_code="internal", timestamp=7))
    assert dated.timestamp == 7


# ── out of turn ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "message", [Chat(id="c-1", content="hi"), Listen(state="start"), Goodbye(), Ping(id="c-1")]
)
def test_a_message_before_hello_is_not_ready(message):
    server = Connection(Role.SERVER)
    text = f'{{"type":"{message.__struct_config__.tag}","id":"c-1","content":"","state":"start"}}'
    found = fault(server.receive(text))
    assert found.code is ErrorCode.NOT_READY
    assert "send hello first" in found.message
    assert found.reply is not None
    assert found.reply.error_code == "not_ready"
    assert found.message_id == (None if isinstance(message, Goodbye) else "c-1")
    assert server.state is State.OPENING


def test_sound_before_the_hellos_answer_is_not_ready():
    ends = strangers()
    assert fault(ends.server.receive(b"abc")).code is ErrorCode.NOT_READY
    hello = ends.client.send(lumi_hello())
    assert isinstance(hello, str)
    ends.server.receive(hello)
    assert fault(ends.server.receive(b"abc")).code is ErrorCode.NOT_READY


def test_the_servers_first_frame_is_the_hello_answer():
    ends = strangers()
    hello = ends.client.send(lumi_hello())
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match="message or audio is not possible while"):
            ends.server.send(Tts(state=TtsState.START))
        with pytest.raises(LocalProtocolError, match="audio is not possible while"):
            ends.server.send(FRAME)
        with pytest.raises(LocalProtocolError, match="answered with `accept`"):
            ends.server.send(ServerHello())
        assert isinstance(hello, str)
        ends.server.receive(hello)


def test_an_error_may_come_before_the_hello_answer_and_names_no_session():
    ends = strangers()
    (error,) = ends.down(Error(error_code="unauthorized"))
    assert isinstance(error, Error)
    assert not error.session_id
    assert ends.client.state is State.OPENING


def test_the_client_begins_with_hello():
    client = Connection(Role.CLIENT)
    with pytest.raises(LocalProtocolError, match="possible: client hello"):
        client.send(Chat(id="c", content="hi"))
    with pytest.raises(LocalProtocolError):
        client.send(FRAME)
    assert fault(client.receive('{"type":"tts","state":"start"}')).code is ErrorCode.NOT_READY
    assert fault(client.receive('{"type":"hello","session_id":"s"}')).code is ErrorCode.NOT_READY


def test_neither_role_says_what_is_the_others():
    ends = acquainted()
    with pytest.raises(LocalProtocolError, match="a client does not send `response`"):
        ends.client.send(Response(id="1"))
    with pytest.raises(LocalProtocolError, match="a server does not send `chat`"):
        ends.server.send(Chat(id="1", content="hi"))


def test_accept_is_the_servers_and_keeps_the_hellos_id():
    ends = strangers()
    hello = lumi_hello()
    agreement = negotiate(hello, headers={}, query={}, offered=EVERYTHING)
    reply = answer(hello, agreement, session_id=SESSION_ID, device_id="d", server_version="1")
    with pytest.raises(LocalProtocolError, match="a client does not answer"):
        ends.client.accept(hello, reply, agreement)
    with pytest.raises(LocalProtocolError, match="server hello is not possible while opening"):
        ends.server.accept(hello, reply, agreement)
    with pytest.raises(LocalProtocolError, match="the answer to hello 'other' has the id 'h-1'"):
        ends.server.accept(lumi_hello(id="other"), reply, agreement)
    assert ends.server.state is State.OPENING
    assert ends.server.agreement is None


def test_after_goodbye_what_is_under_way_goes_on():
    ends = acquainted()
    assert ends.down(Goodbye(reason="drain")) == [Goodbye(reason="drain", session_id=SESSION_ID)]
    assert (ends.client.state, ends.server.state) == (State.ENDING, State.ENDING)
    assert ends.down(Tts(state=TtsState.STOP))
    assert ends.up(FRAME) == [FRAME]
    late = fault(ends.server.receive('{"type":"hello","id":"h-9"}'))
    assert late.code is ErrorCode.NOT_READY
    assert "nothing new after goodbye" in late.message
    assert late.message_id == "h-9"


def test_a_goodbye_that_the_peer_does_not_get_changes_nothing():
    ends = acquainted(ClientHello())
    assert ends.server.send(Goodbye()) is None
    assert ends.server.state is State.READY


def test_a_client_may_say_goodbye():
    ends = acquainted()
    assert ends.up(Goodbye()) == [Goodbye(session_id=SESSION_ID)]
    assert (ends.client.state, ends.server.state) == (State.ENDING, State.ENDING)


@pytest.mark.parametrize("data", [b"abc", '{"type":"ping"}', "{", b"", "x" * 70_000, b"x" * 5_000])
def test_a_closed_connection_hears_nothing(data):
    ends = acquainted()
    ends.server.closed()
    ends.server.closed()
    assert ends.server.state is State.CLOSED
    assert ends.server.receive(data) == []


@pytest.mark.parametrize("message", [FRAME, Tts(state=TtsState.STOP)])
def test_a_closed_connection_sends_nothing(message):
    ends = acquainted()
    ends.server.closed()
    with pytest.raises(NotConnected, match="the connection is closed"):
        ends.server.send(message)


# ── the hello answer, at the client ──────────────────────────────────────────────────────────────────────────────────


def test_an_answer_to_another_hello_is_a_fault_and_the_right_one_still_counts():
    client = Connection(Role.CLIENT)
    client.send(lumi_hello())
    wrong = fault(client.receive('{"type":"hello","id":"other","session_id":"s-1"}'))
    assert wrong.code is ErrorCode.BAD_MESSAGE
    assert wrong.reply is None
    assert "'other'" in wrong.message
    assert client.receive('{"type":"hello","id":"h-1","session_id":"s-1"}') == [
        ServerHello(id="h-1", session_id="s-1")
    ]
    assert client.state is State.READY


def test_an_answer_without_a_session_comes_through_but_makes_nothing_ready():
    client = Connection(Role.CLIENT)
    client.send(lumi_hello())
    assert client.receive('{"type":"hello","id":"h-1"}') == [ServerHello(id="h-1")]
    assert client.state is State.GREETED


def test_the_answer_of_a_server_that_speaks_only_the_founding_document():
    client = Connection(Role.CLIENT)
    client.send(lumi_hello())
    client.receive('{"type":"hello","id":"h-1","session_id":"s-1","version":1,"transport":"websocket"}')
    assert client.state is State.READY
    assert client.agreement is not None
    assert client.agreement.features == Features()


# ── limits and faults ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("x" * 65_537, "a text frame of 65537 bytes; accepted: at most 65536 bytes"),
        ("语" * 21_846, "a text frame of 65538 bytes"),
        ("\ud800" * 21_846, "a text frame of 65538 bytes"),
        (b"x" * 4_097, "a binary frame of 4097 bytes; accepted: at most 4096 bytes"),
    ],
)
@pytest.mark.parametrize("ready", [True, False])
def test_an_oversized_frame_ends_the_connection(data, says, ready):
    server = acquainted().server if ready else Connection(Role.SERVER)
    found = fault(server.receive(data))
    assert found.code is ErrorCode.TOO_LARGE
    assert found.message.startswith(says)
    assert found.fatal_close == CloseCode.TOO_LARGE
    assert found.reply is not None
    assert found.reply.error_code == "too_large"


def test_frames_at_the_limit_are_taken():
    ends = acquainted()
    assert ends.server.receive(b"x" * 4_096) == [AudioFrame(b"x" * 4_096)]
    text = '{"type":"ping","x":"' + "语" * 21_838 + '"}'
    assert len(text.encode()) == 65_536
    assert ends.server.receive(text) == [Ping()]


def test_a_bad_message_costs_its_sender_that_message():
    ends = acquainted()
    found = fault(ends.server.receive('{"type":"chat","id":"c-1"}'))
    assert found.code is ErrorCode.BAD_MESSAGE
    assert found.message_id == "c-1"
    assert found.fatal_close is None
    assert found.reply is not None
    (told,) = ends.down(found.reply)
    assert (told.id, told.request_id, told.session_id) == ("c-1", "c-1", SESSION_ID)
    assert told.error_message == told.message == "chat.content is missing; accepted: text"
    assert told.timestamp == NOW_S * 1000
    assert ends.up(Chat(id="c-1", content="hi"))


def test_a_broken_frame_is_a_fault():
    ends = acquainted(ClientHello(version=3))
    found = fault(ends.server.receive(b"\x00"))
    assert found.code is ErrorCode.BAD_MESSAGE
    assert "header of 4 bytes" in found.message


def test_the_flood_limit_ends_the_connection():
    server = Connection(Role.SERVER, limits=Limits(faults_in_a_row=3))
    assert [fault(server.receive("x")).fatal_close for _ in range(2)] == [None, None]
    last = fault(server.receive("x"))
    assert last.fatal_close == CloseCode.TRY_LATER
    assert "frame 3 in a row without sense" in last.message


@pytest.mark.parametrize("sense", ['{"type":"ping"}', b"abc"])
def test_anything_that_makes_sense_is_forgiveness(sense):
    ends = acquainted()
    for _ in range(19):
        ends.server.receive("x")
    ends.server.receive(sense)
    assert fault(ends.server.receive("x")).fatal_close is None


def test_limits_are_settings():
    server = Connection(Role.SERVER, limits=Limits(text_bytes=50, binary_bytes=2, content_chars=3))
    assert fault(server.receive("x" * 51)).fatal_close == CloseCode.TOO_LARGE
    assert fault(server.receive(b"abc")).fatal_close == CloseCode.TOO_LARGE
    roomy = Connection(Role.SERVER, limits=Limits(content_chars=3))
    assert fault(roomy.receive('{"type":"chat","id":"1","content":"abcd"}')).code is ErrorCode.TOO_LARGE


def test_the_dialects_error_rule_holds_for_replies():
    ends = acquainted(ClientHello())
    found = fault(ends.server.receive('{"type":"foo"}'))
    assert found.reply is not None
    assert isinstance(ends.down(found.reply)[0], Error)
    assert ends.server.send(Error(error_code="llm_failed")) is None


# ── anything at all ──────────────────────────────────────────────────────────────────────────────────────────────────

LARGE: dict[str | bytes, str | bytes] = {
    "nested": "[" * 3_000,
    "oversized": "x" * 70_000,
    b"oversized": b"x" * 5_000,
}
pieces = st.one_of(
    st.sampled_from(
        [
            '{"type":"hello"}',
            '{"type":"hello","id":"1","version":2,"features":{"mcp":true}}',
            '{"type":"hello","session_id":"s","id":"h-1"}',
            '{"type":"hello","session_id":"s","audio_params":{"format":"mp3"}}',
            '{"type":"chat","id":"1","content":"hi"}',
            '{"type":"listen","state":"detect","text":"hi"}',
            '{"type":"goodbye"}',
            '{"type":"mcp","payload":{}}',
            '{"type":"error"}',
            '{"type":"tts","state":"stop"}',
            '{"type":"ack","seq":1e5}',
            "nested",
            "oversized",
            b"\x00\x02\x00\x01" + bytes(12),
            b"oversized",
        ]
    ),
    st.text(max_size=40),
    st.binary(max_size=40),
)


@FUZZ
@given(st.sampled_from(Role), st.sampled_from([None, *Framing]), st.lists(pieces, max_size=25), st.booleans())
def test_receive_never_raises_and_every_fault_names_a_code(role, framing, data, closed):
    if framing is None:
        connection = Connection(role)
        if role is Role.CLIENT:
            connection.send(lumi_hello(audio_params=AudioParams()))
    else:
        query = {"from": "mqtt_gateway"} if framing is Framing.GATEWAY else {}
        ends = acquainted(ClientHello(version={Framing.V2: 2, Framing.V3: 3}.get(framing, 1)), query=query)
        connection = ends.client if role is Role.CLIENT else ends.server
    for frame in data:
        for one in connection.receive(LARGE.get(frame, frame)):
            if isinstance(one, Fault):
                assert isinstance(one.code, ErrorCode)
                assert one.message
                assert (one.reply is not None) == (role is Role.SERVER)
                if one.reply is not None:
                    assert isinstance(connection.send(one.reply), str)
    if closed:
        connection.closed()
        assert [connection.receive(LARGE.get(frame, frame)) for frame in data] == [[] for _ in data]


SAID = [
    Response(id="c"),
    Stt(text=""),
    LlmEmotion(),
    Tts(state=TtsState.START),
    Notify(id="n", kind="push", text=""),
    Cards(timers=(), lists=(), sent_at=0),
    Mcp(payload={}),
    ServerIot(commands=[]),
    Alert(status="", message="", emotion="neutral"),
    System(command="reboot"),
    Goodbye(),
    Pong(),
    Metrics(turn_id="t", stages={}),
    Error(),
]


def test_every_message_of_the_server_carries_the_session():
    assert {type(message) for message in SAID} | {ServerHello} == set(SERVER_TYPES)
    ends = strangers(extra=frozenset({Alert, System}))
    answered = ends.greet(lumi_hello(features=EVERYTHING))
    assert answered.session_id == SESSION_ID
    ends.up(Chat(id="c", content="x"))
    ends.up(Ping())
    ends.up(ClientIot(states=[]))
    for message in SAID:
        frame = ends.server.send(message)
        assert isinstance(frame, str), message
        assert json.loads(frame)["session_id"] == SESSION_ID
