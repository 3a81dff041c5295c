/** Keeps a client in conversation: connects, says hello, comes back after every loss, and knows when it is over. */

import { LumiError, closedError } from "./errors.js";
import { Line } from "./line.js";
import { backoff, nextWait } from "./reconnection.js";
import { StateMachine } from "./states.js";

export class Connection {
  #machine;
  #on;
  #timing;
  #policy;
  #steps = null;
  #line = null;
  #opened = null;
  #asked = null;
  #stopping = null;
  #dueAt = null;
  #hurry = () => {};

  /** Why there will be no more tries, or null. */
  ended = null;

  /**
   * @param {object} on `state(detail)`; `url()`; `hello()`, anew for each try, may be a promise; `ready(answer)`;
   *   `frame(data)`; `lost()`; `refused(error)`: of a hello, before it is decided whether to try again.
   * @param {{firstS?: number, capS?: number, tries?: number, jitter?: (s: number) => number}} policy
   * @param {{openS: number, handshakeS: number}} timing
   */
  constructor(on, policy, timing) {
    this.#on = on;
    this.#policy = policy;
    this.#timing = timing;
    this.#machine = new StateMachine((state, previous, detail) => on.state({ state, previous, ...detail }));
  }

  get state() {
    return this.#machine.state;
  }

  get retryInS() {
    return this.#dueAt === null ? null : Math.max(0, (this.#dueAt - performance.now()) / 1000);
  }

  get waitingBytes() {
    return this.#line?.waitingBytes ?? 0;
  }

  /** Promise of the first ready; rejects with why there will be none. Connects again by itself afterwards. */
  start() {
    if (this.#opened !== null) return this.#opened;
    this.ended = null;
    this.#stopping = new AbortController();
    this.#steps = backoff(this.#policy);
    let settle;
    const opened = (this.#opened = new Promise((resolve, reject) => (settle = { resolve, reject })));
    opened.catch(() => {}); // perhaps nobody waits
    this.#run(settle, this.#stopping.signal);
    return opened;
  }

  /** No more lines until the next `start`. */
  stop(reason) {
    if (this.#opened === null) return;
    this.#finish(new LumiError("ended", reason));
    this.#stopping.abort();
    this.#hurry();
    this.#line?.close(reason);
    this.#line = null;
    this.#advance("disconnected", this.ended, null);
  }

  /** Give the present line up; the next try follows at once. */
  drop(reason) {
    this.#steps = backoff(this.#policy);
    this.#line?.close(reason, { lost: true });
  }

  /** Do not wait any longer for the next try. */
  retryNow() {
    this.#hurry();
  }

  /** The server asked to stay away for so long once it has gone. */
  stayAway(seconds) {
    this.#asked = seconds;
  }

  /** False where there is no line that has been greeted. */
  send(data) {
    return this.state === "ready" && this.#line !== null && this.#line.send(data);
  }

  async #run(settle, signal) {
    while (!signal.aborted) {
      const outcome = await this.#once(settle, signal);
      if (signal.aborted) break;
      const { state, error } = outcome;
      const waitS = nextWait(this.#steps, error);
      if (waitS === null) this.#finish(error);
      this.#advance(state, error, waitS);
      if (waitS === null) break;
      await this.#pause(waitS);
    }
    settle.reject(this.ended);
  }

  /** One line from its opening to its end: the state it leaves behind, and why. */
  async #once(settle, signal) {
    let answer;
    try {
      answer = await this.#attempt(signal);
    } catch (error) {
      this.#line?.close("handshake failed");
      this.#line = null;
      if (!(error instanceof LumiError)) return { state: "failed", error: new LumiError("internal", String(error)) };
      this.#on.refused(error);
      return { state: "failed", error };
    }
    this.#steps = backoff(this.#policy);
    this.#machine.advance("ready", { retryInS: null, reason: null, final: false });
    this.#on.ready(answer);
    settle.resolve(answer);
    const line = this.#line;
    const closed = await line.closed;
    if (this.#line === line) this.#line = null;
    this.#on.lost();
    const error = closedError(closed);
    error.retryAfterS = this.#asked;
    this.#asked = null;
    const orderly = closed.ours || closed.code === 1000 || closed.code === 1001;
    return { state: orderly ? "disconnected" : "error", error };
  }

  async #attempt(signal) {
    this.#step("connecting");
    const hello = await this.#on.hello();
    if (signal.aborted) throw this.ended;
    this.#line = await Line.open(this.#on.url(), this.#timing.openS, signal);
    this.#step("connected");
    this.#step("handshaking");
    const line = this.#line;
    const answer = await line.greet(hello, this.#timing.handshakeS);
    line.onframe = (data) => this.#on.frame(data);
    return answer;
  }

  #step(state) {
    this.#machine.advance(state, { retryInS: null, reason: null, final: false });
  }

  #advance(state, error, waitS) {
    this.#dueAt = waitS === null ? null : performance.now() + waitS * 1000;
    const detail = { retryInS: waitS, reason: error.message, final: waitS === null, error };
    if (state !== this.state) this.#machine.advance(state, detail);
    else this.#on.state({ state, previous: state, ...detail }); // closed while it waited: there will be no next try
  }

  async #pause(waitS) {
    let timer;
    await new Promise((resolve) => {
      this.#hurry = resolve;
      timer = setTimeout(resolve, waitS * 1000);
    });
    clearTimeout(timer);
    this.#hurry = () => {};
    this.#dueAt = null;
  }

  #finish(error) {
    this.ended = error;
    this.#opened = null;
  }
}
