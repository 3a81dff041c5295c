"""Turns keep what they began with; what nobody needs any more is closed."""

from __future__ import annotations

import asyncio

from lumi.server.device_overrides import DeviceOverrides
from lumi.server.generations import Generation, Generations
from lumi.server.kit import Kit
from lumi.testing.engines import ScriptedLlm, ScriptedStt, ScriptedTts
from lumi.testing.rehearsal import Rehearsal, spoken
from lumi.testing.wire import is_tts

STORY = "Once upon a time there was a fox. It lived in a forest. One day it went to town. It never came back."


def generation(llm: ScriptedLlm) -> Generation:
    made = Generation.of(Kit(ScriptedStt(), llm, ScriptedTts()))
    made.aclose = llm.aclose
    return made


async def test_a_generation_is_closed_when_its_last_turn_is_over() -> None:
    old, new = ScriptedLlm(), ScriptedLlm()
    generations = Generations(generation(old))
    closing = asyncio.create_task(generations.run())
    first, second = generations.lease("a"), generations.lease("b")
    generations.renew(generation(new))
    assert generations.kit("a").llm is new
    assert first.kit.llm is old
    first.release()
    first.release()
    await asyncio.sleep(1)
    assert not old.closed
    with second as kit:
        assert kit.llm is old
    await asyncio.sleep(1)
    assert (old.closed, new.closed, len(generations)) == (True, False, 1)
    closing.cancel()


async def test_a_generation_that_no_turn_needs_is_closed_at_once() -> None:
    old = ScriptedLlm()
    generations = Generations(generation(old))
    generations.renew(generation(ScriptedLlm()))
    assert len(generations) == 2
    closing = asyncio.create_task(generations.run())
    await asyncio.sleep(1)
    assert old.closed
    closing.cancel()


async def test_at_the_end_all_are_closed() -> None:
    old, new = ScriptedLlm(), ScriptedLlm()
    generations = Generations(generation(old))
    generations.renew(generation(new))
    await generations.aclose()
    assert (old.closed, new.closed) == (True, True)


def test_what_is_different_for_a_device_is_in_its_kit() -> None:
    def overrides_of(device_id: str) -> DeviceOverrides:
        return DeviceOverrides(persona=f"you live in {device_id}")

    made = Generation.of(Kit(ScriptedStt(), ScriptedLlm(), ScriptedTts()), overrides_of)
    assert made.kit_of("the kitchen").settings.persona == "you live in the kitchen"
    assert made.kit_of("the attic").overrides.persona == "you live in the attic"


async def test_a_running_answer_ends_with_the_old_engines_and_the_next_begins_with_the_new() -> None:
    old, new = ScriptedLlm(lambda _: STORY, piece_s=0.3), ScriptedLlm(lambda _: "New.")
    voice = ScriptedTts()
    async with Rehearsal(llm=old) as house, house.device() as device:
        house.generations._current.aclose = old.aclose
        closing = asyncio.create_task(house.generations.run())
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(spoken(900))
        house.generations.renew(Generation.of(Kit(ScriptedStt(["who is there"]), new, voice)))
        await device.listen("stop")
        assert (await device.expect("stt"))["text"] == "what time is it"
        turn = await device.spoken_turn()
        assert " ".join(turn.sentences) == STORY
        assert (old.finished, old.closed, voice.calls) == (1, True, 0)
        await device.listen("start", mode="manual")
        await device.play(spoken(900))
        await device.listen("stop")
        assert (await device.expect("stt"))["text"] == "who is there"
        assert (await device.spoken_turn()).sentences == ["New."]
        assert voice.spoken == ["New."]
        assert (await device.chat("hi"))["content"] == "New."
        assert [message.content for message in new.prompts[-1].messages if message.role == "user"] == [
            "what time is it",
            "who is there",
            "hi",
        ], "the conversation goes on"
        closing.cancel()


async def test_an_aborted_answer_lets_go_of_its_engines() -> None:
    old = ScriptedLlm(lambda _: STORY, piece_s=1)
    async with Rehearsal(llm=old) as house, house.device() as device:
        await device.hello()
        await device.detect("tell me a story")
        await device.expect("tts", state="sentence_start")
        assert house.generations._current.turns == 1
        await device.abort()
        await device.expect("tts", state="stop")
        await asyncio.sleep(1)
        assert house.generations._current.turns == 0
        assert is_tts(device.received[-1], "stop")


async def test_the_persona_of_a_device_is_told_with_every_turn() -> None:
    personas = {"dev": "be kind"}
    llm = ScriptedLlm()

    def overrides_of(device_id: str) -> DeviceOverrides:
        return DeviceOverrides(
            persona=personas.get(device_id), voice="en-gb", timezone="Asia/Shanghai", language="zh"
        )

    voice = ScriptedTts()
    async with (
        Rehearsal(llm=llm, tts=voice, overrides_of=overrides_of) as house,
        house.device(device_id="dev") as device,
    ):
        await device.hello()
        await device.chat("hi")
        personas["dev"] = "be brief"
        await device.detect("hi again")
        await device.spoken_turn()
    assert [prompt.messages[0].content for prompt in llm.prompts] == ["be kind", "be brief"]
    assert llm.prompts[0].speaker.timezone == "Asia/Shanghai"
    assert voice.voices[0].name == "en-gb"
