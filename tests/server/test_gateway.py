import asyncio

import pytest
from msgspec.structs import asdict
from tests.server.doubles import HELLO, Caller, counted, shell

from lumi.errors import ConnectionLost, Overloaded, ProtocolError
from lumi.protocol.client_profiles import BUILT_IN, Sign, adapted
from lumi.protocol.connection import Limits
from lumi.protocol.messages import AudioFrame, Chat, ClientHello, CloseCode, Features, ServerHello
from lumi.server.gateway import OFFERED, GatewaySettings
from lumi.server.limits import Rates
from lumi.transport.base import LinkInfo
from lumi.transport.memory import memory_link_pair


async def test_the_first_frame_answers_the_hello():
    async with shell() as made, made.call() as caller:
        answer = await caller.greet()
        assert answer["type"] == "hello"
        assert answer["id"] == "h"
        assert answer["session_id"] == "made-001"
        assert answer["device_id"] == "dev"
        assert len(made.gateway) == len(made.sessions) == 1
    assert len(made.gateway) == len(made.sessions) == 0


async def test_a_chat_reaches_the_session_and_the_answer_the_client():
    async with shell() as made, made.call() as caller:
        await caller.greet()
        await caller.say(type="chat", id="c", content="hi")
        response = await caller.hear()
        assert (response["type"], response["id"], response["content"]) == ("response", "c", "hi")
        await caller.link.send(b"sound")
        await caller.say(type="ping", timestamp=1)
        assert (await caller.hear())["type"] == "pong"
        assert [type(item) for item in made.made[0].noted] == [Chat, AudioFrame]
    assert counted(made.metrics, 'lumi_turns_total{kind="written"} 1.0')
    assert counted(made.metrics, "lumi_frames_in_total 1.0")
    assert counted(made.metrics, 'lumi_closed_total{code="1000"} 1.0')


@pytest.mark.parametrize(
    ("info", "claimed", "device"),
    [
        (LinkInfo(headers={"device-id": "by header"}, query={"device-id": "q"}), "claimed", "by header"),
        (LinkInfo(query={"device-id": "by query"}), "claimed", "by query"),
        (LinkInfo(), "claimed", "claimed"),
        (LinkInfo(), None, "made-001"),
    ],
)
async def test_identity_strongest_first_and_one_is_made_where_there_is_none(info, claimed, device):
    async with shell() as made, made.call(info) as caller:
        answer = await caller.greet(device_id=claimed)
        assert answer["device_id"] == device
        assert made.made[0].device_id == device


async def test_who_says_nothing_is_cut_off_after_ten_seconds():
    async with shell() as made, made.call() as caller:
        began = asyncio.get_running_loop().time()
        lost = await caller.end()
        assert (lost.code, lost.reason) == (CloseCode.NO_HELLO, "no hello within 10 s")
        assert asyncio.get_running_loop().time() - began == pytest.approx(10.0)


async def test_talk_without_hello_is_no_hello():
    async with shell() as made, made.call() as caller:
        for _ in range(5):
            await asyncio.sleep(1.9)
            await caller.say(type="chat", id="c", content="hi")
            assert (await caller.hear())["error_code"] == "not_ready"
        assert (await caller.end()).code == CloseCode.NO_HELLO
    assert counted(made.metrics, 'lumi_errors_total{error_code="not_ready"} 5.0')


async def test_after_hello_there_is_no_deadline():
    async with shell() as made, made.call() as caller:
        await caller.greet()
        await asyncio.sleep(300)
        await caller.say(type="ping")
        assert (await caller.hear())["type"] == "pong"


async def test_a_later_hello_keeps_the_session_and_joins_the_features():
    async with shell() as made, made.call() as caller:
        first = await caller.greet(features={"stream": True})
        second = await caller.greet(id="h2", features={"notify": True}, device_id="somebody else")
        assert (second["id"], second["session_id"], second["device_id"]) == ("h2", first["session_id"], "dev")
        assert (second["features"]["stream"], second["features"]["notify"]) == (True, True)
        assert len(made.made) == 1
        assert isinstance(made.made[0].noted[0], ClientHello)
        assert made.made[0].agreement.features == Features(stream=True, notify=True)


