// The file of a recording (docs/recordings.md): its entries, the sound of both sides, and what was said, on one timeline.

export const VERSION = 1;
const LONGEST_PAUSE_MS = 5000;
const PAUSE_MS = 1000;
const JOINED_MS = 240;  // packets that come this late are still of the same stretch

// Reads the text of a file. Its last line may be cut off: `cut` says so. Throws where it is no recording.
export function parse(text) {
  const lines = text.split("\n");
  const torn = lines.pop() !== "";
  const [header, ...entries] = lines.map((line) => JSON.parse(line));
  if (header?.lumi_recording !== VERSION) throw new Error(`recording format ${header?.lumi_recording}; this page reads ${VERSION}`);
  return { header, entries, cut: torn };
}

// Stretches of sound without a gap: `{ side, start, ms, form, packets }`, `start` in ms of the shortened time.
export function stretches(entries) {
  const shift = shortening(entries);
  let forms = { client: null, server: null };
  const open = { client: null, server: null };
  const found = [];
  for (const entry of entries) {
    if (entry.kind === "agreed") {
      forms = { client: entry.uplink, server: entry.downlink };
      open.client = open.server = null;
    }
    const side = entry.kind === "client_packet" ? "client" : entry.kind === "server_packet" ? "server" : "";
    if (!side || !entry.packet || !forms[side]) continue;
    const at = shift(entry.at_ms);
    const form = forms[side];
    let stretch = open[side];
    if (!stretch || at > stretch.start + stretch.ms + JOINED_MS) {
      // The voice runs a little ahead of what is heard, so a new stretch may not begin in the one before it.
      stretch = open[side] = { side, start: Math.max(at, stretch ? stretch.start + stretch.ms : 0), ms: 0, form, packets: [] };
      found.push(stretch);
    }
    stretch.packets.push(bytes(entry.packet));
    stretch.ms += form.frame_ms;
  }
  return found;
}

// Maps a time of the file to one without long pauses.
export function shortening(entries) {
  const cuts = [];
  let last = 0;
  let removed = 0;
  for (const { at_ms: at } of entries) {
    if (at - last > LONGEST_PAUSE_MS) {
      removed += at - last - PAUSE_MS;
      cuts.push([at, removed]);
    }
    last = Math.max(last, at);
  }
  return (at) => at - (cuts.findLast(([from]) => at >= from)?.[1] ?? 0);
}

// Whether there are such pauses.
export function isShortened(entries) {
  const end = Math.max(0, ...entries.slice(-1).map((entry) => entry.at_ms));
  return shortening(entries)(end) < end;
}

// What was said and done, line by line: `{ at, who, text, note }`.
export function transcript(entries) {
  const shift = shortening(entries);
  const found = [];
  let began = null;  // when the user began to say what is understood next
  let typed = null;  // what the server says again as understood
  for (const entry of entries) {
    if (entry.kind === "client_packet") began ??= entry.at_ms;
    if (begins(entry)) began = null;
    if (entry.kind === "from_client" && entry.message.type === "listen") typed = entry.message.text || null;
    let line = said(entry);
    if (line?.spoken && line.text === typed) line = typed = null;
    if (line) found.push({ at: shift(line.spoken ? began ?? entry.at_ms : entry.at_ms), ...line });
    if (line?.spoken) began = null;
  }
  return found.sort((one, other) => one.at - other.at);
}

const begins = ({ kind, message }) =>
  (kind === "from_client" && message.type === "listen" && message.state === "start") || (kind === "from_server" && message.type === "tts" && message.state === "stop");

// A line; one with a `key` is to be put into words.
function said({ kind, message, code, reason, frames }) {
  if (kind === "closed") return { who: "", key: "lineClosed", text: `${code} ${reason}`.trim(), note: true };
  if (kind === "lost") return { who: "", key: "framesLost", text: `${frames}`, note: true };
  if (kind === "from_client") {
    if (message.type === "chat") return { who: "you", text: message.content };
    if (message.type === "listen" && message.text) return { who: "you", text: message.text };
    if (message.type === "abort") return { who: "you", key: "brokenOff", text: "abort", note: true };
  }
  if (kind === "from_server") {
    if (message.type === "stt" && message.is_final !== false) return { who: "you", text: message.text || "…", note: !message.text, spoken: true };
    if (message.type === "tts" && message.state === "sentence_start") return { who: "lumi", text: message.text };
    if (message.type === "response" && message.is_final !== false) return { who: "lumi", text: message.content };
    if (message.type === "error") return { who: "lumi", text: message.message || message.error_code, note: true };
  }
  return null;
}

function bytes(base64) {
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) found[index] = text.charCodeAt(index);
  return found;
}
