"""From the client's events to what stands in the conversation. Pure: no clock, no terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lumi.client.error_handler import explain
from lumi.client.events import Event
from lumi.client.pending_replies import server_error
from lumi.client.spoken_reply import join_sentences
from lumi.protocol.messages import Error, Goodbye, LlmEmotion, Notify, Response, Stt, Tts, TtsState
from lumi.tui import wording
from lumi.tui.entries import Entries, Progress, Speaker
from lumi.tui.wording import Words, quote


class Conversation:
    """Both sides' words. `heard` is what is being recognised right now, `speaking` the sentence being spoken."""

    def __init__(self, entries: Entries | None = None) -> None:
        self.entries = entries if entries is not None else Entries()
        self.heard = ""
        self.speaking: str | None = None
        self._emotion = ""
        self._announced = ""
        self._turn = 0
        self._rules: dict[type, Callable[[Any], None]] = {
            Response: self._response,
            Stt: self._stt,
            LlmEmotion: self._llm,
            Tts: self._tts,
            Notify: self._notify,
            Error: self._error,
            Goodbye: self._goodbye,
        }

    def feed(self, event: Event) -> None:
        """Take one event; those that are nothing to read are passed by."""
        rule = self._rules.get(type(event))
        if rule is not None:
            rule(event)

    def said(self, text: str, message_id: str) -> None:
        """The user typed something; it waits to be sent."""
        self.entries.add(Speaker.YOU, quote(text), key=message_id, progress=Progress.WAITING)

    def sent(self, message_id: str) -> None:
        """It is on its way; half an answer of an earlier try is dropped, since the whole one comes now."""
        self._mark(Speaker.YOU, message_id, Progress.DONE)
        answer = self.entries.find(Speaker.LUMI, message_id)
        if answer is not None and answer.progress is Progress.GROWING:
            self.entries.change(answer, words=quote(""))

    def unsent(self, message_id: str) -> None:
        """The line broke before its answer: it waits again."""
        self._mark(Speaker.YOU, message_id, Progress.WAITING)

    def failed(self, message_id: str, error: Exception) -> None:
        """It will not be answered."""
        self._mark(Speaker.YOU, message_id, Progress.UNSENT)
        self._mark(Speaker.LUMI, message_id, Progress.DONE)
        self.trouble(error)

    def trouble(self, error: Exception) -> None:
        """Something went wrong: what, and what to do."""
        self._tell(Speaker.ERROR, Words(explain(error, "zh").line, explain(error, "en").line))

    def lacking(self, what: Words, error: Exception) -> None:
        """There is no such device here; the conversation goes on without it. The error says why."""
        self._tell(Speaker.NOTICE, Words(what.zh + explain(error, "zh").mend, f"{what.en}{error}"))

    def notice(self, words: Words) -> None:
        self._tell(Speaker.NOTICE, words)

    def line_lost(self) -> None:
        """What was growing will not grow on."""
        self.heard, self.speaking = "", None
        for entry in tuple(self.entries):
            if entry.progress is Progress.GROWING:
                self.entries.change(entry, progress=Progress.DONE)

    def _tell(self, speaker: Speaker, words: Words) -> None:
        last = self.entries.last()
        if last is None or (last.speaker, last.words) != (speaker, words):
            self.entries.add(speaker, words)

    def _mark(self, speaker: Speaker, key: str, progress: Progress) -> None:
        entry = self.entries.find(speaker, key)
        if entry is not None:
            self.entries.change(entry, progress=progress)

    def _response(self, response: Response) -> None:
        key = response.id or ""
        entry = self.entries.find(Speaker.LUMI, key) if key else None
        if response.is_final:
            if entry is None:
                self.entries.add(Speaker.LUMI, quote(response.content), key=key)
            else:
                self.entries.change(entry, words=quote(response.content), progress=Progress.DONE)
            return
        delta = response.delta if isinstance(response.delta, str) else ""
        if entry is None:
            self.entries.add(Speaker.LUMI, quote(delta), key=key, progress=Progress.GROWING)
        elif entry.progress is Progress.GROWING:
            self.entries.change(entry, words=quote(entry.words.en + delta))

    def _stt(self, stt: Stt) -> None:
        if not stt.is_final:
            self.heard = stt.text
            return
        self.heard = ""
        self.entries.add(Speaker.YOU, quote(stt.text) if stt.text else wording.NOTHING_HEARD)

    def _llm(self, emotion: LlmEmotion) -> None:
        self._emotion = emotion.text

    def _tts(self, tts: Tts) -> None:
        text = tts.text if isinstance(tts.text, str) else ""
        if tts.state is TtsState.START:
            self._turn += 1
            self.speaking = ""
        elif tts.state is TtsState.SENTENCE_START:
            self.speaking = text
            self._sentence(text)
        elif tts.state is TtsState.STOP:
            self.speaking, self._announced, self._emotion = None, "", ""
            self._mark(Speaker.LUMI, self._turn_key, Progress.DONE)

    @property
    def _turn_key(self) -> str:
        return f"spoken turn {self._turn}"

    def _sentence(self, text: str) -> None:
        if not text or text in self._announced:  # a notify's own words, which stand there already
            return
        entry = self.entries.find(Speaker.LUMI, self._turn_key)
        if entry is None:
            self.entries.add(
                Speaker.LUMI,
                quote(text),
                key=self._turn_key,
                progress=Progress.GROWING,
                emotion=self._emotion,
            )
        else:
            self.entries.change(entry, words=quote(join_sentences([entry.words.en, text])))

    def _notify(self, notify: Notify) -> None:
        self._announced = notify.text
        spoken = self.entries.find(Speaker.LUMI, self._turn_key)
        if spoken is not None and spoken.words == quote(notify.text):  # its speech was faster
            self.entries.change(spoken, speaker=Speaker.BELL, progress=Progress.DONE)
        else:
            self.entries.add(Speaker.BELL, quote(notify.text), key=notify.id)

    def _error(self, error: Error) -> None:
        self.trouble(server_error(error))

    def _goodbye(self, goodbye: Goodbye) -> None:
        reason = goodbye.reason if isinstance(goodbye.reason, str) and goodbye.reason else "–"
        self.notice(
            Words(wording.FAREWELL.text("zh", reason=reason), wording.FAREWELL.text("en", reason=reason))
        )
