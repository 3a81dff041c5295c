"""Both transports keep the contract of `transport/base.py`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest

from lumi.testing.transports import Pair, TransportConformance, open_memory_pair, open_websocket_pair
from lumi.transport.base import LinkInfo
from lumi.transport.websocket import MAX_FRAME_BYTES


class TestMemory(TransportConformance):
    def open_pair(
        self, info: LinkInfo | None = None, max_frame_bytes: int = MAX_FRAME_BYTES
    ) -> AbstractAsyncContextManager[Pair]:
        return open_memory_pair(info, max_frame_bytes)


@pytest.mark.real
class TestWebSocket(TransportConformance):
    def open_pair(
        self, info: LinkInfo | None = None, max_frame_bytes: int = MAX_FRAME_BYTES
    ) -> AbstractAsyncContextManager[Pair]:
        return open_websocket_pair(info, max_frame_bytes)
