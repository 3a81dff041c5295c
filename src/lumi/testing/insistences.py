"""What clients in the field insist on: a table of names, each a pure look at a recording that gives complaints."""

from __future__ import annotations

from collections.abc import Callable

from lumi.testing import spoken_insistences
from lumi.testing.recordings import Complaints, messages
from lumi.testing.replay import Recording
from lumi.testing.wire import kind

FIELDS: dict[str, frozenset[str]] = {
    "hello": frozenset({"id", "version", "transport", "server_info", "audio_params"}),
    "stt": frozenset({"text", "confidence", "is_final", "id"}),
    "llm": frozenset({"emotion", "text"}),
    "tts": frozenset({"state", "text"}),
    "alert": frozenset({"status", "message", "emotion"}),
    "mcp": frozenset({"payload"}),
}
"""Of each type, beside `type` and `session_id`."""

EMOTIONS = frozenset(
    [
        "neutral",
        "happy",
        "laughing",
        "funny",
        "sad",
        "angry",
        "crying",
        "loving",
        "embarrassed",
        "surprised",
        "shocked",
        "thinking",
        "winking",
        "cool",
        "relaxed",
        "delicious",
        "kissy",
        "confident",
        "sleepy",
        "silly",
        "confused",
    ]
)


def hello_first(recording: Recording) -> Complaints:
    first = recording.down[0].content if recording.down else None
    if not isinstance(first, dict) or first.get("type") != "hello":
        yield "the first frame was no hello"


def hello_soon(recording: Recording) -> Complaints:
    patience_s = recording.script.patience_s
    came = next((at_s for at_s, _ in messages(recording, "hello")), None)
    if came is None or came - recording.opened_s > patience_s:
        yield f"no hello within {patience_s:g} s"


def every_hello_answered(recording: Recording) -> Complaints:
    said = sum(isinstance(one.content, dict) and one.content["type"] == "hello" for one in recording.up)
    answered = len(list(messages(recording, "hello")))
    if said != answered:
        yield f"{said} hellos had {answered} answers"


def transport(recording: Recording) -> Complaints:
    for _, hello in messages(recording, "hello"):
        if hello.get("transport") != "websocket":
            yield f"transport is {hello.get('transport')!r}"


def hello_audio(recording: Recording) -> Complaints:
    wanted = {
        "format": "opus",
        "sample_rate": 16_000,
        "channels": 1,
        "frame_duration": recording.script.downlink_ms,
    }
    for _, hello in messages(recording, "hello"):
        if hello.get("audio_params") != wanted:
            yield f"audio_params are {hello.get('audio_params')}"


def session_id(recording: Recording) -> Complaints:
    for _, hello in messages(recording, "hello"):
        said = hello.get("session_id")
        if not isinstance(said, str) or len(said) < 8:
            yield f"session_id is {said!r}"


def one_session(recording: Recording) -> Complaints:
    said = {str(message.get("session_id")) for _, message in messages(recording)}
    if len(said) > 1:
        yield f"there were {len(said)} session_ids"


def known_types(recording: Recording) -> Complaints:
    for _, message in messages(recording):
        if message.get("type") not in recording.script.types:
            yield f"{message.get('type')!r} is printed into the chat"


def known_forms(recording: Recording) -> Complaints:
    for _, message in messages(recording):
        if message.get("is_final") is False:
            yield f"a {message['type']} that is not final"
        if message["type"] == "tts" and message.get("state") not in {"start", "sentence_start", "stop"}:
            yield f"tts {message.get('state')}"


def known_fields(recording: Recording) -> Complaints:
    for _, message in messages(recording):
        known = FIELDS.get(message["type"], frozenset(message)) | {"type", "session_id"}
        if extra := sorted(set(message) - known):
            yield f"{kind(message)} has {extra}"


def stt_echo(recording: Recording) -> Complaints:
    said = tuple(str(stt.get("text")) for _, stt in messages(recording, "stt"))
    if said != recording.script.heard:
        yield f"a bubble for each of {said}, not {recording.script.heard}"


def confidence(recording: Recording) -> Complaints:
    for _, stt in messages(recording, "stt"):
        if not isinstance(stt.get("confidence"), float):
            yield f"confidence is {stt.get('confidence')!r}, no float"


def emotion(recording: Recording) -> Complaints:
    said = [llm for _, llm in messages(recording, "llm")]
    if len(said) != recording.script.answers:
        yield f"{len(said)} faces for {recording.script.answers} answers"
    for llm in said:
        if llm.get("emotion") not in EMOTIONS or not llm.get("text"):
            yield f"no face for {llm.get('emotion')!r} {llm.get('text')!r}"


def no_notifications(recording: Recording) -> Complaints:
    for _, message in messages(recording, "mcp"):
        if str(message["payload"].get("method", "")).startswith("notifications/"):
            yield f"{message['payload']['method']} is answered with an error"


def tools_once(recording: Recording) -> Complaints:
    """Asked once for its tools, with ids that are numbers."""
    payloads = [message["payload"] for _, message in messages(recording, "mcp")]
    begun = sum(payload.get("method") == "initialize" for payload in payloads)
    if begun != 1:
        yield f"initialized {begun} times"
    for payload in payloads:
        if "id" in payload and type(payload["id"]) is not int:
            yield f"id {payload['id']!r} is no number"


def line_kept(recording: Recording) -> Complaints:
    if recording.closed is not None:
        yield f"the server hung up: {recording.closed}"


INSISTENCES: dict[str, Callable[[Recording], Complaints]] = {
    look.__name__: look
    for look in (
        hello_first,
        hello_soon,
        every_hello_answered,
        transport,
        hello_audio,
        session_id,
        one_session,
        known_types,
        known_forms,
        known_fields,
        stt_echo,
        confidence,
        emotion,
        spoken_insistences.order,
        spoken_insistences.one_stop,
        spoken_insistences.gap,
        spoken_insistences.lead,
        spoken_insistences.stop_after_playout,
        spoken_insistences.stop_at_once,
        spoken_insistences.packet_bytes,
        spoken_insistences.packet_length,
        spoken_insistences.framing,
        spoken_insistences.quiet_before_listen,
        spoken_insistences.whole_answer,
        no_notifications,
        tools_once,
        line_kept,
    )
}


def complaints(recording: Recording) -> dict[str, list[str]]:
    """What a client would have against the server that a recording is of: insistence → complaints, if any."""
    found = {name: list(INSISTENCES[name](recording)) for name in recording.script.insists}
    return {name: said for name, said in found.items() if said}
