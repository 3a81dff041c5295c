// The line one types into, and a picture that goes with it.

import { $ } from "./dom.js";
import { t } from "./i18n.js";
import { pictureOf, readied } from "./pictures.js";

const DRAFT = "lumi.draft";

export class Composer {
  #picture = null;

  // `send({ text, picture })`; `trouble(key)` where a file is no picture.
  constructor({ send, trouble }) {
    this.send = send;
    this.trouble = trouble;
    this.words = $("words");
    $("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.words.addEventListener("keydown", (event) => this.#key(event));
    this.words.addEventListener("input", () => this.#grow());
    $("pick").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", ({ target }) => {
      this.#take(target.files[0]);
      target.value = "";
    });
    $("unpick").addEventListener("click", () => this.#drop());
    this.words.addEventListener("paste", (event) => this.#transfer(event, event.clipboardData));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => this.#transfer(event, event.dataTransfer));
    this.#keepDraft();
  }

  // Half a sentence outlives a reload of the page.
  #keepDraft() {
    try {
      this.words.value = sessionStorage.getItem(DRAFT) ?? "";
      addEventListener("pagehide", () => sessionStorage.setItem(DRAFT, this.words.value));
    } catch { /* storage is switched off */ }
    this.#grow();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return; // composing: Enter picks a Chinese word
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.words.value.trim() || (this.#picture ? t("pictureQuestion") : "");
    if (!text || this.send({ text, picture: this.#picture }) === false) return;
    this.words.value = "";
    this.#drop();
    this.#grow();
  }

  #grow() {
    this.words.style.height = "auto";
    this.words.style.height = `${this.words.scrollHeight}px`;
  }

  #transfer(event, transfer) {
    const file = pictureOf(transfer);
    if (!file && event.type !== "drop") return; // plain text
    event.preventDefault();
    if (file) this.#take(file);
  }

  async #take(file) {
    if (!file) return;
    try {
      this.#picture = await readied(file);
    } catch {
      this.trouble("pictureBad");
      return;
    }
    $("pickedImage").src = this.#picture.thumbnail;
    $("picked").hidden = false;
    this.words.focus();
  }

  #drop() {
    this.#picture = null;
    $("picked").hidden = true;
    $("pickedImage").removeAttribute("src");
  }
}
