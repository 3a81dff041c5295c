/** Lumi in a web page: everything that other pages may build on. Described in docs/javascript.md. */

export { LumiClient } from "./client.js";
export { LumiError } from "./errors.js";
export { AUDIO_PARAMS, FEATURES } from "./greeting.js";
export { newId } from "./protocol.js";
export { STATES, TRANSITIONS } from "./states.js";
