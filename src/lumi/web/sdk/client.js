/** A conversation with a Lumi server: one object, whatever happens to the line. */

import { Connection } from "./connection.js";
import { LumiError, serverError } from "./errors.js";
import { AUDIO_PARAMS, FEATURES, address, agreement, profile } from "./greeting.js";
import { Heartbeat } from "./heartbeat.js";
import { followPage } from "./page_life.js";
import { clientMessage, decodeServer, encode, newId } from "./protocol.js";
import { ChatQueue } from "./queue.js";
import { spread } from "./reconnection.js";
import { Resumption } from "./resumption.js";
import { openStorage, ownNames } from "./storage.js";
import { lookAt } from "./vision.js";

const TIMING = { openS: 10, handshakeS: 10, heartbeatS: 30, hiddenHeartbeatS: 120, answerS: 10 };
/** More than this waiting to be sent, and new sound is dropped: it would come too late anyway. */
const MAX_WAITING_BYTES = 32 * 1024;

export class LumiClient extends EventTarget {
  #options;
  #names;
  #connection;
  #queue;
  #resumption;
  #heartbeat;
  #storage = null;
  #audioParams = null;
  #turnId = null;
  #partial = new Map();
  #page = new AbortController();

  /** What the latest hello agreed on, or null. */
  agreement = null;

