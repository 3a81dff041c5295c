/** Chats and voice notes from the moment they are said to their answer, once, whatever happens to the line. */

import { LumiError } from "./errors.js";
import { MAX_CONTENT_CHARS, MAX_TEXT_BYTES, sizeBytes } from "./protocol.js";
import { backoff, MAX_ASKED_DELAY_S } from "./reconnection.js";

/** Half of what a server keeps its answers for: a chat sent again within it is never answered anew. */
export const MAX_AGE_MS = 12 * 3600 * 1000;
export const LIMIT = 1000;
export const REMEMBERED = 100;
/** Of voice notes that wait: some hundred minutes of Opus. */
export const MAX_NOTE_BYTES = 16 * 1024 * 1024;

const HOLD_S = 2;
/** Left of a frame for everything beside the content. */
const ENVELOPE_BYTES = 1024;

/**
 * Keeps, sends, sends again, matches the answers. One chat at a time is on the line, so that none overtakes another.
 * When full the new one is refused aloud; what waited too long is handed back, never dropped in silence.
 */
export class ChatQueue {
  #entries = new Map();
  #waiters = new Map();
  #answered = [];
  #transcribed = new Set();
  #store = null;
  #ready = false;
  #onLine = null;
  #holds = backoff({ firstS: HOLD_S });
  #hold = null;
  #holdEnds = null;
  #order = 0;
  #on;
  #now;

  /**
   * @param {object} on `send(entry) → boolean`, `changed(entries)`, `refused(id, error)`, `answered(ids)`: ids to
   *   remember over a reload.
   * @param {() => number} now milliseconds.
   */
  constructor(on, now = Date.now) {
    this.#on = on;
    this.#now = now;
  }

