/** Where a client stands: the founding document's eight states, and the table of ways between them. */

export const STATES = Object.freeze([
  "initial",
  "connecting",
  "connected",
  "handshaking",
  "ready",
  "disconnected",
  "failed",
  "error",
]);

export const TRANSITIONS = Object.freeze({
  initial: ["connecting"],
  connecting: ["connected", "failed", "disconnected"],
  connected: ["handshaking", "failed", "disconnected", "error"],
  handshaking: ["ready", "failed", "disconnected", "error"],
  // ready → handshaking: a later hello renegotiates audio or features on the open line
  ready: ["handshaking", "disconnected", "error"],
  disconnected: ["connecting"],
  failed: ["connecting", "disconnected"],
  error: ["connecting", "disconnected"],
});

/** The only home of the client's state. A way that the table does not have throws and changes nothing. */
export class StateMachine {
  #state = "initial";
  #onChange;

  /** @param {(state: string, previous: string, detail: object) => void} onChange told of every step. */
  constructor(onChange = () => {}) {
    this.#onChange = onChange;
  }

  get state() {
    return this.#state;
  }

  may(state) {
    return TRANSITIONS[this.#state].includes(state);
  }

  advance(state, detail = {}) {
    if (!this.may(state)) throw new RangeError(`the connection cannot go from ${this.#state} to ${state}`);
    const previous = this.#state;
    this.#state = state;
    this.#onChange(state, previous, detail);
  }
}
