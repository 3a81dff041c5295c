import asyncio

from lumi.voice.replay import Replay
from lumi.voice.utterance import Utterance


async def test_an_utterance_is_heard_again_from_its_beginning_while_it_goes_on():
    utterance = Utterance(10_000)
    replay = Replay(utterance)
    utterance.push(b"aa")
    assert await anext(replay) == b"aa"
    reading = asyncio.create_task(anext(replay))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    utterance.push(b"bb")
    utterance.speech_ms = 40
    replay.rewind()
    utterance.end()
    assert [piece async for piece in replay] == [b"aa", b"bb"]
    assert (replay.ended_at, replay.speech_ms) == (utterance.ended_at, 40)


async def test_stages_are_timed_from_the_end_of_speech():
    from lumi.voice.events import Stage
    from lumi.voice.stage_clock import StageClock

    clock = StageClock()
    clock.reached(Stage.STT)
    clock.start()
    await asyncio.sleep(1)
    clock.reached(Stage.LLM)
    await asyncio.sleep(1)
    clock.reached(Stage.LLM)
    assert clock.stages_ms == {"llm": 1000}
