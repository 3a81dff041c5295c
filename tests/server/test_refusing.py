import pytest

from lumi.errors import Overloaded, ProtocolError, RateLimited
from lumi.protocol.connection import Connection, Role
from lumi.protocol.messages import Chat, CloseCode, Error, ErrorCode
from lumi.server.audit import AuditLog
from lumi.server.line import Line
from lumi.server.metrics import Metrics
from lumi.server.refusing import put_off, refuse, too_much
from lumi.transport.memory import memory_link_pair


def line() -> Line:
    _, server = memory_link_pair()
    return Line(server, Connection(Role.SERVER, wall_clock=lambda: 0.0), Metrics(), max_frames=64)


@pytest.mark.parametrize(
    ("error", "code"), [(Overloaded("full"), "overloaded"), (RateLimited("slower"), "rate_limited")]
)
async def test_who_is_put_off_before_there_is_a_session_is_to_come_back_later(error, code):
    peer = line()
    audit = AuditLog(Metrics(), lambda: 0.0)
    put_off(peer, Chat(id="c", content="x"), error, audit)
    assert [refusal.reason for refusal in audit.latest] == [code]
    assert peer.writer.finishing == (CloseCode.TRY_LATER, code)
    assert peer.writer.waiting_frames == 1


async def test_what_costs_only_the_message_leaves_the_link_alone():
    peer = line()
    refuse(peer, Chat(id="c", content="x"), ProtocolError(ErrorCode.BAD_MESSAGE, "no"))
    assert peer.writer.finishing is None


async def test_nobody_is_told_to_try_again_at_once():
    peer, audit = line(), AuditLog(Metrics(), lambda: 0.0)
    too_much(peer, '{"type":"ping"}', 0.004, audit)
    (error,) = peer.writer._waiting
    assert isinstance(error, Error)
    assert error.retry_after == 0.1


async def test_sound_that_is_too_much_is_dropped_without_a_word():
    peer, audit = line(), AuditLog(Metrics(), lambda: 0.0)
    too_much(peer, b"sound", 1.0, audit)
    assert peer.writer.waiting_frames == 0
    too_much(peer, '{"type":"chat","id":"c","content":"x"}', 1.0, audit)
    assert peer.writer.waiting_frames == 1
    assert not audit.latest
