/**
 * The messages of the wire, both ways: what each field accepts, reading, checking, writing. Pure.
 *
 * A field is written as its kind: `!` in front: it must be there; `?` at the end: null will do too; `a|b`: one of these
 * words. Fields that are not listed are passed on as they came.
 */

import { LumiError } from "./errors.js";

export const PROTOCOL_VERSION = 1;
export const MAX_CONTENT_CHARS = 8000;
export const MAX_TEXT_BYTES = 65536;

const SESSION = { session_id: "text?" };
const STAMPED = { ...SESSION, device_id: "text?", timestamp: "time?" };

export const CLIENT_MESSAGES = {
  hello: {
    id: "text?", version: "int", transport: "text", device_id: "text?", device_info: "object?",
    audio_params: "object?", features: "object?", resume: "object?", device_mac: "text?", device_name: "text?",
    token: "text?", voice: "text?",
  },
  chat: { id: "!id", content: "!text", ...STAMPED, speak: "bool" },
  listen: {
    state: "!start|stop|detect", mode: "auto|manual|realtime?", text: "text?", id: "text?", source: "text?",
    audio_params: "object?", note: "bool", ...STAMPED,
  },
  abort: { reason: "text?", id: "text?", ...SESSION, device_id: "text?" },
  played: { turn_id: "!text", ms: "!positive", final: "bool", ...SESSION },
  mcp: { payload: "!object", ...SESSION },
  iot: { descriptors: "objects?", states: "objects?", update: "bool", ...SESSION },
  goodbye: { ...SESSION, reason: "text?", retry_after: "number?", url: "text?" },
  ping: { id: "text?", timestamp: "time?", ...SESSION },
  ack: { seq: "!count", ...SESSION },
};

export const SERVER_MESSAGES = {
  hello: {
    id: "text", ...SESSION, version: "int", transport: "text", server_info: "object?", audio_params: "object?",
    device_id: "text", features: "object", resumed: "bool",
  },
  response: {
    id: "!text?", content: "text", ...SESSION, timestamp: "time?", request_id: "text?", is_final: "bool",
    delta: "text", seq: "int", turn_id: "text",
  },
  stt: { text: "!text", confidence: "number", is_final: "bool", ...SESSION, id: "text", seq: "int", turn_id: "text" },
  llm: { emotion: "text", text: "text", ...SESSION, turn_id: "text" },
  tts: { state: "!start|sentence_start|sentence_end|stop", text: "text", ...SESSION, turn_id: "text" },
  notify: { id: "!text", kind: "!timer|reminder|push", text: "!text", due_at: "time", code: "text", ...SESSION, seq: "int" },
  cards: { timers: "!objects", lists: "!objects", sent_at: "!time", ...SESSION },
  mcp: { payload: "!object", ...SESSION },
  iot: { commands: "!objects", ...SESSION },
  alert: { status: "!text", message: "!text", emotion: "!text", ...SESSION },
  system: { command: "!reboot", ...SESSION },
  goodbye: { ...SESSION, reason: "text?", retry_after: "number?", url: "text?" },
  pong: { timestamp: "time?", ...SESSION, id: "text" },
  metrics: { turn_id: "!text", stages: "!object", ...SESSION },
  error: {
    error_code: "text", error_message: "text", code: "int", message: "text", id: "text?", request_id: "text?",
    ...SESSION, timestamp: "time?", retryable: "bool", retry_after: "number",
  },
};

/** What a reader may count on where the server left it out. */
const DEFAULTS = {
  response: { content: "", is_final: true },
  stt: { confidence: 1, is_final: true },
  llm: { emotion: "neutral", text: "😶" },
  error: { error_code: "internal", error_message: "", retryable: false },
};

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** What each kind accepts, in alternatives, and how it is told. */
const KINDS = {
  text: [["text"], (value) => typeof value === "string"],
  id: [["text of 1 to 128 characters"], (value) => typeof value === "string" && value.length >= 1 && value.length <= 128],
  bool: [["true or false"], (value) => typeof value === "boolean"],
  int: [["a whole number"], Number.isInteger],
  count: [["a whole number from 0 to 9007199254740992"], (value) => Number.isInteger(value) && value >= 0],
  number: [["a number"], Number.isFinite],
  positive: [["a number from 0 up"], (value) => Number.isFinite(value) && value >= 0],
  time: [["text", "a number"], (value) => typeof value === "string" || Number.isFinite(value)],
  object: [["an object"], isObject],
  objects: [["a list of objects"], (value) => Array.isArray(value) && value.every(isObject)],
};

