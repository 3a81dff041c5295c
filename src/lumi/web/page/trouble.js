// Errors in words: what happened, as far as the page knows it better than the server's own text.

import { t } from "./i18n.js";

const KNOWN = {
  overloaded: "troubleOverloaded",
  rate_limited: "troubleOverloaded",
  too_large: "troubleTooLong",
  full: "troubleFull",
  too_old: "troubleOld",
  offline: "pictureLine",
  blind: "troubleBlind",
};

export function wording({ code, message }) {
  return KNOWN[code] ? t(KNOWN[code]) : t("troubleFailed", { s: message || code });
}
