"""From nothing to ready in one call: network, line, and the handshake as soon as the line stands."""

from __future__ import annotations

from collections.abc import Mapping

from lumi.client.broadcast import Subscription
from lumi.client.connection_service import ConnectionService
from lumi.client.handshake import HANDSHAKE_TIMEOUT_S, HandshakeService, Profile
from lumi.client.state_machine import ConnectionState
from lumi.protocol.handshake import HandshakeResult


class ConnectionNotifier:
    """Takes the client's state from anywhere through connecting, connected and handshaking to ready or failed, and
    tells whoever listens.

    Args:
        service: the line; it asks for the network before it connects.
        handshake_timeout_s: how long the server may take to answer hello.
    """

    def __init__(
        self, service: ConnectionService, *, handshake_timeout_s: float = HANDSHAKE_TIMEOUT_S
    ) -> None:
        self._service = service
        self._handshake = HandshakeService(service, timeout_s=handshake_timeout_s)

    @property
    def state(self) -> ConnectionState:
        return self._service.machine.state

    def states(self) -> Subscription[ConnectionState]:
        """Every change of state from now on."""
        return self._service.states()

    async def connect(
        self, url: str, headers: Mapping[str, str] | None = None, profile: Profile | None = None
    ) -> HandshakeResult:
        """Connect, and shake hands once connected. Returns when the state is ready.

        Raises:
            NetworkUnavailable: there is no network; nothing was tried.
            ConnectFailed, ConnectionRefused, ConnectionLost, ServerError: there is no line, or it broke.
            HandshakeError: the hello exchange went wrong.
        """
        await self._service.connect(url, headers)
        return await self._handshake.perform(profile or Profile())

    async def disconnect(self) -> None:
        """Close the line, if there is one."""
        await self._service.disconnect()
