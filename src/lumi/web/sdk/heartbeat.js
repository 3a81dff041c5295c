/** Signs of life: a ping now and then, less often while nobody looks at the page, and a line without answers is dead. */

export class Heartbeat {
  #timing;
  #on;
  #timer = null;
  #answer = null;
  #answers = false;

  /**
   * @param {{heartbeatS: number, hiddenHeartbeatS: number, answerS: number}} timing
   * @param {object} on `ping()`, `dead()`.
   */
  constructor(timing, on) {
    this.#timing = timing;
    this.#on = on;
  }

  /** A line begins. `answers`: this server is known to answer; otherwise it is counted on once it ever has. */
  start(answers) {
    this.stop();
    this.#answers ||= answers;
    this.#plan();
  }

  stop() {
    clearTimeout(this.#timer);
    this.heard();
  }

  /** Anything came from the server. */
  heard() {
    clearTimeout(this.#answer);
    this.#answer = null;
  }

  /** A `pong` came: from now on one is expected each time. */
  answered() {
    this.#answers = true;
  }

  /** Ask for a sign of life now. */
  check() {
    this.#on.ping();
    if (this.#answers) this.#answer ??= setTimeout(() => this.#on.dead(), this.#timing.answerS * 1000);
    this.#plan();
  }

  #plan() {
    clearTimeout(this.#timer);
    const { heartbeatS, hiddenHeartbeatS } = this.#timing;
    this.#timer = setTimeout(() => this.check(), (document.hidden ? hiddenHeartbeatS : heartbeatS) * 1000);
  }
}
