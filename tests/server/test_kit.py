from lumi.engines.base import ChatMessage, Speaker, Voice
from lumi.server.device_overrides import NOTHING, DeviceOverrides
from lumi.server.kit import Kit, SessionSettings, for_device
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.voice.dialogue import Dialogue
from lumi.voice.events import TurnEnded, TurnEvent
from lumi.voice.turn import Typed

SETTINGS = SessionSettings(persona="be kind", voice=Voice("a", speed=1.1), timezone="UTC")


def test_where_nothing_is_said_the_settings_hold():
    assert for_device(SETTINGS, NOTHING) == SETTINGS


def test_what_is_said_takes_their_place():
    made = for_device(
        SETTINGS,
        DeviceOverrides(persona="", language="zh", locale="zh_CN", timezone="Asia/Shanghai", speed=0.8),
    )
    assert (made.persona, made.language, made.locale, made.timezone) == ("", "zh", "zh_CN", "Asia/Shanghai")
    assert made.voice == Voice("a", speed=0.8)
    assert made.turn == SETTINGS.turn


def test_a_voice_may_be_taken_back_to_the_engines_own():
    assert for_device(SETTINGS, DeviceOverrides(voice="")).voice == Voice("", speed=1.1)


async def test_a_turn_is_told_how_the_assistant_should_be():
    llm = ScriptedLlm()
    kit = Kit(ScriptedStt(), llm, ScriptedTts(), SETTINGS)
    events: list[TurnEvent] = []

    async def emit(event: TurnEvent) -> None:
        events.append(event)

    dialogue = Dialogue()
    dialogue.heard_user("t", "hi")
    turn = kit.turn("t", mouth=None, emit=emit, messages=dialogue.messages, speaker=Speaker("dev"))
    await turn.run(Typed("hi"))
    assert [message.content for message in llm.prompts[0].messages] == ["be kind", "hi"]
    assert isinstance(events[-1], TurnEnded)


async def test_what_was_said_to_pass_the_time_is_told_to_no_model():
    llm = ScriptedLlm()

    async def emit(_: TurnEvent) -> None:
        pass

    def messages(_persona: str, _turn_id: str) -> list[ChatMessage]:
        return [ChatMessage("assistant", "One moment, please. It is on."), ChatMessage("user", "thanks")]

    kit = Kit(ScriptedStt(), llm, ScriptedTts(), SETTINGS)
    turn = kit.turn("t", mouth=None, emit=emit, messages=messages, speaker=Speaker("dev"))
    await turn.run(Typed("thanks"))
    assert [message.content for message in llm.prompts[0].messages] == ["It is on.", "thanks"]