@pytest.mark.parametrize(("busy", "rate"), [(True, 16_000), (False, 24_000)])
async def test_audio_changes_only_while_nothing_is_spoken_or_heard(busy, rate):
    wanted = {"format": "opus", "sample_rate": 24_000, "channels": 1, "frame_duration": 60}
    async with shell() as made, made.call() as caller:
        await caller.greet()
        made.made[0].audio_busy = busy
        answer = await caller.greet(id="h2", audio_params=wanted)
        assert answer["audio_params"]["sample_rate"] == rate


async def test_only_what_is_built_is_granted():
    async with shell() as made, made.call() as caller:
        answer = await caller.greet(features={"mcp": True, "resume": True, "aec": True, "notify": True})
        assert answer["features"] == {"mcp": True, "resume": True, "notify": True}
    assert {name for name, has in asdict(OFFERED).items() if not has} == {"aec"}


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        ({"version": 9}, "unsupported_version"),
        ({"audio_params": {"format": "mp3"}}, "unsupported_audio"),
    ],
)
async def test_a_hello_that_cannot_be_served_is_told_why_and_may_be_said_again(hello, code):
    async with shell() as made, made.call() as caller:
        error = await caller.greet(**hello)
        assert (error["type"], error["error_code"], error["id"]) == ("error", code, "h")
        assert "session_id" not in error
        assert error["timestamp"] == 1_767_605_400_000
        assert (await caller.greet())["type"] == "hello"


async def test_nonsense_costs_that_message_only():
    async with shell() as made, made.call() as caller:
        await caller.link.send("{nonsense")
        assert (await caller.hear())["error_code"] == "bad_json"
        await caller.greet()
        await caller.say(type="pang", id="x")
        error = await caller.hear()
        assert (error["error_code"], error["id"], error["session_id"]) == ("unknown_type", "x", "made-001")
        await caller.say(type="ping")
        assert (await caller.hear())["type"] == "pong"


async def test_too_much_nonsense_ends_the_connection():
    settings = GatewaySettings(limits=Limits(faults_in_a_row=3))
    async with shell(settings) as made, made.call() as caller:
        await caller.greet()
        for _ in range(3):
            await caller.link.send("x")
        assert (await caller.end()).code == CloseCode.TRY_LATER


async def test_too_large_a_frame_closes_with_its_own_code():
    settings = GatewaySettings(limits=Limits(binary_bytes=100))
    async with shell(settings) as made, made.call() as caller:
        await caller.greet()
        await caller.link.send(b"x" * 101)
        assert (await caller.hear())["error_code"] == "too_large"
        assert (await caller.end()).code == CloseCode.TOO_LARGE


async def test_one_session_too_many_is_told_to_come_back_later():
    async with shell(max_sessions=1) as made, made.call() as first:
        await first.greet()
        async with made.call() as second:
            error = await second.greet()
            assert (error["error_code"], error["retryable"]) == ("overloaded", True)
            assert error["retry_after"] > 0
            assert (await second.end()).code == CloseCode.TRY_LATER
        assert [refusal.reason for refusal in made.audit.latest] == ["overloaded"]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ProtocolError("bad_message", "not like this"), "bad_message"),
        (Overloaded("too much", retry_after_s=3.0), "overloaded"),
        (ZeroDivisionError("a bug"), "internal"),
    ],
)
async def test_what_goes_wrong_in_a_message_is_told_to_its_sender(failure, code):
    async with shell() as made, made.call() as caller:
        await caller.greet()
        made.made[0].broken = failure
        await caller.say(type="chat", id="c", content="hi")
        error = await caller.hear()
        assert (error["error_code"], error["id"]) == (code, "c")
        assert "a bug" not in error["error_message"]
        made.made[0].broken = None
        await caller.say(type="chat", id="c2", content="still here")
        assert (await caller.hear())["content"] == "still here"


async def test_an_error_that_is_fatal_ends_the_connection():
    async with shell() as made, made.call() as caller:
        await caller.greet()
        made.made[0].broken = ProtocolError("bad_message", "never again", fatal=True)
        await caller.say(type="chat", id="c", content="hi")
        assert (await caller.hear())["error_code"] == "bad_message"
        assert (await caller.end()).code == CloseCode.DONE


