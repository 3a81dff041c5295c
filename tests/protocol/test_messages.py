from __future__ import annotations

import pytest

from lumi.protocol.codec import decode_client, decode_server, encode
from lumi.protocol.fields import tag_of
from lumi.protocol.messages import (
    CLIENT_TYPES,
    EMOTIONS,
    ERROR_NUMBERS,
    RETRYABLE,
    SERVER_TYPES,
    AudioFrame,
    ClientMessage,
    ErrorCode,
    ServerMessage,
    Stt,
)


def test_the_lists_of_types_are_the_unions():
    assert set(CLIENT_TYPES) == set(ClientMessage.__args__)
    assert set(SERVER_TYPES) == set(ServerMessage.__args__)


def test_every_error_code_has_a_number_of_its_own():
    assert set(ERROR_NUMBERS) == set(ErrorCode)
    assert len(set(ERROR_NUMBERS.values())) == len(ErrorCode)
    assert set(ErrorCode) > RETRYABLE


def test_there_are_21_emotions_each_with_a_face():
    assert len(EMOTIONS) == 21
    assert all(EMOTIONS.values())


@pytest.mark.parametrize("confidence", [1, True, float("-inf")])
def test_confidence_becomes_a_finite_float(confidence):
    held = Stt(text="a", confidence=confidence).confidence
    assert type(held) is float
    assert held in {0.0, 1.0}


def test_the_empty_frame_says_nothing_of_time():
    assert AudioFrame(b"") == AudioFrame(b"", timestamp_ms=0, sequence=0)


@pytest.mark.parametrize("message_type", [*CLIENT_TYPES, *SERVER_TYPES])
def test_unknown_fields_and_a_session_that_is_empty_or_null_are_tolerated(message_type):
    required = {
        "chat": '"id":"1","content":"a"',
        "listen": '"state":"start"',
        "played": '"turn_id":"t","ms":1',
        "mcp": '"payload":{}',
        "ack": '"seq":1',
        "response": '"id":null',
        "stt": '"text":""',
        "tts": '"state":"stop"',
        "notify": '"id":"1","kind":"push","text":"a"',
        "alert": '"status":"a","message":"b","emotion":"c"',
        "system": '"command":"reboot"',
        "metrics": '"turn_id":"t","stages":{}',
        "iot": '"commands":[]',
        "cards": '"timers":[],"lists":[],"sent_at":0',
    }
    tag = tag_of(message_type)
    decode = decode_client if message_type in CLIENT_TYPES else decode_server
    for session_id in ('""', "null", '"s"'):
        own = f"{required[tag]}," if tag in required else ""
        message = decode(f'{{"type":"{tag}",{own}"session_id":{session_id},"unknown":[1,{{}}]}}')
        assert type(message) is message_type
        assert f'"type":"{tag}"' in encode(message)