  /**
   * What waits, in the order in which it was said. `waits`: for what, null once it is sent: "line", "turn" (of those
   * before it), or the code of the error after which it is sent again, at `until` (ms).
   */
  get messages() {
    return [...this.#entries.values()].map((entry) => {
      const { id, content, speak, at, sent, note } = entry;
      const waits = this.#waits(entry);
      const until = waits === null || waits !== entry.problem ? null : this.#holdEnds;
      return { id, content, speak, sent, timestamp: new Date(at).toISOString(), note: Boolean(note), waits, until };
    });
  }

  has(id) {
    return this.#entries.has(id);
  }

  /** Take over what an earlier page has kept. `answered`: ids that it has shown the answers of. */
  open(store, kept, answered = []) {
    this.#store = store;
    this.#answered = answered;
    const said = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of kept) {
      if (answered.includes(entry.id)) store.remove(entry.id).catch(ignore);
      else this.#entries.set(entry.id, { ...entry, sent: false, again: true, stored: true });
    }
    this.#order = Math.max(this.#order, this.#now(), ...kept.map(({ order }) => order + 1));
    for (const entry of said) {
      this.#entries.set(entry.id, entry);
      this.#keep(entry);
    }
    this.#changed();
  }

  /** Promise of the final response to a chat, or to a `note` (`{ params, packets }`), whose content is what to show. */
  ask({ id, content, speak, note = null }) {
    const refusal = this.#refusal(id, content, note);
    if (refusal) return Promise.reject(refusal);
    const entry = { id, content, speak, note, at: this.#now(), order: 0, sent: false, again: false, stored: false };
    const answer = new Promise((resolve, reject) => this.#waiters.set(id, { resolve, reject }));
    this.#entries.set(id, entry);
    if (this.#store) this.#keep(entry);
    this.#changed();
    return answer;
  }

  /** Nobody wants the answer any longer. */
  forget(id) {
    this.#settle(id, new LumiError("forgotten", "this message was taken back"));
  }

  /** There is a line: everything unanswered goes out, in order. */
  lineReady() {
    this.#ready = true;
    this.#pump();
  }

  /** Everything unanswered goes out again on the next line. */
  lineLost() {
    this.#ready = false;
    this.#onLine = null;
    clearTimeout(this.#hold);
    this.#hold = null;
    for (const entry of this.#entries.values()) {
      entry.again ||= entry.sent;
      entry.sent = false;
      entry.problem = null;
    }
    this.#changed();
  }

  /** Whether pieces of this answer make sense: its beginning was seen. */
  seenFromTheStart(id) {
    return !this.#entries.get(id)?.again;
  }

  /** A final response: false where the same answer was shown before. */
  answered(response) {
    const id = response.id;
    const waited = this.#entries.has(id);
    if (!waited && this.#answered.includes(id)) return false;
    if (waited) {
      this.#answered = [...this.#answered, id].slice(-REMEMBERED);
      this.#on.answered(this.#answered);
      this.#holds = backoff({ firstS: HOLD_S });
      this.#settle(id, null, response);
    }
    return true;
  }

  /** What was understood of a note, or said otherwise: false where the same note's words were shown before. */
  transcribed(id) {
    const again = this.#transcribed.has(id) || (this.#answered.includes(id) && !this.#entries.has(id));
    if (this.#entries.get(id)?.note) this.#transcribed.add(id);
    return !again;
  }

  /** An error about a chat: sent again later, or refused. True where it was about one of ours. */
  failed(id, error) {
    if (!this.#entries.has(id)) return false;
    if (error.retryable || error.code === "not_ready") this.#holdBack(id, error);
    else this.#refuse(id, error);
    return true;
  }

  #waits({ sent, problem }) {
    if (sent) return null;
    if (!this.#ready) return "line";
    return problem ?? "turn";
  }

  #refusal(id, content, note) {
    if (this.#entries.has(id)) return new LumiError("bad_message", `a message with the id ${id} waits already`);
    if (this.#entries.size >= LIMIT) return new LumiError("full", `${LIMIT} messages wait for a connection already`);
    if (note && noteBytes([...this.#entries.values(), { note }]) > MAX_NOTE_BYTES)
      return new LumiError("full", "voice notes of many minutes wait for a connection already");
    if ([...content].length <= MAX_CONTENT_CHARS && sizeBytes(JSON.stringify(content)) <= MAX_TEXT_BYTES - ENVELOPE_BYTES)
      return null;
    return new LumiError("too_large", `this text is too long; accepted: ${MAX_CONTENT_CHARS} characters`);
  }

  /** Stored before it is sent: what was said is not lost with the page. A full disk keeps nobody from talking. */
  #keep(entry) {
    entry.order = this.#order++;
    const { id, content, speak, note, at, order } = entry;
    this.#store.put({ id, content, speak, note, at, order }).catch(ignore).finally(() => {
      entry.stored = true;
      if (!this.#entries.has(id)) this.#store.remove(id).catch(ignore);
      this.#pump();
    });
  }

  #pump() {
    this.#giveUpOldOnes();
    if (!this.#ready || this.#onLine !== null || this.#hold !== null) return;
    const next = this.#entries.values().next().value;
    if (!next?.stored || !this.#on.send(next)) return;
    this.#onLine = next.id;
    next.sent = true;
    next.problem = null;
    this.#changed();
  }

  #giveUpOldOnes() {
    const oldest = this.#now() - MAX_AGE_MS;
    for (const { id, at } of [...this.#entries.values()].filter((entry) => entry.at < oldest && !entry.sent))
      this.#refuse(id, new LumiError("too_old", "no connection came in time: the message was not sent"));
  }

  #holdBack(id, error) {
    const entry = this.#entries.get(id);
    entry.sent = false;
    entry.again = true;
    entry.problem = error.code;
    if (this.#onLine === id) this.#onLine = null;
    const waitS = Math.min(Math.max(this.#holds.next().value, error.retryAfterS ?? 0), MAX_ASKED_DELAY_S);
    clearTimeout(this.#hold);
    this.#holdEnds = this.#now() + waitS * 1000;
    this.#hold = setTimeout(() => {
      this.#hold = null;
      this.#pump();
    }, waitS * 1000);
    this.#changed();
  }

  #refuse(id, error) {
    this.#settle(id, error);
    this.#on.refused(id, error);
  }

  #settle(id, error, response = null) {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    this.#transcribed.delete(id);
    if (entry.stored) this.#store.remove(id).catch(ignore);
    if (this.#onLine === id) this.#onLine = null;
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (error) waiter?.reject(error);
    else waiter?.resolve(response);
    this.#changed();
    this.#pump();
  }

  #changed() {
    this.#on.changed(this.messages);
  }
}

function noteBytes(entries) {
  return entries.flatMap(({ note }) => note?.packets ?? []).reduce((sum, packet) => sum + packet.length, 0);
}

function ignore() {} // a disk that fails costs one repeated question, which the server answers from its store
