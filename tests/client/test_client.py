from __future__ import annotations

from tests.client.scripted_server import scripted_server

from lumi.client.client import connect
from lumi.client.state_machine import Ready


async def test_a_chat_is_answered():
    async with (
        scripted_server() as server,
        connect("ws://x/", device_id="me", connector=server.connector) as client,
    ):
        reply = await client.chat("hello")
        assert reply.content == "HELLO"
        assert client.state == Ready("session-1", "9.9")