  /** @param {object} options see docs/javascript.md; all may be left out. */
  constructor(options = {}) {
    super();
    const own = ownNames();
    this.#options = { storage: "browser", features: FEATURES, audioParams: AUDIO_PARAMS, ...options };
    this.#names = { deviceId: options.deviceId ?? own.deviceId, clientId: options.clientId ?? own.clientId };
    const timing = { ...TIMING, ...options.timing };
    const policy = { jitter: spread, ...options.reconnect };
    this.#connection = new Connection(
      {
        state: (detail) => this.#tell("state", detail),
        url: () => this.#address(),
        hello: () => this.#hello(),
        ready: (answer) => this.#greeted(answer),
        frame: (data) => this.#frame(data),
        lost: () => this.#lost(),
        refused: (error) => this.#refused(error),
      },
      policy,
      timing,
    );
    this.#queue = new ChatQueue({
      send: (entry) => this.#sendChat(entry),
      changed: (messages) => this.#tell("queue", { messages }),
      refused: (id, error) => this.#tell("refused", { id, error }),
      answered: (answered) => this.#remember({ answered }),
    });
    this.#resumption = new Resumption({
      ack: (seq) => this.#say("ack", { seq }),
      gap: () => this.#connection.drop("an event is missing: it comes again after a resume"),
    });
    this.#heartbeat = new Heartbeat(timing, {
      ping: () => this.#say("ping", {}),
      dead: () => this.#connection.drop(`the server gave no sign of life within ${timing.answerS} s`),
    });
  }

  get state() {
    return this.#connection.state;
  }

  get retryInS() {
    return this.#connection.retryInS;
  }

  get ended() {
    return this.#connection.ended;
  }

  get sessionId() {
    return this.agreement?.sessionId ?? null;
  }

  get resumed() {
    return this.agreement?.resumed ?? false;
  }

  /** Chats that are not answered. */
  get queue() {
    return this.#queue.messages;
  }

  /** Promise of the agreement; rejects where the server refuses for good. Goes on by itself afterwards. */
  async connect() {
    this.#page.abort();
    this.#page = followPage({
      online: () => this.reconnectNow(),
      offline: () => this.#checkLine(),
      shown: () => this.#backInView(),
    });
    await this.#connection.start();
    return this.agreement;
  }

  /** End the conversation: the server need not keep it. What waits in the queue stays there. */
  disconnect() {
    this.#page.abort();
    if (this.agreement?.features.resume) this.#say("goodbye", { reason: "the page closed the conversation" });
    this.#connection.stop("the page closed the conversation");
    this.#lost();
    this.#resumption.forget();
  }

  reconnectNow() {
    this.#connection.retryNow();
  }

  /** Promise of the final `response`; its `LumiError` where there will be none. */
  chat(text, { id = newId(), speak = false, image = null } = {}) {
    if (image !== null) return this.#show(text, image, id);
    return this.#queue.ask({ id, content: text, speak });
  }

  /**
   * Promise of the final `response` to what was said while there was no line: packets in the uplink's format. Its words
   * come as `stt` with its id.
   */
  note(packets, { id = newId() } = {}) {
    const params = this.agreement?.uplink ?? this.#audioParams ?? AUDIO_PARAMS;
    const seconds = Math.round((packets.length * params.frame_duration) / 1000);
    const content = `🎤 ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    return this.#queue.ask({ id, content, speak: false, note: { params, packets } });
  }

  /** Take a chat back. */
  forget(id) {
    this.#queue.forget(id);
  }

  listen = Object.freeze({
    start: ({ mode, id = newId() } = {}) => this.#say("listen", { id, state: "start", mode }),
    stop: () => this.#say("listen", { id: newId(), state: "stop" }),
  });

  /** A spoken turn for words that were typed. */
  detect(text, { mode } = {}) {
    return this.#say("listen", { id: newId(), state: "detect", mode, text });
  }

  abort(reason) {
    return this.#say("abort", { reason });
  }

  played({ turnId, ms, final = false }) {
    if (!this.agreement?.features.played) return false;
    return this.#say("played", { turn_id: turnId, ms, final });
  }

  mcp(payload) {
    return this.agreement?.features.mcp ? this.#say("mcp", { payload }) : false;
  }

  /** One packet of sound; false where it was dropped. */
  sendAudio(packet) {
    return this.#connection.waitingBytes <= MAX_WAITING_BYTES && this.#connection.send(packet);
  }

  // ── what goes out ────────────────────────────────────────────────────────────────────────────────────────────────

  #say(type, fields) {
    if (this.state !== "ready") return false;
    return this.#connection.send(encode(clientMessage(type, fields, this.#stamp(new Date().toISOString()))));
  }

  #sendChat({ id, content, speak, at, note }) {
    if (this.state !== "ready") return false;
    if (note) return this.#sendNote(id, note);
    const fields = { id, content, speak: speak || undefined };
    return this.#connection.send(encode(clientMessage("chat", fields, this.#stamp(new Date(at).toISOString()))));
  }

  /** As fast as the line allows: the server reads as fast as it can hear. */
  #sendNote(id, { params, packets }) {
    this.#say("listen", { id, state: "start", mode: "manual", note: true, audio_params: params });
    for (const packet of packets) this.#connection.send(packet);
    return this.#say("listen", { id, state: "stop", note: true });
  }

  #stamp(timestamp) {
    const { sessionId, deviceId } = this.agreement;
    return { session_id: sessionId, device_id: deviceId, timestamp };
  }

  async #hello() {
    this.#audioParams = await this.#options.audioParams;
    await this.#open();
    return profile({ ...this.#options, audioParams: this.#audioParams }, this.#names, this.#resumption.request());
  }

  #address() {
    return address(this.#options, this.#names);
  }

  /** What an earlier page has left, once. */
  async #open() {
    if (this.#storage) return;
    const server = new URL(this.#address());
    const name = `lumi ${server.origin}${server.pathname} ${this.#names.deviceId ?? ""}`;
    const { store, kept, session } = await openStorage(this.#options.storage, name);
    this.#storage = session;
    this.#resumption.open(session);
    this.#queue.open(store, kept, session.get().answered);
  }

  #remember(state) {
    this.#storage?.set({ ...this.#storage.get(), ...state });
  }

  async #show(text, image, id) {
    const answer = await lookAt(this.#address(), text, image);
    const response = { type: "response", id, request_id: id, content: answer, is_final: true };
    this.#tell("response", response);
    return response;
  }

  // ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────────

  #greeted(answer) {
    this.#resumption.greeted(answer);
    this.agreement = agreement(answer, this.#names, this.#audioParams);
    this.#heartbeat.start(answer.features?.resume === true);
    this.#tell("hello", answer);
    this.#queue.lineReady();
  }

  #refused(error) {
    // It has lost count of the session before: the next try begins a new one.
    if (error.code !== "bad_message" || !this.#resumption.request()) return;
    this.#resumption.forget();
    error.retryable = true;
  }

  #lost() {
    this.#heartbeat.stop();
    this.#resumption.lineLost();
    this.#queue.lineLost();
    this.#partial.clear();
    this.#turnId = null;
  }

  #frame(data) {
    this.#heartbeat.heard();
    if (typeof data !== "string") return this.#tell("audio", { packet: new Uint8Array(data), turnId: this.#turnId });
    let message;
    try {
      message = decodeServer(data);
    } catch (error) {
      return this.#tell("nonsense", { error, data });
    }
    if (this.#passes(message)) this.#tell(message.type, message);
  }

  /** Steps that a message takes on its way to the page; false where it ends here. */
  #passes(message) {
    if (!this.#resumption.isNew(message)) return false;
    const step = this.#steps[message.type];
    return step ? step(message) : true;
  }

  #steps = {
    response: (message) => (message.is_final ? this.#final(message) : this.#delta(message)),
    stt: (message) => !message.is_final || this.#queue.transcribed(message.id),
    error: (message) => !this.#queue.failed(message.id ?? message.request_id, serverError(message)),
    goodbye: (message) => {
      this.#connection.stayAway(message.retry_after ?? null);
      return true;
    },
    tts: (message) => {
      if (message.state === "start") this.#turnId = message.turn_id ?? null;
      return true;
    },
    pong: () => {
      this.#heartbeat.answered();
      return false;
    },
  };

  #final(message) {
    this.#partial.delete(message.id);
    return this.#queue.answered(message);
  }

  #delta({ id, delta = "" }) {
    if (!this.#queue.has(id) || !this.#queue.seenFromTheStart(id)) return false;
    const content = (this.#partial.get(id) ?? "") + delta;
    this.#partial.set(id, content);
    this.#tell("delta", { requestId: id, delta, content });
    return false;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #backInView() {
    this.reconnectNow();
    this.#checkLine();
  }

  #checkLine() {
    if (this.state === "ready") this.#heartbeat.check();
  }
}
