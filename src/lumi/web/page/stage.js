// What is heard and said right now: Lumi's face, the sentence in step with the voice, the sound of both sides.

import { $ } from "./dom.js";
import { Face } from "./face.js";
import { onLanguage, t } from "./i18n.js";
import { Waves } from "./waves.js";

const LINGERS_MS = 1200;

export class Stage {
  #mode = null;
  #playing = false;
  #subtitle = "";
  #hiding = null;
  #faces = [new Face($("face")), new Face($("bigFace")), new Face($("stageFace"))];
  #waves = new Waves($("waves"));
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(settings) {
    this.settings = settings;
    settings.follow("subtitles", () => this.#draw());
    onLanguage(() => this.#draw());
  }

  // One of the protocol's emotions.
  show(emotion) {
    for (const face of this.#faces) face.show(emotion);
  }

  // The microphone's mode, or null.
  listening(mode) {
    this.#mode = mode;
    this.#draw();
  }

  playing(playing) {
    this.#playing = playing;
    if (!playing) {
      this.#subtitle = "";
      for (const face of this.#faces) face.speak(null);
    }
    this.#draw();
  }

  subtitle(text) {
    this.#subtitle = text;
    this.#draw();
  }

  level({ side, level }) {
    this.#waves.push(side, level);
    if (side === "output" && this.#playing && !this.#calm.matches) this.#faces[2].speak(level);
  }

  #draw() {
    const busy = this.#playing || this.#mode !== null;
    $("stop").hidden = !this.#playing;
    const words = this.#playing ? this.settings.get("subtitles") && this.#subtitle : this.#mode && t("listening");
    $("live").textContent = words || "";
    $("live").classList.toggle("mine", !this.#playing);
    clearTimeout(this.#hiding);
    if (busy) {
      $("stage").hidden = false;
      this.#waves.run();
    } else if (!$("stage").hidden) {
      this.#hiding = setTimeout(() => this.#hide(), LINGERS_MS);
    }
  }

  #hide() {
    $("stage").hidden = true;
    this.#waves.rest();
  }
}
