// The server's codes in words, with what to do, and the code itself beside them: it is what logs and counters have.

import { coded, make } from "./dom.js";
import { language, t } from "./i18n.js";
import { meaning } from "./reasons.js";

export const meant = (kind, code) => meaning(kind, code, language())?.what ?? code;

// A code as nodes: what it means, the code, and below them what to do.
export function explained(kind, code) {
  const found = meaning(kind, code, language());
  if (!found) return [make("strong", { text: code })];
  return [make("strong", {}, ...coded(found.what)), " ", make("code", { class: "soft", text: code }), found.mend ? make("div", { class: "soft" }, ...coded(found.mend)) : ""];
}

// A line of the log: its event with the reason or the trouble that it tells of, and what to do about the nearest of them.
export function told(event, values) {
  const [kind, code] = event === "refused" ? ["refusal", values.why ?? ""] : ["trouble", values.trouble ?? ""];
  const [found, reason] = [meaning("event", event, language()), meaning(kind, code, language())];
  const said = found ? [make("strong", {}, ...coded(found.what)), " ", make("code", { class: "soft", text: event })] : [make("strong", { text: event })];
  if (reason) said.splice(1, 0, ...coded(t("because", { why: reason.what })));
  const mend = reason?.mend || found?.mend;
  return mend ? [...said, make("div", {}, ...coded(mend))] : said;
}
