/** Who we are, where the server is, and what both agree on. */

import { hello, newId } from "./protocol.js";

export const FEATURES = Object.freeze({
  resume: true, stream: true, partials: true, emotion: true, sentence_end: true, turns: true, played: true,
  notify: true, cards: true,
});
export const AUDIO_PARAMS = Object.freeze({ format: "opus", sample_rate: 16000, channels: 1, frame_duration: 60 });

/** The server's address: where this module came from, unless told otherwise. A browser cannot set headers: who we are
 * stands in the query. */
export function address({ url, token }, { deviceId, clientId }) {
  const full = new URL(url ?? "/", import.meta.url);
  full.protocol = full.protocol.replace("http", "ws");
  const query = { "device-id": deviceId, "client-id": clientId, authorization: token };
  for (const [name, value] of Object.entries(query)) if (value) full.searchParams.set(name, value);
  return full.href;
}

/** Our hello. `resume`: the session before, or null. */
export function profile({ language, audioParams, features, voice }, { deviceId }, resume) {
  const locale = language ?? navigator.language;
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const deviceInfo = { platform: "web", locale, timezone };
  return hello(newId(), { deviceId, deviceInfo, audioParams, features, resume, voice });
}

/** What the server's hello says. */
export function agreement(answer, { deviceId }, uplink) {
  return Object.freeze({
    sessionId: answer.session_id,
    deviceId: answer.device_id ?? deviceId,
    serverVersion: answer.server_info?.version ?? "unknown",
    capabilities: answer.server_info?.capabilities ?? [],
    features: answer.features ?? {},
    uplink,
    downlink: answer.audio_params ?? uplink,
    resumed: answer.resumed === true,
  });
}
