/** A picture and a question about it, over HTTP: frames of the WebSocket are too small for pictures. */

import { LumiError } from "./errors.js";

const PATH = "/mcp/vision/explain";
/** The server has no model that can look at pictures. */
const NO_EYES = 501;

/** The words of the server's vision model; a LumiError that says what was wrong. */
export async function lookAt(address, question, image) {
  const url = new URL(address);
  url.protocol = url.protocol === "wss:" ? "https:" : "http:";
  url.pathname = PATH;
  const form = new FormData();
  form.append("question", question);
  form.append("image", image, "image");
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body: form });
  } catch {
    throw new LumiError("offline", "the picture could not be sent: no connection", { retryable: true });
  }
  const said = await answer.json().catch(() => ({ message: `the server answered ${answer.status}` }));
  if (said.success) return said.response;
  if (answer.status === NO_EYES) throw new LumiError("blind", said.message);
  throw new LumiError("not_seen", said.message, { retryable: answer.status >= 500 });
}
