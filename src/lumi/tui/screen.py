"""Draws the model: what stands where, in the user's language. Pure."""

from __future__ import annotations

from math import ceil

from lumi.client.error_handler import Language, explain
from lumi.client.state_machine import ConnectionState, Phase, Ready
from lumi.client.status import detail_of, status_of
from lumi.errors import NetworkError
from lumi.tui import wording
from lumi.tui.entries import Entry, Progress, Speaker
from lumi.tui.model import Listening, Model
from lumi.tui.view import Badge, Key, Line, Meter, Tone, View
from lumi.tui.wording import Words

NAMES: dict[Speaker, Words] = {
    Speaker.YOU: wording.YOU,
    Speaker.LUMI: wording.LUMI,
    Speaker.BELL: wording.BELL,
    Speaker.NOTICE: wording.NOTICE,
    Speaker.ERROR: wording.ERROR,
}

REMARKS: dict[Progress, Words] = {Progress.WAITING: wording.WAITING, Progress.UNSENT: wording.UNSENT}

LISTENING: dict[Listening, Words] = {
    Listening.OFF: wording.IDLE,
    Listening.HOLD: wording.HOLDING,
    Listening.HANDS_FREE: wording.HANDS_FREE,
    Listening.PAUSED: wording.PAUSED,
}

OPEN = frozenset({Listening.HOLD, Listening.HANDS_FREE})
"""The microphone's sound goes out."""

BROKEN = frozenset({Phase.FAILED, Phase.ERROR, Phase.DISCONNECTED})


def draw(model: Model, now_s: float) -> View:
    """The screen at `now_s`."""
    language = model.language
    transcript, tone = _transcript(model)
    return View(
        title=_title(model),
        badge=_badge(model.state, language),
        banner=_banner(model, now_s),
        lines=tuple(_line(entry, language) for entry in model.conversation.entries),
        transcript=transcript,
        transcript_tone=tone,
        microphone=Meter(
            wording.MICROPHONE.text(language),
            model.microphone.value(now_s) if model.listening in OPEN else None,
        ),
        loudspeaker=Meter(
            wording.LOUDSPEAKER.text(language),
            None if model.conversation.speaking is None else model.loudspeaker.value(now_s),
        ),
        facts=_facts(model),
        keys=_keys(model),
        placeholder=wording.PLACEHOLDER.text(language),
    )


def _title(model: Model) -> str:
    version = f" {model.state.server_version}" if isinstance(model.state, Ready) else ""
    return f"Lumi{version} · {model.address}" if model.address else f"Lumi{version}"


def _badge(state: ConnectionState, language: Language) -> Badge:
    status = status_of(state)
    return Badge(status.label(language), status.glyph, status.hex, status.spinner)


def _banner(model: Model, now_s: float) -> str:
    if model.state.phase not in BROKEN:
        return ""
    language = model.language
    why = _why(model)
    if model.retry_at_s is None:
        then = wording.RETRY_BY_KEY.text(language)
    else:
        seconds = max(0, ceil(model.retry_at_s - now_s))
        then = f"{wording.RETRY_IN.text(language, seconds=seconds)} · {wording.RETRY_NOW.text(language)}"
    return f"{why}\n{then}" if why else then


def _why(model: Model) -> str:
    if model.trouble is not None:
        return explain(model.trouble, model.language).line
    detail = detail_of(model.state)
    return explain(NetworkError(detail), model.language).line if detail else ""


def _line(entry: Entry, language: Language) -> Line:
    remark = REMARKS.get(entry.progress)
    return Line(
        number=entry.number,
        speaker=entry.speaker,
        name=NAMES[entry.speaker].text(language),
        text=entry.words.text(language),
        emotion=entry.emotion,
        remark=remark.text(language) if remark else "",
        growing=entry.progress is Progress.GROWING,
    )


def _transcript(model: Model) -> tuple[str, Tone]:
    language, talk = model.language, model.conversation
    if model.listening in OPEN:
        return (talk.heard or LISTENING[model.listening].text(language)), Tone.GOOD
    if talk.speaking is not None:
        return (talk.speaking or wording.SPEAKING.text(language)), Tone.PLAIN
    return LISTENING[model.listening].text(language), Tone.FAINT


def _facts(model: Model) -> tuple[str, ...]:
    language, latency_s = model.language, model.clock.latency_s
    latency = (
        wording.NO_LATENCY.text(language)
        if latency_s is None
        else wording.LATENCY.text(language, ms=round(latency_s * 1000))
    )
    return wording.QUEUE.text(language, count=model.queue_length), latency


def _keys(model: Model) -> tuple[Key, ...]:
    talk = wording.FINISH if model.listening is Listening.HOLD else wording.TALK
    free = Listening.HANDS_FREE, Listening.PAUSED
    hands_free = wording.HANDS_FREE_OFF if model.listening in free else wording.HANDS_FREE_ON
    keys = (
        ("^t", talk, "talk"),
        ("^o", hands_free, "hands_free"),
        ("esc", wording.INTERRUPT, "interrupt"),
        ("^r", wording.RECONNECT, "reconnect"),
        ("^l", wording.OTHER_LANGUAGE, "language"),
        ("^q", wording.LEAVE, "quit"),
    )
    return tuple(Key(key, words.text(model.language), action) for key, words, action in keys)
