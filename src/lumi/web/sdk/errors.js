/** What goes wrong, whose fault it is, and whether the same may succeed later. */

/** After these close codes a client does not try again. */
export const FATAL_CLOSE_CODES = Object.freeze([4401, 4409]);

/** Values of `error_code` after which the same message may succeed later. */
export const RETRYABLE = Object.freeze([
  "rate_limited",
  "overloaded",
  "stt_failed",
  "llm_failed",
  "tts_failed",
  "internal",
]);

export class LumiError extends Error {
  name = "LumiError";

  /**
   * @param {string} code an `error_code` of the protocol, or one of ours, as `offline`.
   * @param {string} message for a person: the mistake and, where there is one, the mend.
   * @param {{retryable?: boolean, retryAfterS?: number|null, closeCode?: number|null}} more
   */
  constructor(code, message, { retryable = false, retryAfterS = null, closeCode = null } = {}) {
    super(message);
    this.code = code;
    this.retryable = retryable;
    this.retryAfterS = retryAfterS;
    this.closeCode = closeCode;
  }
}

/** An `error` message of the server. */
export function serverError(message) {
  return new LumiError(message.error_code, message.error_message || message.message, {
    retryable: message.retryable || RETRYABLE.includes(message.error_code),
    retryAfterS: message.retry_after ?? null,
  });
}

/** Why a line ended. */
export function closedError({ code, reason }) {
  if (code === 4401) return new LumiError("unauthorized", reason || "the server does not let us in", { closeCode: code });
  if (code === 4409) {
    const message = reason || "another page goes on with this conversation";
    return new LumiError("replaced", message, { closeCode: code });
  }
  const message = `the connection was closed (${code})${reason ? `: ${reason}` : ""}`;
  return new LumiError("connection_lost", message, { retryable: true, closeCode: code });
}
