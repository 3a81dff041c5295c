"""A stand-in for the OpenAI Realtime API, written from the public API reference: one WebSocket, JSON events, real sockets,
with faults that a test switches on.

    async with RealtimeServer(answers=["It is noon."]) as service:
        duplex = OpenAiRealtime(base_url=service.base_url, api_key="k")

It keeps a conversation as the service does (`sessions[-1].items`): messages, calls, what was truncated.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from lumi.testing.realtime_script import Answer, Call, Heard, Json, RealtimeFault
from lumi.testing.sounds import tone

RATE_HZ = 24_000
MS_PER_CHARACTER = 50.0
PIECE_MS = 100.0
SHORTEST_MS = 100.0
"""Less sound than this cannot be committed."""


class RealtimeServer:
    """Used as `async with`.

    Args:
        answers: one for each utterance, the last one again and again.
        transcripts: what is written down of each utterance, likewise.
        api_key: what must be shown; empty: nothing.
        piece_s: between two pieces of speech.
        ms_per_character: how fast it speaks.
    """

    def __init__(
        self,
        answers: Sequence[Answer] = ("It is noon.",),
        transcripts: Sequence[str] = ("what time is it",),
        *,
        api_key: str = "",
        piece_s: float = 0.0,
        ms_per_character: float = MS_PER_CHARACTER,
    ) -> None:
        self.answers = list(answers)
        self.transcripts = list(transcripts)
        self.fault = RealtimeFault.NONE
        self.sessions: list[Heard] = []
        self._api_key = api_key
        self._piece_s = piece_s
        self.ms_per_character = ms_per_character
        self._asked = 0
        self._numbers = 0
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes([web.get("/v1/realtime", self._serve)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self.fault is RealtimeFault.SHUT:
            return web.json_response({"error": {"code": "invalid_api_key"}}, status=401)
        if self._api_key and request.headers.get("Authorization") != f"Bearer {self._api_key}":
            return web.json_response({"error": {"code": "invalid_api_key"}}, status=401)
        if not request.query.get("model"):
            return web.json_response({"error": {"code": "model_not_found"}}, status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        heard = Heard()
        self.sessions.append(heard)
        talk = Talk(self, socket, heard)
        async with asyncio.TaskGroup() as tasks:
            await talk.tell("session.created", session={"type": "realtime"})
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await talk.take(json.loads(message.data), tasks)
            talk.stop()
        return socket

    def next_id(self, what: str) -> str:
        self._numbers += 1
        return f"{what}_{self._numbers}"

    def next_turn(self) -> tuple[str, Answer]:
        """What the next utterance is taken for, and its answer."""
        number, self._asked = self._asked, self._asked + 1
        transcript = self.transcripts[min(number, len(self.transcripts) - 1)]
        return transcript, self.answers[min(number, len(self.answers) - 1)]

    @property
    def piece_s(self) -> float:
        return self._piece_s


class Talk:
    """The service's side of one connection."""

    def __init__(self, server: RealtimeServer, socket: web.WebSocketResponse, heard: Heard) -> None:
        self._server = server
        self._socket = socket
        self._heard = heard
        self._answering: asyncio.Task[None] | None = None
        self._answer: Answer = ""
        self._transcript = ""
        self._spoken: Json = {}
        self._response_id = ""
        self._aside_id = ""
        self._handlers: dict[str, Callable[[Json], Any]] = {
            "session.update": self._configure,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.clear": self._clear,
            "input_audio_buffer.commit": self._commit,
            "conversation.item.create": self._create,
            "conversation.item.truncate": self._truncate,
        }

    async def tell(self, kind: str, **fields: Any) -> None:
        if not self._socket.closed:
            event = {"type": kind, "event_id": self._server.next_id("event")} | fields
            with suppress(ConnectionError):  # the client has hung up
                await self._socket.send_str(json.dumps(event))

    async def take(self, event: Json, tasks: asyncio.TaskGroup) -> None:
        """Do what a client's event asks for."""
        self._heard.received.append(event)
        match event["type"]:
            case "response.create" if event.get("response", {}).get("conversation") == "none":
                await self._say_aside(event, tasks)
            case "response.create":
                self._response_id = self._server.next_id("resp")
                self._answering = tasks.create_task(self._respond())
            case "response.cancel":
                await self._cancel(event)
            case kind if kind in self._handlers:
                await self._handlers[kind](event)
            case _:
                await self._error("invalid_request_error", "unknown_event", event)

    def stop(self) -> None:
        if self._answering is not None:
            self._answering.cancel()

    async def _error(self, kind: str, code: str, event: Json) -> None:
        error = {"type": kind, "code": code, "message": code, "event_id": event.get("event_id")}
        await self.tell("error", error=error)

    async def _configure(self, event: Json) -> None:
        self._heard.settings = event["session"]
        await self.tell("session.updated", session=event["session"])

    async def _append(self, event: Json) -> None:
        self._heard.sound += base64.b64decode(event["audio"])

    async def _clear(self, _: Json) -> None:
        self._heard.sound.clear()
        await self.tell("input_audio_buffer.cleared")

    async def _commit(self, event: Json) -> None:
        sound = bytes(self._heard.sound)
        self._heard.sound.clear()
        if len(sound) < RATE_HZ * 2 * SHORTEST_MS / 1000:
            await self._error("invalid_request_error", "input_audio_buffer_commit_empty", event)
            return
        self._heard.utterances.append(sound)
        self._transcript, self._answer = self._server.next_turn()
        item = {"id": self._server.next_id("item"), "type": "message", "role": "user"}
        self._heard.items.append(item)
        await self.tell("input_audio_buffer.committed", item_id=item["id"])
        if self._server.fault not in {RealtimeFault.LATE_TRANSCRIPT, RealtimeFault.NO_TRANSCRIPT}:
            await self._write_down(item)

    async def _write_down(self, item: Json) -> None:
        item["text"] = self._transcript
        await self.tell(
            "conversation.item.input_audio_transcription.completed",
            item_id=item["id"],
            content_index=0,
            transcript=self._transcript,
        )

    async def _create(self, event: Json) -> None:
        item = event["item"] | {"id": self._server.next_id("item")}
        self._heard.items.append(item)
        if item["type"] == "function_call_output" and isinstance(self._answer, Call):
            self._answer = self._answer.then
        await self.tell("conversation.item.added", item=item)

    async def _truncate(self, event: Json) -> None:
        for item in self._heard.items:
            if item["id"] == event["item_id"] and event["audio_end_ms"] <= item.get("spoken_ms", 0.0):
                item["kept_ms"] = event["audio_end_ms"]
                await self.tell("conversation.item.truncated", item_id=item["id"])
                return
        await self._error("invalid_request_error", "invalid_truncation", event)

    async def _say_aside(self, event: Json, tasks: asyncio.TaskGroup) -> None:
        """What its instructions quote, remembered nowhere."""
        if self._server.fault is RealtimeFault.NO_ASIDES:
            await self._error("invalid_request_error", "unsupported", event)
            return
        if self._server.fault is RealtimeFault.SILENT:
            return
        self._aside_id = self._response_id = self._server.next_id("resp")
        text = event["response"]["instructions"].rpartition(": ")[2]
        await self.tell("response.created", response={"id": self._aside_id, "status": "in_progress"})
        if self._server.fault is RealtimeFault.FAILED:
            await self._error("server_error", "server_error", {})
            return
        self._answering = tasks.create_task(self._say({"id": self._server.next_id("item")}, text))

    async def _cancel(self, event: Json) -> None:
        named = event.get("response_id", "")
        idle = self._answering is None or self._answering.done()
        if (
            self._answering is None
            or idle
            or named != (self._aside_id if self._response_id == self._aside_id else "")
        ):
            await self._error("invalid_request_error", "response_cancel_not_active", event)
            return
        self._answering.cancel()
        await asyncio.wait({self._answering})
        await self._done("cancelled", {"type": "cancelled", "reason": "client_cancelled"})

    async def _done(self, status: str, details: Json | None = None) -> None:
        await self.tell("response.done", response={"status": status, "status_details": details})

    async def _respond(self) -> None:
        fault = self._server.fault
        await self.tell("response.created", response={"id": self._response_id, "status": "in_progress"})
        if fault is RealtimeFault.SILENT:
            await asyncio.Event().wait()
        elif fault is RealtimeFault.CUT_BEFORE_ANSWER:
            await self._socket.close(code=1011)
        elif fault is RealtimeFault.GARBLED:
            await self._socket.send_str("{")
        elif fault is RealtimeFault.FAILED:
            error = {"code": "insufficient_quota", "message": "You are out of credit."}
            await self._done("failed", {"type": "failed", "error": error})
        elif isinstance(self._answer, Call):
            await self._call(self._answer)
        else:
            await self._speak(self._answer)

    async def _call(self, call: Call) -> None:
        call_id = self._server.next_id("call")
        self._heard.items.append({"id": call_id, "type": "function_call", "name": call.name})
        await self.tell(
            "response.function_call_arguments.done",
            call_id=call_id,
            name=call.name,
            arguments=call.arguments,
        )
        await self._done("completed")

    async def _speak(self, text: str) -> None:
        item: Json = {"id": self._server.next_id("item"), "type": "message", "role": "assistant"}
        item |= {"text": text, "spoken_ms": 0.0}
        self._heard.items.append(item)
        await self._say(item, text)

    async def _say(self, item: Json, text: str) -> None:
        item.setdefault("spoken_ms", 0.0)
        place = {"item_id": item["id"], "content_index": 0}
        for word in text.split(" "):
            await self.tell("response.output_audio_transcript.delta", delta=f"{word} ", **place)
        pcm = tone(len(text) * self._server.ms_per_character, RATE_HZ)
        size = round(RATE_HZ * PIECE_MS / 1000) * 2
        for start in range(0, len(pcm), size):
            piece = pcm[start : start + size]
            item["spoken_ms"] += len(piece) / 2 / RATE_HZ * 1000
            await self.tell("response.output_audio.delta", delta=base64.b64encode(piece).decode(), **place)
            if self._server.fault is RealtimeFault.CUT_IN_ANSWER:
                await self._socket.close(code=1011)
                return
            await asyncio.sleep(self._server.piece_s)
        await self._done("completed")
        if self._server.fault is RealtimeFault.LATE_TRANSCRIPT:
            await self._write_down(next(one for one in reversed(self._heard.items) if one["role"] == "user"))
