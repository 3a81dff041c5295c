import pytest
from tests.server.doubles import counted

from lumi.errors import ProtocolError
from lumi.protocol.connection import Connection, Role
from lumi.protocol.messages import AudioFrame, Metrics, Pong, Response
from lumi.server.line import Line
from lumi.server.metrics import Metrics as Counters
from lumi.transport.memory import memory_link_pair


def line() -> tuple[Line, Counters]:
    _, server = memory_link_pair()
    counters = Counters()
    return Line(server, Connection(Role.SERVER), counters, max_frames=100), counters


@pytest.mark.parametrize(
    ("message", "counts"),
    [
        (Metrics(turn_id="t", stages={"stt": 5.0}), 'lumi_turns_total{kind="spoken"} 1.0'),
        (Response(id="1", content="x"), 'lumi_turns_total{kind="written"} 1.0'),
    ],
)
async def test_turns_are_counted_as_they_leave(message, counts):
    made, counters = line()
    made.send(message)
    assert counted(counters, counts)


@pytest.mark.parametrize(
    "message", [Response(id="1", delta="x", is_final=False), Pong(), AudioFrame(b"x"), "hello"]
)
async def test_nothing_else_is_a_turn(message):
    made, counters = line()
    made.send(message)
    assert made.writer.waiting_frames == 1
    assert b"lumi_turns_total{" not in counters.text()


async def test_errors_are_counted_by_name():
    made, counters = line()
    made.send_error(ProtocolError("too_large", "too much"), retry_after_s=3.0)
    assert counted(counters, 'lumi_errors_total{error_code="too_large"} 1.0')


async def test_hanging_up_closes_the_line():
    made, _ = line()
    assert not made.closing
    made.hang_up(1000, "bye")
    assert made.closing
