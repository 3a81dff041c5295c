"""One turn over a connection to a realtime speech model: the utterance out, the answer's events in."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from lumi.audio.format import SPEECH_RATE_HZ, duration_ms
from lumi.audio.resample import Resampler
from lumi.engines.base import DuplexEvent, SpokenPiece, TextDelta, ToolCall, ToolNote, ToolResult, Transcript
from lumi.engines.equal_calls import counted
from lumi.engines.realtime_line import Line, SpokenItem, failure, mend, trouble_of
from lumi.errors import EngineError, ToolError, Trouble

if TYPE_CHECKING:
    from lumi.engines.base import Filler, Speaker, Tools

NAME: Final = "openai_realtime"
RATE_HZ: Final = 24_000
"""The only rate of the service's PCM."""

TOOL_ROUNDS: Final = 8
"""So many times in a turn a model may call tools before it has to answer."""

TRANSCRIPT_S: Final = 2.0
"""After the answer is complete, how long to wait for the words of the question."""

TRUNCATION: Final = "lumi-truncation"
FILLER: Final = "lumi-filler"


@dataclass(slots=True)
class Exchange:
    """One turn over a line."""

    line: Line
    speaker: Speaker
    tools: Tools | None
    guarded: frozenset[str] = frozenset()
    """Tools that are called only after what the user says to it is known."""
    filler: Filler | None = None
    done: bool = False
    entries: int = 0
    """What the dialogue has grown by."""
    _asked: bool = False
    _transcribed: bool = False
    _spoken_ms: float = 0.0
    _filling: str | None = None
    """The response that bridges a tool's work, while it is under way; empty until the service has given it an id."""
    _items: list[SpokenItem] = field(default_factory=list)
    _calls: list[ToolCall] = field(default_factory=list)

    async def ask(self, audio: AsyncIterator[bytes]) -> None:
        """Send the utterance while it is spoken, and ask for an answer."""
        resampler = Resampler(SPEECH_RATE_HZ, RATE_HZ)
        async for pcm in audio:
            await self._append(resampler.push(pcm))
        await self._append(resampler.push(b"", last=True))
        await self.line.send("input_audio_buffer.commit")
        self._asked = True
        self.entries = 2
        await self.line.send("response.create")

    async def _append(self, pcm: bytes) -> None:
        if pcm:
            await self.line.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def answer(self) -> AsyncGenerator[DuplexEvent, None]:
        """Its events, tools being called in between."""
        for _ in range(TOOL_ROUNDS):
            async for event in self._response():
                yield event
            if not self._calls:
                break
            async for note in self._act():
                yield note
        else:
            raise failure(NAME, f"called tools {TOOL_ROUNDS} times without an answer", Trouble.GARBLED)
        self.done = True
        if not self._transcribed:
            async for transcript in self._late_transcript():
                yield transcript

    async def _response(self) -> AsyncGenerator[DuplexEvent, None]:
        while True:
            event = await self.line.receive()
            match event.get("type"):
                case "response.done":
                    _check(event.get("response", {}))
                    return
                case "response.function_call_arguments.done":
                    call = ToolCall(str(event["call_id"]), str(event["name"]), str(event["arguments"]))
                    self._calls.append(call)
                case _:
                    if (given := self._given(event)) is not None:
                        yield given

    def _given(self, event: Mapping[str, Any]) -> DuplexEvent | None:
        match event.get("type"):
            case "response.output_audio.delta":
                return self._spoken(event)
            case "response.output_audio_transcript.delta" | "response.output_text.delta":
                return TextDelta(str(event.get("delta", "")))
            case "conversation.item.input_audio_transcription.completed":
                self._transcribed = True
                words = str(event.get("transcript", "")).strip()
                self.speaker = replace(self.speaker, words=words)
                return Transcript(words)
            case "conversation.item.input_audio_transcription.failed":
                self._transcribed = True
                return Transcript("", 0.0)
            case "error":
                _raise(event.get("error", {}))
        return None

    def _spoken(self, event: Mapping[str, Any]) -> SpokenPiece:
        """A piece of something that the model will remember to have said."""
        item_id = str(event.get("item_id", ""))
        if not self._items or self._items[-1].id != item_id:
            self._items.append(SpokenItem(item_id, self._spoken_ms))
        piece = self._piece(event)
        self._items[-1].length_ms += duration_ms(piece.pcm, RATE_HZ)
        return piece

    def _piece(self, event: Mapping[str, Any]) -> SpokenPiece:
        try:
            pcm = base64.b64decode(str(event["delta"]), validate=True)
        except (KeyError, binascii.Error) as error:
            raise failure(NAME, f"sent sound that cannot be read ({error})", Trouble.GARBLED) from error
        self._spoken_ms += duration_ms(pcm, RATE_HZ)
        return SpokenPiece(pcm)

    async def _act(self) -> AsyncGenerator[DuplexEvent, None]:
        """Call the tools, one after the other, and have the model go on with their results."""
        calls, self._calls = counted(self._calls), []
        if not self._transcribed and any(call.name in self.guarded for call in calls):
            async for transcript in self._late_transcript():
                yield transcript
        filler_at = _now() + (self.filler.after_s if self.filler else 0.0)
        for call in calls:
            yield ToolNote(call.name)
            # No task group: a generator that is closed in the middle may not leave one. It is closed here all the same.
            working = asyncio.create_task(self._result(call), name="tool")
            try:
                async for event in self._bridged(working, filler_at):
                    yield event
            finally:
                working.cancel()
                await asyncio.wait({working})
            result = working.result()
            yield ToolNote(call.name, "failed" if result.failed else "done")
            item = {"type": "function_call_output", "call_id": call.id, "output": result.text}
            await self.line.send("conversation.item.create", item=item)
        await self.line.send("response.create")

    async def _result(self, call: ToolCall) -> ToolResult:
        if self.tools is None:
            return ToolResult("there are no tools", failed=True)
        try:
            return await self.tools.call(call, self.speaker)
        except ToolError as error:
            return ToolResult(str(error), failed=True)

    async def _bridged(
        self, working: asyncio.Task[ToolResult], filler_at: float
    ) -> AsyncGenerator[DuplexEvent, None]:
        """Until the tool is done; where it takes long and nothing has been said yet, the user is told to wait, once."""
        if self.filler is not None and not self._spoken_ms:
            await asyncio.wait({working}, timeout=max(0.0, filler_at - _now()))
            if not working.done():
                async for event in self._fill(self.filler.text(self.speaker.words)):
                    yield event
        await asyncio.wait({working})

    async def _fill(self, text: str) -> AsyncGenerator[DuplexEvent, None]:
        """Have the model say it in its own voice, outside of the conversation: it is no answer, and is not remembered.

        A service that cannot do so costs the filler alone.
        """
        self._filling = ""
        await self.line.send("response.create", event_id=FILLER, response=_aside(text))
        async for event in self._until_over():
            match event.get("type"):
                case "response.created":
                    self._filling = str(event.get("response", {}).get("id", ""))
                case "response.output_audio.delta":
                    yield self._piece(event)
                case _:
                    if (given := self._given(event)) is not None:
                        yield given
        self._filling = None
        if self._spoken_ms:
            yield TextDelta(" ")

    async def _until_over(self) -> AsyncGenerator[dict[str, Any], None]:
        """Events of the filler. An error before it has begun is its refusal; any later one is the line's."""
        while (event := await self.line.receive()).get("type") != "response.done":
            if event.get("type") == "error" and not self._filling:
                return
            yield event

    async def _late_transcript(self) -> AsyncGenerator[Transcript, None]:
        """The question's words may come after the model has decided; without them nobody knows what was asked."""
        until = _now() + TRANSCRIPT_S
        while (left_s := until - _now()) > 0:
            try:
                event = await self.line.receive(left_s)
            except EngineError:
                return
            if isinstance(given := self._given(event), Transcript):
                yield given
                return

    async def cut(self, heard_ms: float) -> None:
        """The answer is not wanted any more: stop it, and have the model forget what nobody heard."""
        if not self._asked:
            await self.line.send("input_audio_buffer.clear")
            return
        if self._filling == "":
            # What cannot be named cannot be stopped, and would be heard in the next turn.
            await self.line.aclose()
            return
        named = {"response_id": self._filling} if self._filling else {}
        await self.line.send("response.cancel", event_id=TRUNCATION, **named)
        for item in self._items:
            end_ms = int(min(max(heard_ms - item.start_ms, 0.0), item.length_ms))
            if end_ms < int(item.length_ms):
                await self.line.send(
                    "conversation.item.truncate",
                    event_id=TRUNCATION,
                    item_id=item.id,
                    content_index=0,
                    audio_end_ms=end_ms,
                )
        await self._settle()

    async def _settle(self) -> None:
        """Read what is still under way of the answer, so that the next one does not begin with it."""
        while (await self.line.receive()).get("type") not in {"response.done", "error"}:
            pass


def _now() -> float:
    return asyncio.get_running_loop().time()


def _aside(text: str) -> dict[str, Any]:
    """A response that says some words and is no part of the conversation."""
    return {
        "conversation": "none",
        "input": [],
        "output_modalities": ["audio"],
        "tools": [],
        "tool_choice": "none",
        "instructions": f"Say exactly these words, and nothing else: {text}",
    }


def _check(response: Mapping[str, Any]) -> None:
    """Raises `EngineError` where a response failed."""
    if response.get("status") in {"failed", "incomplete"}:
        details = response.get("status_details") or {}
        _raise(details.get("error") or {"code": details.get("reason"), "message": details.get("reason")})


def _raise(error: Mapping[str, Any]) -> None:
    if error.get("event_id") == TRUNCATION:
        return  # about an answer that was over anyway
    trouble = trouble_of(error)
    said = str(error.get("message") or "failed without saying why")
    raise failure(NAME, f"{said}{mend(trouble)}", trouble)
