"""What clients in the field insist on when they are spoken to: order, times, and the form of the sound."""

from __future__ import annotations

from collections.abc import Iterator

from lumi.audio.format import AudioFormat
from lumi.audio.opus import OpusDecoder
from lumi.errors import CorruptAudio
from lumi.testing.recordings import Complaints, Turn, packets, turns
from lumi.testing.replay import Recording
from lumi.testing.wire import is_tts, kind

LEAD_MS = 120.0
"""How far ahead of real time sound may come."""

STOP_WITHIN_MS = 100.0
"""After the client cut the answer off."""

PACKET_BYTES = range(10, 1001)


def order(recording: Recording) -> Complaints:
    """`stt`, `llm`, `tts start`, each sentence before its packets, `tts stop`; no packet outside.

    A reminder that waited has neither `stt` nor `llm`.
    """
    allowed = {
        "": {"stt"},
        "stt": {"llm", "tts stop"},
        "llm": {"tts start", "tts stop"},
        "tts start": {"tts sentence_start", "tts stop"},
        "tts sentence_start": {"packet", "tts sentence_start", "tts stop"},
        "packet": {"packet", "tts sentence_start", "tts stop"},
        "tts stop": {"stt"},
    }
    before, waiting = "", bool(recording.script.waiting)
    for item in recording.down:
        now = kind(item.content) if isinstance(item.content, dict) else "packet"
        if now not in allowed and now != "packet":
            continue
        if waiting and now == "tts start" and before in {"", "tts stop"}:
            waiting = False
        elif now not in allowed[before]:
            yield f"{now} after {before or 'nothing'}"
        before = now


def one_stop(recording: Recording) -> Complaints:
    open_turn = False
    for item in recording.down:
        if is_tts(item, "start"):
            if open_turn:
                yield "tts start without a stop of the turn before"
            open_turn = True
        elif is_tts(item, "stop"):
            if not open_turn:
                yield "a second tts stop"
            open_turn = False
    if open_turn and not recording.stuck:
        yield "no tts stop"


def gap(recording: Recording) -> Complaints:
    needed_ms = recording.script.gap_ms - recording.slack_ms
    for turn in turns(recording):
        if turn.packets and (found_ms := 1000 * (turn.packets[0].at_s - turn.started_s)) < needed_ms:
            yield f"the first packet came {found_ms:.0f} ms after tts start, before the decoder was ready"


def _played(recording: Recording, turn: Turn) -> Iterator[tuple[float, float]]:
    """Of each packet: when it came, and when all before it had been played."""
    free_s = turn.started_s
    for packet in turn.packets:
        yield packet.at_s, free_s
        free_s = max(free_s, packet.at_s) + recording.script.downlink_ms / 1000


def lead(recording: Recording) -> Complaints:
    for turn in turns(recording):
        ahead_ms = max((1000 * (free_s - at_s) for at_s, free_s in _played(recording, turn)), default=0.0)
        if ahead_ms > LEAD_MS + recording.slack_ms:
            yield f"sound came {ahead_ms:.0f} ms ahead"


def stop_after_playout(recording: Recording) -> Complaints:
    for turn in turns(recording):
        if turn.cut_s is not None or not turn.packets:
            continue
        *_, (at_s, free_s) = _played(recording, turn)
        end_s = max(at_s, free_s) + recording.script.downlink_ms / 1000
        if turn.stopped_s < end_s - recording.slack_ms / 1000:
            yield f"tts stop came {1000 * (end_s - turn.stopped_s):.0f} ms before the end of playing"


def stop_at_once(recording: Recording) -> Complaints:
    """After the client cut an answer off: no packet any more, and the stop at once."""
    cuts = [turn for turn in turns(recording) if turn.cut_s is not None]
    if not cuts and any(
        isinstance(one.content, dict) and one.content["type"] == "abort" for one in recording.up
    ):
        yield "what was cut off did not stop"
    for turn in cuts:
        late_s = (turn.cut_s or 0.0) + recording.slack_ms / 1000
        if any(packet.at_s > late_s for packet in turn.packets):
            yield "sound came after the abort"
        if turn.stopped_s > late_s + STOP_WITHIN_MS / 1000:
            yield f"tts stop came {turn.stopped_s - late_s:.1f} s after the abort"


def packet_bytes(recording: Recording) -> Complaints:
    for packet, _ in packets(recording):
        if packet is not None and len(packet) not in PACKET_BYTES:
            yield f"a packet of {len(packet)} bytes is dropped"


def packet_length(recording: Recording) -> Complaints:
    """The decoder's buffer has room for one frame of the declared length."""
    audio = AudioFormat(frame_ms=recording.script.downlink_ms)
    decoder = OpusDecoder(audio)
    for packet, _ in packets(recording):
        try:
            pcm = decoder.decode(packet) if packet else b""
        except CorruptAudio as error:
            yield str(error)
            continue
        if packet and len(pcm) != audio.frame_bytes:
            yield f"a packet of {len(pcm) // 32} ms, not {audio.frame_ms}"


def framing(recording: Recording) -> Complaints:
    for packet, size in packets(recording):
        if packet is None:
            yield f"a frame of {size} bytes has no {recording.script.framing} header"


def quiet_before_listen(recording: Recording) -> Complaints:
    listened_s = next(
        (
            one.at_s
            for one in recording.up
            if isinstance(one.content, dict) and one.content["type"] == "listen"
        ),
        float("inf"),
    )
    for item in recording.down:
        spoken = isinstance(item.content, bytes) or item.content.get("type") in {"tts", "stt", "llm"}
        if spoken and item.at_s < listened_s:
            yield "it was spoken to before it listened"


def whole_answer(recording: Recording) -> Complaints:
    """Each turn's sentences are all told, with sound; of one that was cut off, those up to there."""
    found = turns(recording)
    if recording.stuck or len(found) != len(recording.script.turns):
        yield f"{len(found)} of {len(recording.script.turns)} answers; {recording.stuck or 'nothing was waited for'}"
    for turn, wanted in zip(found, recording.script.turns, strict=False):
        told = tuple(
            item.content.get("text")
            for item in turn.items
            if isinstance(item.content, dict) and is_tts(item, "sentence_start")
        )
        if not turn.packets or told != (wanted if turn.cut_s is None else wanted[: len(told)]):
            yield f"told {told} with {len(turn.packets)} packets, not {wanted}"
