// Why there is no microphone here, and what to do about it.

import { $, open } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

// reason → what is said below the buttons, and what helps; null: the household's certificate does
const REASONS = {
  insecure: ["micInsecure", null],
  denied: ["micDenied", "microphoneDenied"],
  "no-device": ["micNone", "microphoneNoDevice"],
  unsupported: ["micUnsupported", "microphoneUnsupported"],
  busy: ["micBusy", "microphoneBusy"],
  silent: ["micSilent", ""],
};

export class NoMicrophone {
  #reason = null;
  #silent = false; // no sound either, before a click: said first, and forgotten with it

  constructor() {
    $("hintMore").addEventListener("click", () => this.explain());
    onLanguage(() => this.#draw());
  }

  // One of the voice's reasons; null: there is one after all.
  show(reason) {
    this.#silent = reason === "silent" || (this.#silent && reason !== null);
    if (reason !== "silent") this.#reason = reason;
    this.#draw();
    if (reason === "insecure") this.#offerTls();
  }

  // A click was enough to let the page make a sound.
  unlocked() {
    this.#silent = false;
    this.#draw();
  }

  explain() {
    if (this.#reason) open($("safe"));
  }

  #draw() {
    const said = this.#silent ? "silent" : this.#reason;
    $("hint").hidden = said === null;
    if (said === null) return;
    const [short, more] = REASONS[said] ?? REASONS.unsupported;
    $("hintText").textContent = t(short);
    $("hintMore").hidden = more === "";
    if (this.#reason === null) return;
    const [, long] = REASONS[this.#reason] ?? REASONS.unsupported;
    $("safeWhy").textContent = t(long ?? "microphoneWhy");
    for (const id of ["safeNone", "safeSteps"]) if (long !== null) $(id).hidden = true;
  }

  // Over plain http from another machine: what the server offers instead.
  async #offerTls() {
    let about = null;
    try {
      const answer = await fetch("/tls");
      if (answer.ok) about = await answer.json();
    } catch { /* no line: it is as if there were nothing */ }
    $("safeNone").hidden = about !== null;
    $("safeSteps").hidden = about === null;
    if (about === null) return;
    $("safeInstall").hidden = !about.authority;
    $("safeLink").textContent = `https://${location.hostname}:${about.port}/`;
    $("safeLink").href = $("safeLink").textContent + location.hash;
  }
}