async def test_a_session_that_cannot_be_made_is_an_internal_error():
    async with shell() as made, made.call() as caller:
        made.fail_making = ValueError("a bug")
        assert (await caller.greet())["error_code"] == "internal"
        assert (await caller.end()).code == CloseCode.INTERNAL


async def test_a_session_that_breaks_ends_its_connection():
    async with shell() as made, made.call() as caller:
        await caller.greet()
        made.made[0].break_down(ValueError("a bug"))
        assert (await caller.end()).code == CloseCode.INTERNAL


async def test_goodbye_is_answered_by_closing():
    async with shell() as made, made.call() as caller:
        await caller.greet()
        await caller.say(type="goodbye", reason="asleep")
        lost = await caller.end()
        assert (lost.code, lost.reason) == (1000, "asleep")
    assert made.made[0].noted == ["detached", "closed: asleep"]


async def test_a_line_that_breaks_closes_the_session():
    async with shell() as made, made.call() as caller:
        await caller.greet()
        caller.link.cut()
    assert made.made[0].noted == ["detached", "closed: the line was cut"]
    assert counted(made.metrics, 'lumi_closed_total{code="1006"} 1.0')


async def test_a_client_that_reads_too_slowly_is_cut_off():
    settings = GatewaySettings(outgoing_frames=64)
    async with shell(settings) as made, made.call(capacity_bytes=1000) as caller:
        await caller.greet()
        send = made.made[0].send
        assert send is not None
        for _ in range(200):
            send(AudioFrame(b"x" * 200))
            await asyncio.sleep(0.06)
        assert len(made.gateway) == 0
        assert (await caller.end()).code == CloseCode.TRY_LATER
    assert counted(made.metrics, f'lumi_closed_total{{code="{CloseCode.TRY_LATER}"}} 1.0')


async def test_many_messages_at_once_are_all_answered_to_who_reads():
    settings = GatewaySettings(outgoing_frames=64)
    async with shell(settings) as made, made.call() as caller:
        await caller.greet()
        for _ in range(500):
            await caller.say(type="ping")
        assert {(await caller.hear())["type"] for _ in range(500)} == {"pong"}


async def test_a_message_that_may_not_be_sent_is_our_own_mistake():
    async with shell() as made, made.call() as caller:
        await caller.greet()
        send = made.made[0].send
        assert send is not None
        send(ServerHello())
        assert (await caller.end()).code == CloseCode.INTERNAL


async def test_the_sweep_hangs_up_on_who_has_been_silent_too_long():
    settings = GatewaySettings(idle_s=100.0)
    async with shell(settings) as made, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(made.gateway.sweep())
        async with made.call() as silent, made.call() as talker:
            await silent.greet()
            await talker.greet()
            for _ in range(3):
                await asyncio.sleep(40)
                await talker.say(type="ping")
                await talker.hear()
            assert len(made.gateway) == 1
            goodbye = await silent.hear()
            assert (goodbye["type"], goodbye["reason"]) == ("goodbye", "idle")
            assert (await silent.end()).code == CloseCode.DONE
        sweep.cancel()


async def test_another_table_of_clients_holds_from_the_next_hello():
    cubes = adapted(BUILT_IN, "cube", Sign(user_agent=("cube",)), "lumi", {"idle_s": 20.0})
    cube = LinkInfo(headers={"user-agent": "Cube/2"})
    async with shell() as made, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(made.gateway.sweep())
        async with made.call(cube) as old:
            await old.greet()
            made.gateway.renew(cubes)
            async with made.call(cube) as new:
                await new.greet()
                assert [one.agreement.client.name for one in made.made] == ["lumi", "cube"]
                assert (await new.hear())["reason"] == "idle"
            assert len(made.gateway) == 1
        sweep.cancel()