/** A field's kind, taken apart: `{ required, words, accepts(value) }`; `words` as in the protocol's reference. */
export function field(kind) {
  const required = kind.startsWith("!");
  const nullable = kind.endsWith("?");
  const name = kind.slice(required ? 1 : 0, nullable ? -1 : undefined);
  const [alternatives, accepts] = KINDS[name] ?? oneOf(name.split("|"));
  return {
    required,
    words: anyOf(nullable ? [...alternatives, "null"] : alternatives),
    accepts: (value) => (value === null ? nullable : accepts(value)),
  };
}

function oneOf(choices) {
  return [choices.map((choice) => `"${choice}"`), (value) => choices.includes(value)];
}

function anyOf(words) {
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} or ${words.at(-1)}` : words[0];
}

/** Complain of the first field that does not fit: a LumiError `bad_message`. */
export function check(message, messages) {
  const fields = Object.hasOwn(messages, message.type) ? messages[message.type] : null;
  if (fields === null) throw new LumiError("unknown_type", `type ${JSON.stringify(message.type)} is not known here`);
  for (const [name, kind] of Object.entries(fields)) {
    const { required, words, accepts } = field(kind);
    const value = message[name];
    if (value === undefined ? required : !accepts(value)) {
      const problem = value === undefined ? "is missing" : `is ${JSON.stringify(value)?.slice(0, 60)}`;
      throw new LumiError("bad_message", `${message.type}.${name} ${problem}; accepted: ${words}`);
    }
  }
  return message;
}

function decode(text, messages) {
  let message;
  try {
    message = JSON.parse(text);
  } catch (error) {
    throw new LumiError("bad_json", `not JSON: ${error.message}`);
  }
  if (!isObject(message)) throw new LumiError("bad_message", "a message is a JSON object");
  return check(message, messages);
}

/** Read a server's message; a LumiError where it makes no sense. */
export function decodeServer(text) {
  const message = decode(text, SERVER_MESSAGES);
  return { ...DEFAULTS[message.type], ...message };
}

/** Read a client's message; a LumiError where it makes no sense. */
export function decodeClient(text) {
  return decode(text, CLIENT_MESSAGES);
}

/** Write a client's message: what is undefined or null is left out; a LumiError where a field does not fit. */
export function encode(message) {
  const said = Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined && value !== null));
  return JSON.stringify(check(said, CLIENT_MESSAGES));
}

/** The fields that a message of this type takes from the session it is said in. */
const FROM_SESSION = {
  chat: ["session_id", "device_id", "timestamp"],
  listen: ["session_id", "device_id", "timestamp"],
  abort: ["session_id", "device_id"],
};

/**
 * A client's message as it goes out.
 *
 * @param {string} type
 * @param {object} fields its own, in the wire's names.
 * @param {{session_id?: string, device_id?: string, timestamp?: string|number}} session
 */
export function clientMessage(type, fields, session = {}) {
  const taken = FROM_SESSION[type] ?? ["session_id"];
  const { id, ...rest } = fields;
  return { id, type, ...Object.fromEntries(taken.map((name) => [name, session[name]])), ...rest };
}

/** The founding document's hello, with what the profile asks for. */
export function hello(id, { deviceId, deviceInfo, audioParams, features, resume, voice }) {
  const wanted = Object.fromEntries(Object.entries(features ?? {}).filter(([, value]) => value));
  return {
    id,
    type: "hello",
    version: PROTOCOL_VERSION,
    transport: "websocket",
    device_id: deviceId,
    device_info: deviceInfo,
    audio_params: audioParams,
    features: Object.keys(wanted).length ? wanted : undefined,
    resume: resume ?? undefined,
    voice: voice || undefined,
  };
}

/** An id nobody else has. Not crypto.randomUUID: that does not exist on pages that came over plain http. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes of a text on the wire. */
export function sizeBytes(text) {
  return new TextEncoder().encode(text).length;
}
