from __future__ import annotations

import asyncio
from typing import Any

from tests.client.scripted_server import Peer, ScriptedServer, converse, scripted_server
from tests.tui.stage import conducting, dial_by, until, with_sound, without_sound

from lumi.protocol.messages import Abort, Chat, Listen, Notify, Stt
from lumi.tui.conductor import MAX_DEEDS, Conductor, HandsFree, Interrupt, Reconnect, Say, Talk
from lumi.tui.model import Listening, Model
from lumi.tui.screen import BROKEN


def conductor_for(server: ScriptedServer, model: Model, **options: Any) -> Conductor:
    return Conductor(dial_by(server.connector), model, options.get("devices", with_sound()))


def texts(model: Model) -> list[str]:
    return [entry.words.en for entry in model.conversation.entries]


async def test_what_is_typed_is_answered():
    model = Model("en")
    async with scripted_server() as server:
        conductor = conductor_for(server, model)
        conductor.ask(Say("hello"))
        async with conducting(conductor):
            await until(lambda: texts(model) == ["hello", "HELLO"])
        assert model.clock.latency_s is not None


async def test_deeds_are_done_in_order():
    model = Model("en")
    async with scripted_server() as server:
        conductor = conductor_for(server, model)
        async with conducting(conductor):
            await until(lambda: model.state.phase == "ready")
            for deed in (Reconnect(), Talk(), Interrupt(), HandsFree()):
                conductor.ask(deed)
            await until(lambda: model.listening is Listening.HANDS_FREE)
            assert len(server.received(Abort)) == 1


async def test_too_many_messages_are_refused_on_the_screen():
    model = Model("en")

    async def silent(peer: Peer, item: Any) -> None:
        if not isinstance(item, Chat):
            await converse(peer, item)

    async with scripted_server(silent) as server:
        conductor = conductor_for(server, model)
        async with conducting(conductor):
            for number in range(33):
                conductor.ask(Say(str(number)))
            await until(lambda: any("32 messages are waiting already" in text for text in texts(model)))
            conductor.look(asyncio.get_running_loop().time())
            assert model.queue_length == 32


async def test_keys_pressed_faster_than_they_are_obeyed_are_not_kept():
    model = Model("en")
    async with scripted_server() as server:
        conductor = conductor_for(server, model)
        for _ in range(MAX_DEEDS + 1):
            conductor.ask(Interrupt())
        assert texts(model) == ["Too many keys at once: this one was not obeyed."]
        async with conducting(conductor):
            await asyncio.sleep(1)


async def test_a_machine_without_sound_converses_in_text():
    model = Model("en")
    async with scripted_server() as server:
        conductor = conductor_for(server, model, devices=without_sound())
        async with conducting(conductor):
            await until(lambda: model.state.phase == "ready")
            conductor.ask(Talk())
            conductor.ask(Say("hello"))
            await until(lambda: "HELLO" in texts(model))
    assert texts(model)[0] == "Answers come as text: this machine has no loudspeaker"
    assert "You cannot talk: this machine has no microphone" in texts(model)


async def test_the_line_s_end_is_survived_and_what_waits_goes_out():
    model = Model("en")
    async with scripted_server() as server:
        conductor = conductor_for(server, model)
        async with conducting(conductor):
            await until(lambda: model.state.phase == "ready")
            await server.peer.link.close(1011, "a fuse blew")
            await until(lambda: model.state.phase == "error")
            conductor.ask(Say("still there"))
            await until(lambda: texts(model) == ["still there"])
            conductor.look(asyncio.get_running_loop().time())
            assert model.queue_length == 1
            assert model.retry_at_s is not None
            assert next(iter(model.conversation.entries)).progress.value == "waiting"
            await until(lambda: texts(model) == ["still there", "STILL THERE"])
            assert len(server.peers) == 2


async def test_hands_free_goes_on_after_the_line_was_lost():
    model = Model("en")
    async with scripted_server() as server:
        conductor = conductor_for(server, model)
        async with conducting(conductor):
            await until(lambda: model.state.phase == "ready")
            conductor.ask(HandsFree())
            await until(lambda: model.listening is Listening.HANDS_FREE)
            await server.peer.link.close(1011, "a fuse blew")
            await until(lambda: model.listening is Listening.PAUSED)
            await until(lambda: model.listening is Listening.HANDS_FREE)
            await until(lambda: len(server.received(Listen)) == 2)


async def test_a_refusal_is_shown_and_the_user_may_try_again():
    refused = [True]

    async def refuse(peer: Peer, item: Any) -> None:
        if refused:
            await peer.link.close(4401, "who are you")
        else:
            await converse(peer, item)

    model = Model("en")
    async with scripted_server(refuse) as server:
        conductor = conductor_for(server, model)
        conductor.ask(Say("hello"))
        async with conducting(conductor):
            await until(lambda: model.state.phase in BROKEN and model.trouble)
            assert "who are you" in str(model.trouble)
            refused.clear()
            conductor.ask(Reconnect())
            await until(lambda: texts(model) == ["hello", "HELLO"])


async def test_what_the_server_says_unasked_is_shown():
    model = Model("en")
    async with scripted_server() as server:
        conductor = conductor_for(server, model)
        async with conducting(conductor):
            await until(lambda: model.state.phase == "ready")
            await server.peer.send(Notify(id="n", kind="timer", text="The tea is ready."), Stt(text="hi"))
            await until(lambda: texts(model) == ["The tea is ready.", "hi"])