async def test_a_drain_says_goodbye_and_waits_until_all_have_gone():
    async with shell() as made:
        async with made.call() as greeted, made.call() as mute:
            await greeted.greet()
            await made.gateway.drain(5.0)
            assert len(made.gateway) == 0
            goodbye = await greeted.hear()
            assert (goodbye["type"], goodbye["reason"]) == ("goodbye", "server going away")
            assert (await greeted.end()).code == CloseCode.GOING_AWAY
            assert (await mute.end()).code == CloseCode.GOING_AWAY
        async with made.call() as late:
            assert (await late.end()).code == CloseCode.GOING_AWAY


async def test_a_drain_does_not_wait_for_ever():
    class Stuck:
        """Takes a second for everything, and an hour to close."""

        info = LinkInfo()

        async def receive(self):
            await asyncio.sleep(7200)

        async def send(self, frame):
            await asyncio.sleep(1)

        async def close(self, code=1000, reason=""):
            await asyncio.sleep(3600)

    async with shell() as made, asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(made.gateway.serve(Stuck()))
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await made.gateway.drain(5.0)
        assert asyncio.get_running_loop().time() - began == pytest.approx(7.0)
        serving.cancel()
    assert counted(made.metrics, 'lumi_closed_total{code="1001"} 1.0')


async def test_a_browser_with_a_bad_token_is_told_so():
    async with shell() as made:
        client, server = memory_link_pair()
        await made.gateway.refuse(server, "no, thank you")
        caller = Caller(client)
        error = await caller.hear()
        assert error["error_code"] == "unauthorized"
        assert (await caller.end()).code == CloseCode.UNAUTHORIZED


SLOW = GatewaySettings(rates=Rates(messages_per_s=1.0, audio_bytes_per_s=10.0, flood_s=5.0))


async def test_more_messages_than_a_connection_may_send_are_refused_by_their_id_and_the_next_is_welcome():
    async with shell(SLOW) as made, made.call() as caller:
        await caller.greet()
        for number in range(10):
            await caller.say(type="chat", id=f"c{number}", content="hi")
        heard = [await caller.hear() for _ in range(10)]
        assert [one["type"] for one in heard] == ["response"] * 9 + ["error"]
        refused = heard[-1]
        assert (refused["id"], refused["error_code"], refused["retryable"]) == ("c9", "rate_limited", True)
        assert refused["retry_after"] == 1.0
        await asyncio.sleep(refused["retry_after"])
        await caller.say(type="chat", id="c9", content="hi")
        assert (await caller.hear())["type"] == "response"
    assert counted(made.metrics, "lumi_unwelcome_total 1.0")


async def test_more_sound_than_a_connection_may_send_is_dropped():
    async with shell(SLOW) as made, made.call() as caller:
        await caller.greet()
        for _ in range(3):
            await caller.link.send(bytes(100))
        await caller.say(type="ping", timestamp=1)
        assert (await caller.hear())["type"] == "pong"
        assert len([item for item in made.made[0].noted if isinstance(item, AudioFrame)]) == 2


async def send_sound(caller: Caller) -> None:
    """Much more than is welcome, until somebody ends it."""
    while True:
        await asyncio.sleep(0.1)
        await caller.link.send(bytes(100))


async def test_who_floods_is_cut_off_and_told():
    async with shell(SLOW) as made, made.call() as caller:
        await caller.greet()
        began = asyncio.get_running_loop().time()
        with pytest.raises(ConnectionLost) as cut:
            await send_sound(caller)
        assert (cut.value.code, cut.value.reason) == (CloseCode.TRY_LATER, "too much was sent for too long")
        assert 5.0 <= asyncio.get_running_loop().time() - began <= 6.0
        error = await caller.hear()
        assert error["error_code"] == "rate_limited"
        assert error["retry_after"] > 0
        assert [refusal.reason for refusal in made.audit.latest] == ["flood"]


async def test_one_device_has_only_so_many_sessions():
    async with shell() as made:
        made.sessions._max_of_device = 1
        async with made.call() as one, made.call() as other:
            await one.greet()
            await other.say(**HELLO)
            refused = await other.hear()
            assert (refused["error_code"], refused["retry_after"]) == ("rate_limited", 30.0)
            assert [refusal.reason for refusal in made.audit.latest] == ["rate_limited"]
            assert (await other.end()).code == CloseCode.TRY_LATER
        async with made.call() as third:
            await third.greet()
