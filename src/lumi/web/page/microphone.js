// The three ways to talk: a button held down, hands-free, live. By pointer, by keyboard, by one click.

import { $ } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const TYPING = "input, textarea, select, button, summary, a, dialog, [contenteditable]";
const MODES = { handsFree: "auto", realtime: "realtime" };

export class Microphone {
  #voice; // undefined while it is being loaded, null where there is none
  #down = false;
  #asked = null; // a mode that was asked for while it was being loaded
  #mode = null;

  // `why()` is called where somebody wants to talk and there is no microphone.
  constructor({ why }) {
    this.why = why;
    this.#holding();
    for (const [id, mode] of Object.entries(MODES)) $(id).addEventListener("click", () => this.#toggle(mode));
    onLanguage(() => {
      this.#draw();
      for (const id of Object.keys(MODES)) $(id).title = t(`${id}Help`);
    });
  }

  // The voice, as soon as it is loaded; null where there can be none.
  use(voice) {
    this.#voice = voice;
    if (voice === null && (this.#down || this.#asked)) this.why();
    if (voice && this.#down) voice.holdToTalk.down();
    else if (voice && this.#asked) voice.handsFree(this.#asked);
    this.#asked = null;
    this.#down &&= voice !== null;
    this.#draw();
  }

  // The mode that the microphone is in now, as the voice tells.
  listening(mode) {
    this.#mode = mode;
    this.#draw();
  }

  #holding() {
    const button = $("hold");
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture?.(event.pointerId);
      this.#begin();
    });
    for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, () => this.#end());
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    button.addEventListener("click", (event) => {
      if (event.detail === 0) this.#down ? this.#end() : this.#begin(); // a screen reader's click has no pointer
    });
    document.addEventListener("keydown", (event) => this.#key(event, () => this.#begin()));
    document.addEventListener("keyup", (event) => this.#key(event, () => this.#end()));
    addEventListener("blur", () => this.#end());
  }

  // Space, or Enter on the button itself; elsewhere keys belong to what has the focus.
  #key(event, act) {
    const here = event.target === $("hold");
    const wanted = event.key === " " || (here && event.key === "Enter");
    if (!wanted || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!here && (event.target.closest(TYPING) || document.querySelector("dialog[open]"))) return;
    event.preventDefault();
    if (!event.repeat) act();
  }

  #begin() {
    if (this.#voice === null) return this.why();
    if (this.#down) return;
    this.#down = true;
    this.#voice?.holdToTalk.down();
    this.#draw();
  }

  #end() {
    if (!this.#down) return;
    this.#down = false;
    this.#voice?.holdToTalk.up();
    this.#draw();
  }

  #toggle(mode) {
    if (this.#voice === null) return this.why();
    if (this.#voice) this.#voice.handsFree(this.#mode === mode ? false : mode);
    else this.#asked = this.#asked === mode ? null : mode;
  }

  #draw() {
    $("hold").setAttribute("aria-pressed", this.#down);
    $("holdLabel").textContent = t(this.#down ? "holding" : "hold");
    for (const [id, mode] of Object.entries(MODES)) $(id).setAttribute("aria-pressed", this.#mode === mode);
    $("voice").classList.toggle("none", this.#voice === null);
  }
}
