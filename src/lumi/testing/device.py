"""A device at the wire: it speaks JSON and binary frames as clients in the field do, and keeps what it is told.

    async with FakeDevice(link) as device:
        await device.hello()
        await device.listen("start", mode="manual")
        await device.play(packets)                 # in real time by the loop's clock
        await device.listen("stop")
        stt = await device.expect("stt")
        turn = await device.spoken_turn()          # up to its `tts stop`: messages, packets, times

It knows nothing of the protocol room: what a test sees is what was on the wire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from lumi.errors import ConnectionLost
from lumi.testing.device_tools import ScriptedDeviceTools
from lumi.testing.wire import V1, DeviceFraming, Json, Received, SpokenTurn, is_tts, kind, matches, runs
from lumi.transport.base import Link

PATIENCE_S = 15.0
"""How long `expect` waits, by the loop's clock."""

OPUS_16K_60MS: Json = {"format": "opus", "sample_rate": 16_000, "channels": 1, "frame_duration": 60}


class FakeDevice:
    """One connection. While entered, it reads all the time, as devices do."""

    def __init__(
        self,
        link: Link,
        *,
        dialect: Literal["lumi", "xiaozhi"] = "lumi",
        device_id: str = "test-device",
        framing: DeviceFraming = V1,
        audio_params: Json | None = None,
        tools: ScriptedDeviceTools | None = None,
    ) -> None:
        self.link = link
        self.dialect = dialect
        self.device_id = device_id
        self.session_id: str | None = None
        self.received: list[Received] = []
        self.closed: ConnectionLost | None = None
        self.tools = tools
        self._framing = framing
        self._audio_params = audio_params or OPUS_16K_60MS
        self._cursor = 0
        self._count = 0
        self._changed = asyncio.Event()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._group.create_task(self._read(), name=f"{self.device_id} reads")
        return self

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.link.close()
        if isinstance(error, asyncio.CancelledError):  # perhaps the group's own doing: it must see it
            await self._group.__aexit__(error_type, error, trace)
        else:  # a test's own error stays itself instead of becoming a group
            await self._group.__aexit__(None, None, None)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                frame = await self.link.receive()
                content = (
                    msgspec.json.decode(frame) if isinstance(frame, str) else self._framing.unwrap(frame)
                )
                self.received.append(Received(loop.time(), content))
                self._wake()
                if self.tools is not None and isinstance(content, dict) and content.get("type") == "mcp":
                    self._group.create_task(self._use(self.tools, content["payload"]), name="device's tool")
        except ConnectionLost as lost:
            self.closed = lost
            self._wake()

    async def _use(self, tools: ScriptedDeviceTools, payload: Json) -> None:
        """Answer what the server asks of this device's tools, if the line still stands by then."""
        try:
            for answer in await tools.answers(payload):
                await self.send("mcp", session_id=self.session_id, payload=answer)
        except ConnectionLost:
            return

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # ── what it has been told ────────────────────────────────────────────────────────────────────────────────────

    @property
    def messages(self) -> list[Json]:
        """All JSON messages so far, in order."""
        return [item.content for item in self.received if isinstance(item.content, dict)]

    @property
    def types(self) -> list[str]:
        """Their types; `tts` with its state: `tts start`."""
        return [kind(message) for message in self.messages]

    @property
    def packets(self) -> list[Received]:
        """All packets of sound so far, unwrapped."""
        return [item for item in self.received if isinstance(item.content, bytes)]

    # ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────

    def next_id(self, what: str = "message") -> str:
        """Ids that tell where they come from: `test-device-chat-1`."""
        self._count += 1
        return f"{self.device_id}-{what}-{self._count}"

    async def send(self, type: str, **fields: Any) -> None:  # noqa: A002 - the wire's word
        """Any message; fields that are None are left out."""
        message = {"type": type} | {name: value for name, value in fields.items() if value is not None}
        await self.link.send(msgspec.json.encode(message).decode())

    async def hello(self, **fields: Any) -> Json:
        """Say hello in this device's dialect and return the answer; `fields` add to it or (None) take away."""
        common: Json = {"version": 1, "transport": "websocket", "audio_params": self._audio_params}
        if self.dialect == "lumi":
            info = {"platform": "test", "model": "fake", "os_version": "1"}
            common |= {"id": self.next_id("hello"), "device_id": self.device_id, "device_info": info}
        await self.send("hello", **(common | fields))
        answer = await self.expect("hello")
        self.session_id = answer.get("session_id")
        return answer

    async def chat(self, content: str, **fields: Any) -> Json:
        """Send a chat and return its final `response`."""
        chat_id = await self.send_chat(content, **fields)
        return await self.expect("response", id=chat_id, is_final=True)

    async def send_chat(self, content: str, **fields: Any) -> str:
        """Send a chat; its id."""
        chat_id: str = fields.pop("id", None) or self.next_id("chat")
        context = {
            "session_id": self.session_id,
            "device_id": self.device_id,
            "timestamp": "2026-01-05T09:30:00Z",
        }
        await self.send("chat", id=chat_id, content=content, **(context | fields))
        return chat_id

    async def listen(self, state: Literal["start", "stop", "detect"], **fields: Any) -> None:
        await self.send("listen", state=state, session_id=self.session_id, **fields)

    async def detect(self, text: str) -> None:
        """Give words as recognised by the device itself."""
        await self.listen("detect", text=text)

    async def abort(self, reason: str | None = None) -> None:
        await self.send("abort", reason=reason, session_id=self.session_id)

    async def play(self, packets: Iterable[bytes], *, frame_ms: float = 60.0) -> None:
        """Send packets of sound, one every `frame_ms` by the loop's clock, without drifting; 0: all at once."""
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number, packet in enumerate(packets):
            await asyncio.sleep(max(0.0, start + number * frame_ms / 1000 - loop.time()))
            await self.link.send(self._framing.wrap(packet, round(number * frame_ms), number))

    # ── what it waits for ────────────────────────────────────────────────────────────────────────────────────────

    async def expect(self, type: str, *, timeout_s: float = PATIENCE_S, **fields: Any) -> Json:  # noqa: A002
        """The next message of this type with these fields; what came before it is passed over.

        A field that a message leaves out counts as its default where the wire has one (`is_final`: true).
        """
        wanted = {"type": type} | fields
        start = self._cursor
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for position in range(self._cursor, len(self.received)):
                        self._cursor = position + 1
                        content = self.received[position].content
                        if isinstance(content, dict) and matches(content, wanted):
                            return content
                    await self._more(wanted, start)
        except TimeoutError:
            raise AssertionError(
                self._missed(wanted, start, f"did not come within {timeout_s:g} s")
            ) from None

    async def _more(self, wanted: Json, start: int) -> None:
        if self.closed is not None:
            raise AssertionError(self._missed(wanted, start, f"did not come: {self.closed}"))
        await self._changed.wait()

    def _missed(self, wanted: Json, start: int, what: str) -> str:
        came = [
            kind(item.content) if isinstance(item.content, dict) else "packet"
            for item in self.received[start:]
        ]
        return f"{wanted} {what}; there came: {runs(came) or 'nothing'}"

    async def spoken_turn(self, *, timeout_s: float = 60.0) -> SpokenTurn:
        """Wait for the next `tts stop` and return all since the last `expect`."""
        start = self._cursor
        await self.expect("tts", state="stop", timeout_s=timeout_s)
        items = self.received[start : self._cursor]
        started = next((item.at_s for item in items if is_tts(item, "start")), items[-1].at_s)
        return SpokenTurn(
            messages=[item.content for item in items if isinstance(item.content, dict)],
            packets=[item for item in items if isinstance(item.content, bytes)],
            started_s=started,
            stopped_s=items[-1].at_s,
        )

    async def quiet(self, seconds: float) -> None:
        """Nothing at all may come for so long."""
        before = len(self.received)
        await asyncio.sleep(seconds)
        came = self.received[before:]
        assert not came, f"{seconds:g} s should have been quiet; there came {came[:3]}"

    async def wait_closed(self, *, timeout_s: float = PATIENCE_S) -> ConnectionLost:
        """The connection's end: its close code and reason."""
        async with asyncio.timeout(timeout_s):
            while self.closed is None:
                await self._changed.wait()
        return self.closed
