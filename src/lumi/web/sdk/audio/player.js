/** What the server says, played in order: one turn at a time, and silent at once when it is cut off. */

import { openDecoder } from "./decoder.js";

const REPORT_MS = 250;

export class Player {
  #on;
  #node = null;
  #opening = null;
  #backlog = [];
  #context = null;
  #gain = null;
  #decoder = null;
  #params = null;
  #turn = null;
  #speaking = false;
  #begun = false;
  #sentenceEnded = false;
  #sentences = [];
  #receivedMs = 0;
  #heardMs = 0;
  #toldMs = 0;
  #toldAt = 0;
  #generation = 0;
  #volume = 1;
  /** What the audio thread said last. */
  report = null;

  /**
   * @param {object} on `playing(playing, turnId)`, `subtitle(text, turnId)`, `level({ level, wave })`,
   *   `played({ turnId, ms, final })`, `over()`: a turn was played to its end, or cut.
   */
  constructor(on) {
    this.#on = on;
  }

  /** Whether a turn is being spoken, or will be in a moment. */
  get active() {
    return this.#turn !== null;
  }

  set volume(volume) {
    this.#volume = volume;
    if (this.#gain) this.#gain.gain.value = volume;
  }

  get volume() {
    return this.#volume;
  }

  open(context) {
    this.#opening ??= this.#connect(context);
    return this.#opening;
  }

  /** A line was greeted: from here on the server sends this format. */
  greeted(params) {
    this.cut();
    this.#decoder?.close();
    this.#params = params;
    this.#decoder = openDecoder(params, (samples, rateHz) => this.#sound(samples, rateHz));
  }

  tts({ state, text, turn_id: turnId }) {
    if (state === "start") this.#start(turnId ?? "");
    if (this.#turn === null) return;
    if (state === "sentence_start") this.#sentences.push({ text, atMs: this.#receivedMs });
    if (state === "stop") this.#stop();
    this.#sentenceEnded = state === "sentence_end";
  }

  audio(packet) {
    if (!this.#speaking || packet.length === 0) return;
    this.#receivedMs += this.#params.frame_duration;
    this.#decoder.decode(packet);
  }

  /** Fall silent now. */
  cut() {
    if (this.#turn === null) return;
    this.#post({ flush: true });
    this.#end(this.#heardMs);
  }

  async close() {
    this.cut();
    this.#decoder?.close();
    this.#node?.port.postMessage({ end: true });
    this.#node?.disconnect();
    this.#node = this.#opening = null;
  }

  async #connect(context) {
    await context.audioWorklet.addModule(new URL("./player-worklet.js", import.meta.url));
    this.#context = context;
    this.#node = new AudioWorkletNode(context, "lumi-player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => this.#reported(data);
    this.#gain = new GainNode(context, { gain: this.#volume });
    this.#node.connect(this.#gain).connect(context.destination);
    for (const [command, transfer] of this.#backlog.splice(0)) this.#node.port.postMessage(command, transfer);
  }

  /** The first words may come while the audio thread is still being set up. */
  #post(command, transfer = []) {
    if (this.#node) this.#node.port.postMessage(command, transfer);
    else if (this.#opening) this.#backlog.push([command, transfer]);
  }

  #start(turnId) {
    this.cut();
    this.#decoder.reset();
    this.#generation += 1;
    this.#turn = { id: turnId, key: `${this.#generation} ${turnId}` };
    this.#speaking = true;
    this.#begun = this.#sentenceEnded = false;
    this.#sentences = [];
    this.#receivedMs = this.#heardMs = this.#toldMs = this.#toldAt = 0;
    this.#post({ begin: this.#turn.key });
  }

  /**
   * Said to its end (all of the last sentence is here), what still waits is played; a turn that was cut off, in the
   * middle of a sentence, is silent at once.
   */
  #stop() {
    this.#speaking = false;
    if (!this.#sentenceEnded || this.#receivedMs === 0) return this.cut();
    const { key } = this.#turn;
    this.#decoder.flush().then(() => this.#post({ complete: key }));
  }

  #sound(samples, rateHz) {
    if (this.#turn) this.#post({ turn: this.#turn.key, samples, rateHz }, [samples.buffer]);
  }

  #reported(report) {
    this.report = report;
    if (report.turn === null || report.turn !== this.#turn?.key) return;
    const delayMs = ((this.#context.outputLatency || 0) + (this.#context.baseLatency || 0)) * 1000;
    this.#heardMs = report.over ? report.passedMs : Math.max(this.#heardMs, report.passedMs - delayMs);
    if (report.passedMs > 0 && !this.#begun) {
      this.#begun = true;
      this.#on.playing(true, this.#turn.id);
    }
    this.#subtitles();
    if (this.#begun) this.#on.level({ level: report.level, wave: report.wave });
    if (report.over) this.#end(report.passedMs);
    else this.#tell();
  }

  #subtitles() {
    while (this.#begun && this.#sentences.length && this.#sentences[0].atMs <= this.#heardMs)
      this.#on.subtitle(this.#sentences.shift().text, this.#turn.id);
  }

  #tell() {
    const now = performance.now();
    if (this.#heardMs <= this.#toldMs || now - this.#toldAt < REPORT_MS) return;
    this.#toldMs = this.#heardMs;
    this.#toldAt = now;
    this.#say(this.#heardMs, false);
  }

  #end(ms) {
    const { id } = this.#turn;
    const begun = this.#begun;
    this.#say(Math.max(ms, this.#toldMs), true);
    this.#turn = null;
    this.#speaking = this.#begun = false;
    this.#decoder?.reset();
    if (begun) this.#on.playing(false, id);
    this.#on.over();
  }

  /** A turn without an id is not reported: the server would not know it. */
  #say(ms, final) {
    if (this.#turn.id) this.#on.played({ turnId: this.#turn.id, ms: Math.round(ms * 10) / 10, final });
  }
}
