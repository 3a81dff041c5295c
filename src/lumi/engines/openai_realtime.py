"""A realtime speech model over the OpenAI Realtime API: it hears an utterance, thinks, and speaks, over one WebSocket.

Lumi finds the end of speech itself (turn detection is off), so that listening, interrupting and the three modes stay what
they are with any other engine:

    append … append, commit, response.create ──▶ transcription, audio, transcript … response.done
    closed before its end                     ──▶ response.cancel, conversation.item.truncate (to what was heard)

A session's connection stays open between turns, so that the model remembers how things were said; after it has broken, the
dialogue is told to the next one in writing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from lumi.engines.base import DuplexEvent
from lumi.engines.realtime_exchange import NAME, RATE_HZ, Exchange
from lumi.engines.realtime_line import Line, dial, tool
from lumi.errors import EngineError

if TYPE_CHECKING:
    from lumi.engines.base import ChatMessage, Prompt, Speaker, Tools, ToolSpec


CUT_S: Final = 2.0
"""How long the end of an answer that was interrupted may take."""


class OpenAiRealtime:
    """The `Duplex` seam.

    Args:
        base_url: of the service, `https://…/v1` or `ws://…/v1`.
        api_key: what the service wants to see.
        model: the speech model.
        voice: one of the service's; empty: its own choice.
        transcription_model: writes down what the user said.
        timeout_s: how long the service may be silent.
        idle_s: how long a connection stays open between two turns of a session.
    """

    name = NAME
    sample_rate_hz = RATE_HZ

    def __init__(
        self,
        base_url: str = "https://api.openai.com/v1",
        api_key: str = "",
        model: str = "gpt-realtime",
        voice: str = "",
        transcription_model: str = "gpt-4o-mini-transcribe",
        timeout_s: float = 15.0,
        idle_s: float = 300.0,
    ) -> None:
        address = base_url.rstrip("/").replace("https://", "wss://", 1).replace("http://", "ws://", 1)
        self._url = f"{address}/realtime?model={quote(model, safe='')}"
        self._api_key = api_key
        self._voice = voice
        self._transcription_model = transcription_model
        self._timeout_s = timeout_s
        self._idle_s = idle_s
        self._lines: dict[str, Line] = {}  # bounded by `idle_s` and the sessions that talk
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._heard_ms: dict[str, float] = {}

    async def probe(self) -> None:
        """Whether the service lets us in with this key and model: a connection, at once closed. Raises `EngineError`."""
        line = await dial(NAME, self._url, self._api_key, self._timeout_s)
        await line.aclose()

    def interrupted(self, speaker: Speaker, heard_ms: float) -> None:
        """The answer that is about to be cut off was heard so far."""
        if speaker.session_id in self._lines:
            self._heard_ms[speaker.session_id] = heard_ms

    async def converse(
        self, audio: AsyncIterator[bytes], prompt: Prompt, tools: Tools | None = None
    ) -> AsyncIterator[DuplexEvent]:
        session = prompt.speaker.session_id
        specs = await tools.specs(prompt.speaker) if tools is not None else prompt.tools
        line = await self._line(prompt, specs)
        guarded = frozenset(spec.name for spec in specs if spec.confirm)
        exchange = Exchange(line, prompt.speaker, tools, guarded, prompt.filler)
        try:
            await exchange.ask(audio)
            async for event in exchange.answer():
                yield event
        except EngineError:
            await self._drop(session)
            raise
        finally:
            heard_ms = self._heard_ms.pop(session, 0.0)
            if line.open and not exchange.done:
                await self._cut(exchange, heard_ms)
            line.free.set()
            line.messages += exchange.entries
            self._rest(session)

    async def aclose(self) -> None:
        for session in list(self._lines):
            await self._drop(session)
        if self._closing:
            await asyncio.wait(self._closing)

    async def _line(self, prompt: Prompt, specs: Sequence[ToolSpec]) -> Line:
        """The session's connection, or a new one that has been told the dialogue."""
        session = prompt.speaker.session_id
        if timer := self._timers.pop(session, None):
            timer.cancel()
        dialogue = [message for message in prompt.messages if message.role in {"user", "assistant"}]
        settings = self._settings(prompt.messages, [tool(spec) for spec in specs])
        line = await self._free_line(session)
        # More in the dialogue than was said over the line: something was typed meanwhile.
        if line is None or not line.open or len(dialogue) > line.messages:
            await self._drop(session)
            line = self._lines[session] = await dial(NAME, self._url, self._api_key, self._timeout_s)
            await line.configure(settings)
            await line.tell(dialogue)
        else:
            await line.configure(settings)
        line.messages = len(dialogue)
        line.free.clear()
        return line

    async def _free_line(self, session: str) -> Line | None:
        """The session's connection, once the answer before has been put an end to: who interrupts begins at once."""
        line = self._lines.get(session)
        if line is None:
            return None
        try:
            async with asyncio.timeout(CUT_S):
                await line.free.wait()
        except TimeoutError:
            return None
        return line

    def _settings(self, messages: Sequence[ChatMessage], tools: list[dict[str, Any]]) -> dict[str, Any]:
        pcm = {"type": "audio/pcm", "rate": RATE_HZ}
        heard = {
            "format": pcm,
            "turn_detection": None,
            "transcription": {"model": self._transcription_model},
        }
        said = {"format": pcm} | ({"voice": self._voice} if self._voice else {})
        persona = "\n".join(message.content for message in messages if message.role == "system")
        return {
            "type": "realtime",
            "output_modalities": ["audio"],
            "audio": {"input": heard, "output": said},
            "tools": tools,
        } | ({"instructions": persona} if persona else {})

    async def _cut(self, exchange: Exchange, heard_ms: float) -> None:
        """End the answer where the listener ended it; what cannot be told any more ends with the connection."""
        try:
            await exchange.cut(heard_ms)
        except EngineError:
            await exchange.line.aclose()

    def _rest(self, session: str) -> None:
        if session in self._lines:
            loop = asyncio.get_running_loop()
            self._timers[session] = loop.call_later(self._idle_s, self._idle, session)

    def _idle(self, session: str) -> None:
        self._timers.pop(session, None)
        task = asyncio.ensure_future(self._drop(session))  # a timer cannot wait; `aclose` does
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _drop(self, session: str) -> None:
        if timer := self._timers.pop(session, None):
            timer.cancel()
        line = self._lines.pop(session, None)
        if line is not None:
            await line.aclose()
