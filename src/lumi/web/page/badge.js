// The connection: the founding document's badge with its eight states, and what to do while there is none.

import { joined } from "./conversation.js";
import { $, announce, useIcon } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

export const ICONS = {
  initial: "wifi-off",
  connecting: "spinner",
  connected: "wifi",
  handshaking: "handshake",
  ready: "check",
  disconnected: "wifi-off",
  failed: "error",
  error: "warning",
};
const BROKEN = new Set(["disconnected", "failed", "error"]);

// Shows the state; `retry` is called by the button beside the countdown.
export class Badge {
  #state = "initial";
  #retryAt = null;
  #why = null;
  #timer = null;
  #wasReady = false;
  #broken = false; // from the first failure until it is ready again: the banner does not come and go with each try

  constructor({ retry, clock = () => performance.now() / 1000 }) {
    this.clock = clock;
    $("now").addEventListener("click", () => retry());
    onLanguage(() => this.#draw());
  }

  // `why`: a key of the texts that says more than the state, and the label of its button.
  show({ state, retryInS = null, why = null }) {
    const changed = state !== this.#state;
    this.#state = state;
    this.#why = why;
    this.#retryAt = retryInS === null ? null : this.clock() + retryInS;
    if (state === "ready") this.#wasReady = true;
    this.#broken = state !== "ready" && (this.#broken || BROKEN.has(state));
    clearInterval(this.#timer);
    if (this.#retryAt !== null) this.#timer = setInterval(() => this.#count(), 250);
    this.#draw();
    if (changed && (state === "ready" || BROKEN.has(state))) announce(t(state));
  }

  #draw() {
    const badge = $("badge");
    badge.dataset.state = this.#state;
    useIcon(badge, ICONS[this.#state]);
    $("badgeLabel").textContent = t(this.#state);
    const shown = this.#why !== null || this.#broken;
    $("banner").hidden = !shown;
    $("banner").classList.toggle("calm", this.#why === "replaced");
    if (!shown) return;
    const lost = joined(t(this.#wasReady ? "lineLost" : "lineNever"), t("queued"));
    $("bannerText").textContent = this.#why === null ? lost : t(this.#why);
    $("now").textContent = t(this.#why === "replaced" ? "useHere" : "now");
    this.#count();
  }

  #count() {
    const left = this.#retryAt === null ? null : Math.max(0, Math.ceil(this.#retryAt - this.clock()));
    $("countdown").textContent = left === null ? "" : t("nextTry", { s: left });
  }
}
