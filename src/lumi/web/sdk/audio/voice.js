/** Microphone and loudspeaker of one client: hold to talk, hands-free, and what is said back. */

import { bestAudioParams, openEncoder } from "./encoder.js";
import { Microphone, Unavailable, obstacle } from "./microphone.js";
import { Player } from "./player.js";

/** The end of the last word is still on its way when a finger lets go. */
const TAIL_MS = 120;
/** After a button was let go the microphone is given back so much later: until then the next word is heard at once. */
const LINGER_MS = 20000;
/** The longest note: what a server takes as one utterance. */
const MAX_NOTE_MS = 60000;
const GESTURES = ["pointerdown", "pointerup", "keydown"];
/** Sound that does not begin by then needs a click first. */
const SILENT_MS = 1500;

export class Voice extends EventTarget {
  #client;
  #context = null;
  #microphone;
  #player;
  #encoder = null;
  #listening = null;
  #wanted = null;
  #sending = false;
  /** What is said while a button is held, and whether all of it reaches the server as it is said. */
  #held = { packets: [], live: false };
  #steps = Promise.resolve();
  #linger = null;
  #listeners = new AbortController();

  /** @param {import("../client.js").LumiClient} client connected, or to be. */
  constructor(client) {
    super();
    this.#client = client;
    this.#microphone = new Microphone({
      frame: (frame) => this.#sending && this.#encoder?.encode(frame),
      level: (detail) => this.#sending && this.#tell("level", { side: "input", ...detail }),
      lost: () => this.#gone(new Unavailable("no-device", "the microphone has gone")),
    });
    this.#player = new Player({
      playing: (playing, turnId) => this.#tell("playing", { playing, turnId }),
      subtitle: (text, turnId) => this.#tell("subtitle", { text, turnId }),
      level: (detail) => this.#tell("level", { side: "output", ...detail }),
      played: (report) => client.played(report),
      over: () => this.#answerOver(),
    });
    if (client.agreement) this.#player.greeted(client.agreement.downlink);
    this.#follow();
  }

  /** What this browser can send: hand it to `LumiClient` as `audioParams`. */
  static audioParams() {
    return bestAudioParams();
  }

  /** Promise of why there will be no microphone, or null. Asks nobody for permission. */
  static async availability() {
    const why = obstacle();
    if (why) return why.reason;
    try {
      const { state } = await navigator.permissions.query({ name: "microphone" });
      if (state === "denied") return "denied";
    } catch {
      // a browser that does not tell
    }
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.some(({ kind }) => kind === "audioinput") ? null : "no-device";
  }

  holdToTalk = Object.freeze({
    down: () => this.#listen("manual"),
    up: () => (this.#wanted === "manual" ? this.#listen(null) : this.#steps),
  });

  /** @param {"auto"|"realtime"|boolean} mode `true`: realtime. */
  handsFree(mode) {
    return this.#listen(mode === true ? "realtime" : mode || null);
  }

  /** What the microphone is open for: null, `manual`, `auto` or `realtime`. */
  get listening() {
    return this.#listening;
  }

  /** Whether something is being played, or will be in a moment. */
  get speaking() {
    return this.#player.active;
  }

  get volume() {
    return this.#player.volume;
  }

  set volume(volume) {
    this.#player.volume = volume;
  }

  /** What the audio thread told last of what it plays: `{ passedMs, waitingMs, played, squares, stats, … }`. */
  get report() {
    return this.#player.report;
  }

  /** Silence now: the answer ends, here and at the server. */
  stop() {
    this.#player.cut();
    this.#client.abort("user_interrupt");
  }

  /** To be called in a click: lets the browser make a sound. */
  async unlock() {
    await this.#player.open(this.#open());
  }

  async close() {
    this.#listeners.abort();
    await this.#listen(null);
    clearTimeout(this.#linger);
    this.#microphone.close();
    await this.#player.close();
    await this.#context?.close();
    this.#context = null;
  }

  // ── listening ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** One step after the other: a button may be let go before the microphone is there. */
  #listen(mode) {
    this.#wanted = mode;
    if (mode === "manual") this.#player.cut();
    this.#steps = this.#steps.then(() => this.#change(mode)).catch((error) => this.#gone(error));
    return this.#steps;
  }

  async #change(mode) {
    if (mode === this.#listening) return;
    if (this.#listening !== null) await this.#leave();
    if (mode === null) return;
    clearTimeout(this.#linger);
    // The speech before it ends now, not when the microphone is there.
    this.#begin(mode);
    this.#listening = mode;
    await this.#hear();
    this.#tell("listening", { mode });
  }

  async #hear() {
    const context = this.#open();
    const params = this.#client.agreement?.uplink ?? (await bestAudioParams());
    await Promise.all([this.#microphone.open(context, params), this.#player.open(context)]);
    this.#encoder ??= openEncoder(params, (packet) => this.#packet(packet, params.frame_duration));
  }

  #packet(packet, frameMs) {
    if (this.#listening === "manual" && this.#held.packets.length < MAX_NOTE_MS / frameMs) this.#held.packets.push(packet);
    if (this.#listening !== "manual" || this.#held.live) this.#client.sendAudio(packet);
  }

  async #leave() {
    const mode = this.#listening;
    if (mode === "manual" && this.#sending) await new Promise((resolve) => setTimeout(resolve, TAIL_MS));
    if (this.#sending) await this.#microphone.drain();
    this.#sending = false;
    await this.#encoder?.flush();
    if (mode === "manual" && !this.#held.live) this.#keepNote();
    else this.#client.listen.stop();
    this.#listening = null;
    this.#linger = setTimeout(() => this.#microphone.close(), mode === "manual" ? LINGER_MS : 0);
    this.#tell("listening", { mode: null });
  }

  #begin(mode) {
    const live = this.#client.listen.start({ mode });
    if (mode === "manual") this.#held = { packets: [], live };
    this.#sending = true;
  }

  /** The line was down while a button was held: what was said goes out whole when there is one. */
  #keepNote() {
    const { packets } = this.#held;
    if (packets.length) this.#client.note(packets).catch(() => {}); // told by the client's event `refused`
  }

  /** In auto the server listens once more when its answer has been heard. */
  #answerOver() {
    if (this.#listening === "auto") this.#begin("auto");
  }

  #gone(error) {
    this.#sending = false;
    this.#encoder?.close();
    this.#encoder = null;
    if (this.#listening !== null) {
      this.#client.listen.stop();
      this.#listening = this.#wanted = null;
      this.#tell("listening", { mode: null });
    }
    const reason = error instanceof Unavailable ? error.reason : "unsupported";
    this.#tell("unavailable", { reason, message: error.message });
  }

  // ── what the client tells ────────────────────────────────────────────────────────────────────────────────────────

  #follow() {
    const { signal } = this.#listeners;
    const on = (name, take) => this.#client.addEventListener(name, ({ detail }) => take(detail), { signal });
    on("hello", () => this.#greeted());
    on("state", ({ previous }) => previous === "ready" && this.#lineLost());
    on("tts", (message) => this.#spoken(message));
    on("audio", ({ packet }) => this.#player.audio(packet));
  }

  #greeted() {
    this.#player.greeted(this.#client.agreement.downlink);
    // What is said into a button that was held when the line broke goes out whole, later.
    if (this.#listening === "auto" || this.#listening === "realtime") this.#begin(this.#listening);
  }

  #lineLost() {
    this.#held.live = false;
    this.#player.cut();
  }

  #spoken(message) {
    if (message.state === "start") {
      // In auto the server has heard enough: what comes now it would drop.
      if (this.#listening === "auto") this.#sending = false;
      this.#makeSound();
    }
    this.#player.tts(message);
  }

  #makeSound() {
    const why = obstacle();
    if (why?.reason === "insecure") { // no sound's own thread either, and no click would help
      this.#tell("unavailable", { reason: why.reason, message: why.message });
      return;
    }
    const context = this.#open();
    this.#player.open(context).catch((error) => this.#tell("unavailable", { reason: "unsupported", message: error.message }));
    setTimeout(() => {
      if (context.state === "running" || context.state === "closed") return;
      const message = "the browser wants a click before a page makes a sound";
      this.#tell("unavailable", { reason: "silent", message });
    }, SILENT_MS);
  }

  #open() {
    this.#context ??= this.#newContext();
    if (this.#context.state === "suspended") this.#context.resume();
    return this.#context;
  }

  /** Browsers let a page make a sound, and hear one, from a gesture on; a finger's begins to count when it lifts. */
  #newContext() {
    const context = new AudioContext({ latencyHint: "interactive" });
    const { signal } = this.#listeners;
    const resume = () => context.state === "suspended" && context.resume();
    for (const gesture of GESTURES) addEventListener(gesture, resume, { signal, capture: true });
    return context;
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
