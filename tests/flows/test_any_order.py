"""Whatever a client does, in whatever order and at whatever moment: what holds for every conversation holds for this one."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator

import pytest

from lumi.testing.engines import ScriptedLlm
from lumi.testing.insistences import complaints
from lumi.testing.mutations import MUTATIONS, MutatedLink
from lumi.testing.rehearsal import Rehearsal
from lumi.testing.replay import Recording, Script, Step, replay
from lumi.testing.wire import Json, Received, is_tts, kind

ANSWER = "It is noon. Time to eat. And then to sleep a little."
INSISTS = (
    "hello_first", "session_id", "one_session", "every_hello_answered", "lead", "gap", "packet_bytes", "packet_length",
    "line_kept",
)  # fmt: skip
BOARD = {"device-id": "walker", "user-agent": "esp-box-3/1.8.5", "protocol-version": "1"}
AT_ONCE_S = 0.001
ACTS = 10

Acts = Iterator[Step]


def hello(dialect: str) -> Json:
    named = {"id": "h", "device_id": "walker"} if dialect == "lumi" else {}
    return {"type": "hello", "version": 1, "transport": "websocket", **named}


def listen(state: str, **fields: object) -> Step:
    return Step(send={"type": "listen", "state": state, **fields})


def says(chance: random.Random, dialect: str, number: int) -> tuple[Step, ...]:
    """A message that a client may send at any time."""
    chat = {"type": "chat", "id": f"c{number}", "content": "hi", "speak": chance.random() < 0.5}
    return chance.choice(
        [
            (listen("start", mode=chance.choice(["auto", "manual", "realtime"])),),
            (listen("start"),),
            (listen("stop"),),
            (listen("detect", text="what time is it"),),
            (Step(send={"type": "abort"}),),
            (Step(send=hello(dialect)),),
            (Step(send=chat),),
            (listen("start", mode="manual"), Step(speak_ms=400), listen("stop")),
        ]
    )


def act(chance: random.Random, dialect: str, number: int) -> Acts:
    """A message or sound, and then a pause, or none."""
    if chance.random() < 0.25:
        yield Step(speak_ms=chance.choice([60, 180, 400, 900]), silent_ms=chance.choice([0, 600, 1200]))
    else:
        yield from says(chance, dialect, number)
    yield Step(pause_ms=chance.choice([0, 0, 20, 100, 1000, 3000]))


def walk(seed: int, dialect: str) -> Script:
    """The same for the same seed."""
    chance = random.Random(seed)
    steps = [Step(send=hello(dialect)), Step(expect={"type": "hello"})]
    for number in range(ACTS):
        steps += act(chance, dialect, number)
    steps.append(Step(pause_ms=60_000))
    shown, gap_ms = (BOARD, 30.0) if dialect == "xiaozhi" else ({"device-id": "walker"}, 0.0)
    return Script(
        f"walk {seed}",
        "Anything.",
        "",
        frozenset(),
        (),
        (),
        INSISTS,
        tuple(steps),
        headers=shown,
        gap_ms=gap_ms,
    )


async def walked(script: Script, mutation: str = "") -> Recording:
    async with Rehearsal(llm=ScriptedLlm(lambda _: ANSWER)) as house, asyncio.TaskGroup() as tasks:
        link = house.link(script.info)
        tasks.create_task(pushes(house, random.Random(script.name)))
        return await replay(MutatedLink(link, script, MUTATIONS[mutation]) if mutation else link, script)


async def pushes(house: Rehearsal, chance: random.Random) -> None:
    """Three notices at some moment."""
    for number in range(3):
        await asyncio.sleep(chance.uniform(0, 5))
        await house.sessions.push(
            "walker", f"Ding {number}.", kind="timer", notice_id=f"n{number}", due_at=0.0
        )


def wrong(recording: Recording) -> Iterator[str]:
    """What must hold for turns, whatever happened around them."""
    speaking = False
    for item in recording.down:
        if isinstance(item.content, bytes):
            if not speaking:
                yield f"sound outside a turn at {item.at_s:.2f}"
        elif kind(item.content) == "error":
            yield str(item.content["error_message"])
        elif is_tts(item, "start") or is_tts(item, "stop"):
            yield from turned(recording, item, speaking=speaking)
            speaking = is_tts(item, "start")
    if speaking:
        yield "a turn without an end"
    yield from not_ended(recording)
    yield from unanswered(recording)


def not_ended(recording: Recording) -> Iterator[str]:
    """An abort in the midst of a turn is followed by its stop, at once."""
    aborts = [
        one.at_s for one in recording.up if isinstance(one.content, dict) and one.content["type"] == "abort"
    ]
    for at_s in aborts:
        before = [item for item in recording.down if item.at_s < at_s and isinstance(item.content, dict)]
        turns = [item for item in before if is_tts(item, "start") or is_tts(item, "stop")]
        after = [item for item in recording.down if at_s <= item.at_s < at_s + AT_ONCE_S]
        if turns and is_tts(turns[-1], "start") and not any(is_tts(item, "stop") for item in after):
            yield f"the abort at {at_s:.2f} ended nothing"


def turned(recording: Recording, item: Received, *, speaking: bool) -> Iterator[str]:
    """A turn begins or ends."""
    if is_tts(item, "start") and speaking:
        yield f"a turn begins within a turn at {item.at_s:.2f}"
    if is_tts(item, "stop") and not speaking:
        said = (one for one in recording.up if isinstance(one.content, dict) and may_end(one.content))
        if not any(abs(item.at_s - one.at_s) < AT_ONCE_S for one in said):
            yield f"a stop of nothing at {item.at_s:.2f}"


def may_end(message: Json) -> bool:
    """Whether it ends a turn, which then has its stop even where it had not begun to sound."""
    return message["type"] == "abort" or message.get("state") in {"detect", "start"}


def unanswered(recording: Recording) -> Iterator[str]:
    asked = [
        one.content["id"]
        for one in recording.up
        if isinstance(one.content, dict) and one.content["type"] == "chat"
    ]
    told = [
        one.content["id"]
        for one in recording.down
        if isinstance(one.content, dict) and kind(one.content) == "response"
    ]
    if asked != told:
        yield f"chats {asked} had the answers {told}"


@pytest.mark.parametrize("dialect", ["lumi", "xiaozhi"])
@pytest.mark.parametrize("seed", range(15))
async def test_every_conversation_keeps_its_form(
    seed: int, dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    recording = await walked(walk(seed, dialect))
    assert complaints(recording) == {}
    assert list(wrong(recording)) == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    "mutation",
    ["a second start", "sound after the stop", "no stop", "a second stop", "a stop long after the abort"],
)
async def test_a_conversation_that_loses_it_is_found_out(mutation: str) -> None:
    found: list[str] = []
    for seed in range(15):
        if not found:
            found = list(wrong(await walked(walk(seed, "lumi"), mutation)))
    assert found


def test_the_walks_do_everything() -> None:
    """Each act, and each dialect's own signs, stand in some walk."""
    sent = [step.send for seed in range(15) for step in walk(seed, "lumi").steps if step.send is not None]
    assert {one["type"] for one in sent} == {"hello", "listen", "abort", "chat"}
    assert {one.get("state") for one in sent} == {None, "start", "stop", "detect"}
    assert {one.get("mode") for one in sent} == {None, "auto", "manual", "realtime"}
