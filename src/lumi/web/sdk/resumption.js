/** A session that outlives its lines: which events have come, and what to say when coming back. */

export const ACK_DELAY_MS = 500;

/** Counts one client's events over all its lines, and over reloads. */
export class Resumption {
  #session = null;
  #granted = false;
  #acknowledged = 0;
  #timer = null;
  #on;
  #state = { sessionId: null, received: 0 };

  /** @param {object} on `ack(seq)`, `gap()`: an event is missing, and only a resume brings it again. */
  constructor(on) {
    this.#on = on;
  }

  /** Go on where an earlier page was. */
  open(session) {
    this.#session = session;
    const { sessionId = null, received = 0 } = session.get();
    this.#state = { sessionId, received };
    this.#granted = sessionId !== null;
  }

  /** What the next hello says of the session before; null where there is none to go on with. */
  request() {
    const { sessionId, received } = this.#state;
    return this.#granted && sessionId ? { session_id: sessionId, received } : null;
  }

  /** The next session is a new one. */
  forget() {
    this.#keep({ sessionId: null, received: 0 });
    this.#granted = false;
  }

  /** The server said hello: in the session we had, or in a new one, whose events are counted from the start. */
  greeted(hello) {
    this.#granted = hello.features?.resume === true;
    const goesOn = hello.resumed === true || hello.session_id === this.#state.sessionId;
    const received = goesOn ? this.#state.received : 0;
    this.#acknowledged = received;
    this.#keep({ sessionId: this.#granted ? hello.session_id : null, received });
  }

  /** Whether a message is new; one that was seen, or comes after a gap, is not to be shown. */
  isNew(message) {
    if (!Number.isInteger(message.seq)) return true;
    const next = this.#state.received + 1;
    if (message.seq > next) {
      this.#on.gap();
      return false;
    }
    if (message.seq === next) this.#keep({ ...this.#state, received: next });
    this.#timer ??= setTimeout(() => this.#acknowledge(), ACK_DELAY_MS);
    return message.seq === next;
  }

  lineLost() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #acknowledge() {
    this.#timer = null;
    const { received } = this.#state;
    if (received > this.#acknowledged && this.#on.ack(received)) this.#acknowledged = received;
  }

  #keep(state) {
    this.#state = state;
    this.#session?.set({ ...this.#session.get(), ...state });
  }
}
