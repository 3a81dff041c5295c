import pytest

from lumi.errors import LocalProtocolError
from lumi.protocol.messages import Abort, Chat, Listen
from lumi.server.message_router import MessageRouter


async def test_a_message_goes_to_its_handler_and_what_it_starts_is_waited_for():
    noted = []

    async def listen(session, peer, message):
        noted.append(("listen", session, peer, message))

    def chat(session, peer, message):
        noted.append(("chat", session, peer, message))

    router = MessageRouter({Listen: listen, Chat: chat})
    first, second = Listen(state="stop"), Chat(id="1", content="hi")
    await router.route("session", "peer", first)  # type: ignore[arg-type]
    await router.route("session", "peer", second)  # type: ignore[arg-type]
    assert noted == [("listen", "session", "peer", first), ("chat", "session", "peer", second)]


async def test_a_type_without_a_handler_is_our_own_mistake():
    with pytest.raises(LocalProtocolError, match="Abort"):
        await MessageRouter({}).route("session", "peer", Abort())  # type: ignore[arg-type]
