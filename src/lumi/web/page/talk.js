// The spoken side: loads the voice beside the page, and carries its events to microphone, stage and conversation.

import { $ } from "./dom.js";
import { Microphone } from "./microphone.js";
import { NoMicrophone } from "./no_microphone.js";

const VOICE = "/sdk/audio/voice.js";

export class Talk {
  #voice = null;
  #unlocked = false;
  #loading = import(VOICE).catch(() => null); // without it, typing works all the same

  constructor({ settings, stage, conversation }) {
    this.settings = settings;
    this.stage = stage;
    this.conversation = conversation;
    this.hints = new NoMicrophone();
    this.microphone = new Microphone({ why: () => this.hints.explain() });
    $("stop").addEventListener("click", () => this.stop());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) this.stop();
    });
    document.addEventListener("click", () => this.unlock());
  }

  // What this browser can send and play: a promise for the hello.
  async audioParams() {
    return (await this.#loading)?.Voice.audioParams();
  }

  async begin(client) {
    const { Voice } = (await this.#loading) ?? {};
    if (!Voice) {
      this.hints.show("unsupported");
      this.microphone.use(null);
      return;
    }
    const voice = this.#voice = new Voice(client);
    for (const [name, act] of Object.entries(this.#events)) voice.addEventListener(name, ({ detail }) => act(detail));
    this.settings.follow("volume", (volume) => { voice.volume = volume; });
    const reason = await Voice.availability();
    this.hints.show(reason);
    this.microphone.use(reason === null || reason === "denied" || reason === "no-device" || reason === "busy" ? voice : null);
  }

  // To be called in a click, or the browser makes no sound.
  unlock() {
    if (this.#unlocked || !this.#voice) return;
    const unlocked = () => {
      this.#unlocked = true;
      this.hints.unlocked();
    };
    this.#voice.unlock().then(unlocked, () => {}); // no line to load the sound's own part: the next click tries again
  }

  stop() {
    this.#voice?.stop();
  }

  #events = {
    level: (detail) => this.stage.level(detail),
    listening: ({ mode }) => {
      this.stage.listening(mode);
      this.microphone.listening(mode);
      if (mode !== null) this.hints.show(null);
    },
    playing: ({ playing }) => {
      this.stage.playing(playing);
      if (!playing) this.conversation.saying(null);
    },
    subtitle: ({ text, turnId }) => {
      this.stage.subtitle(text);
      this.conversation.saying(text, turnId);
    },
    unavailable: ({ reason }) => this.hints.show(reason),
  };
}
