/** One WebSocket from its opening to its end, and the hello on it. */

import { LumiError, closedError, serverError } from "./errors.js";
import { decodeServer, encode } from "./protocol.js";

export class Line {
  /** Told of every frame: text, or an ArrayBuffer. Set it before the next task runs: what comes before is lost. */
  onframe = () => {};
  /** Resolves, once, with `{ code, reason, ours }`. */
  closed;
  #socket;
  #close;

  constructor(socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => (this.#close = resolve));
    socket.onmessage = ({ data }) => this.onframe(data);
    socket.onclose = ({ code, reason }) => this.#close({ code, reason, ours: false });
  }

  /** A line that is open; a LumiError `connect_failed` where none comes about in time. */
  static open(url, timeoutS, signal) {
    const failed = (why) => new LumiError("connect_failed", `no connection to ${hidden(url)}: ${why}`, { retryable: true });
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.binaryType = "arraybuffer";
      const give = (settle) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abandon);
        socket.onopen = socket.onclose = null;
        settle();
      };
      const leave = (why) => {
        give(() => reject(failed(why)));
        socket.close();
      };
      const abandon = () => leave("it was broken off");
      const timer = setTimeout(() => leave(`nothing within ${timeoutS} s`), timeoutS * 1000);
      signal.addEventListener("abort", abandon);
      socket.onopen = () => give(() => resolve(new Line(socket)));
      socket.onclose = () => give(() => reject(failed("is the server running?")));
    });
  }

  /** Bytes that wait to be sent. */
  get waitingBytes() {
    return this.#socket.bufferedAmount;
  }

  /** False where the line is not open. */
  send(data) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data);
    return true;
  }

  /** Say hello and wait for its answer; a LumiError where it is refused, or none comes in time. */
  async greet(hello, timeoutS) {
    let timer;
    const answer = new Promise((resolve, reject) => {
      this.onframe = (data) => answerTo(hello, data, resolve, reject);
      timer = setTimeout(
        () => reject(new LumiError("handshake_timeout", `no answer to hello within ${timeoutS} s`, { retryable: true })),
        timeoutS * 1000,
      );
    });
    const lost = this.closed.then((closed) => Promise.reject(closedError(closed)));
    this.send(encode(hello));
    try {
      return await Promise.race([answer, lost]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** End it; whoever waits for its end is told at once. `lost`: it is of no use any more, and counts as broken. */
  close(reason, { lost = false } = {}) {
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close(lost ? 4000 : 1000, reason);
    this.#close({ code: lost ? 1006 : 1000, reason, ours: !lost });
  }
}

/** What a frame says of our hello: nothing, that it is answered, or that it is refused. */
function answerTo(hello, data, resolve, reject) {
  if (typeof data !== "string") return;
  let message;
  try {
    message = decodeServer(data);
  } catch {
    return; // no answer to anything
  }
  const about = message.id ?? null;
  if (message.type === "error" && (about === hello.id || about === null)) reject(serverError(message));
  if (message.type !== "hello" || about !== hello.id) return;
  if (message.session_id) return resolve(message);
  reject(new LumiError("bad_hello", "the server's hello has no session_id (服务器响应中缺少session_id)", { retryable: true }));
}

/** The address without what may be a secret. */
function hidden(url) {
  return url.split("?")[0];
}
