from __future__ import annotations

import pytest
from tests.protocol.ends import EVERYTHING

from lumi.protocol.dialect import (
    FIELDS,
    FORMS,
    RULES,
    XIAOZHI_ERRORS,
    Dialect,
    announces,
    detect,
    vocabulary,
)
from lumi.protocol.fields import tag_of
from lumi.protocol.messages import (
    SERVER_TYPES,
    Alert,
    Cards,
    Chat,
    ClientHello,
    ClientIot,
    Error,
    ErrorCode,
    Features,
    Goodbye,
    LlmEmotion,
    Mcp,
    Message,
    Metrics,
    Notify,
    Ping,
    Pong,
    Response,
    ServerHello,
    ServerIot,
    Stt,
    System,
    Tts,
    TtsState,
)

NOTHING = Features()
LUMI, XIAOZHI = Dialect.LUMI, Dialect.XIAOZHI

FORMS_OF_ALL = {
    "hello": ServerHello(),
    "response": Response(id="1"),
    "response delta": Response(id="1", is_final=False, delta="a"),
    "stt": Stt(text="a"),
    "stt partial": Stt(text="a", is_final=False),
    "llm": LlmEmotion(),
    "tts start": Tts(state=TtsState.START),
    "tts sentence_start": Tts(state=TtsState.SENTENCE_START),
    "tts sentence_end": Tts(state=TtsState.SENTENCE_END),
    "tts stop": Tts(state=TtsState.STOP),
    "notify": Notify(id="1", kind="timer", text="a"),
    "mcp": Mcp(payload={}),
    "iot": ServerIot(commands=[]),
    "alert": Alert(status="a", message="b", emotion="c"),
    "system": System(command="reboot"),
    "goodbye": Goodbye(),
    "pong": Pong(),
    "metrics": Metrics(turn_id="t", stages={}),
    "cards": Cards(timers=(), lists=(), sent_at=0),
    "error": Error(error_code="bad_json"),
    "error of a turn": Error(error_code="llm_failed"),
}


def heard(
    dialect: Dialect, features: Features = NOTHING, asked: frozenset[type[Message]] = frozenset()
) -> set[str]:
    return {name for name, one in FORMS_OF_ALL.items() if announces(dialect, features, one, asked=asked)}


PLAIN_TURN = {"hello", "stt", "tts start", "tts sentence_start", "tts stop", "error"}
PLAIN_LUMI = PLAIN_TURN | {"response", "goodbye", "error of a turn"}
PLAIN_XIAOZHI = PLAIN_TURN | {"llm"}


def test_a_first_hello_with_an_id_speaks_lumi():
    assert detect(ClientHello(id="1")) is LUMI
    assert detect(ClientHello()) is XIAOZHI
    assert detect(ClientHello(id="")) is XIAOZHI


def test_a_client_without_features_gets_its_dialects_messages_and_nothing_else():
    assert heard(LUMI) == PLAIN_LUMI
    assert heard(XIAOZHI) == PLAIN_XIAOZHI


@pytest.mark.parametrize(
    ("feature", "brings"),
    [
        ("mcp", {"mcp"}),
        ("stream", {"response delta"}),
        ("partials", {"stt partial"}),
        ("emotion", {"llm"}),
        ("sentence_end", {"tts sentence_end"}),
        ("notify", {"notify"}),
        ("metrics", {"metrics"}),
        ("cards", {"cards"}),
        ("aec", set()),
        ("turns", set()),
        ("played", set()),
        ("resume", set()),
    ],
)
def test_a_feature_brings_its_own_messages_only(feature, brings):
    assert heard(LUMI, Features(**{feature: True})) == PLAIN_LUMI | brings


def test_every_feature_is_accounted_for():
    assert heard(LUMI, EVERYTHING) == set(FORMS_OF_ALL) - {"iot", "alert", "system", "pong"}
    assert heard(XIAOZHI, EVERYTHING) == set(FORMS_OF_ALL) - {
        "iot",
        "alert",
        "system",
        "pong",
        "goodbye",
        "error of a turn",
    }


def test_a_xiaozhi_client_that_may_resume_gets_the_text_it_missed():
    assert heard(XIAOZHI, Features(resume=True)) == PLAIN_XIAOZHI | {"response"}
    assert heard(XIAOZHI, Features(stream=True)) == PLAIN_XIAOZHI


@pytest.mark.parametrize(
    ("asked_with", "brings"),
    [(Ping, {"pong"}), (ClientIot, {"iot"}), (Chat, {"response", "error of a turn"})],
)
def test_what_a_client_itself_says_announces_the_answer(asked_with, brings):
    assert heard(XIAOZHI, asked=frozenset({asked_with})) == PLAIN_XIAOZHI | brings


@pytest.mark.parametrize("code", list(ErrorCode))
def test_a_xiaozhi_error_is_about_a_message_of_its_own(code):
    assert announces(LUMI, NOTHING, Error(error_code=code))
    assert announces(XIAOZHI, NOTHING, Error(error_code=code)) == (code in XIAOZHI_ERRORS)


def test_firmware_gets_what_its_profile_says():
    extra = frozenset({Alert, System})
    assert vocabulary(XIAOZHI, NOTHING, extra=extra).fit(FORMS_OF_ALL["alert"]) == {}
    assert vocabulary(XIAOZHI, NOTHING, extra=extra).fit(FORMS_OF_ALL["system"]) == {}


def test_fields_without_their_feature_are_left_out():
    full = Response(id="1", delta="a", seq=3, turn_id="t")
    assert set(vocabulary(LUMI, NOTHING).fit(full) or {}) == {"delta", "seq", "turn_id"}
    assert set(vocabulary(LUMI, Features(turns=True)).fit(full) or {}) == {"delta", "seq"}
    assert vocabulary(LUMI, EVERYTHING).fit(full) == {}
    assert vocabulary(LUMI, NOTHING).fit(Response(id="1")) == {}


def test_a_field_the_type_cannot_do_without_stays():
    assert vocabulary(LUMI, Features(metrics=True)).fit(FORMS_OF_ALL["metrics"]) == {}


def test_one_vocabulary_serves_all_clients_alike():
    assert vocabulary(LUMI, Features(turns=True)) is vocabulary(LUMI, Features(turns=True))


def test_the_tables_know_every_type_and_only_real_features():
    assert set(RULES) == set(SERVER_TYPES)
    features = set(Features.__struct_fields__)
    assert {rule.feature for rule in RULES.values()} - {None} <= features
    assert {feature for _, _, feature in FORMS.values()} | set(FIELDS.values()) <= features
    assert {tag_of(type(one)) for one in FORMS_OF_ALL.values()} == {tag_of(one) for one in SERVER_TYPES}
