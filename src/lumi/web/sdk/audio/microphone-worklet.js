/**
 * Cuts what the microphone hears into frames on the audio thread.
 *
 * Options: `{ rateHz, frameMs }`. In: `{ drain: true }`: hand over the frame that is begun, padded with silence;
 * `{ end: true }`. Out: `{ frame }` (Float32Array), `{ level, wave }` some 20 times a second, `{ drained: true }`.
 */

import { Meter } from "./meter.js";
import { Resampler } from "./resampler.js";

const REPORT_S = 0.05;

class Microphone extends AudioWorkletProcessor {
  #meter = new Meter();
  #resampler;
  #frame;
  #filled = 0;
  #wanted = true;

  constructor({ processorOptions: { rateHz, frameMs } }) {
    super();
    this.#resampler = rateHz === sampleRate ? null : new Resampler(sampleRate, rateHz);
    this.#frame = new Float32Array((rateHz * frameMs) / 1000);
    this.port.onmessage = ({ data }) => (data.end ? (this.#wanted = false) : this.#drain());
  }

  process([[input]]) {
    if (!input) return this.#wanted; // the stream has not begun, or has ended
    this.#meter.add(input);
    if (this.#meter.count >= REPORT_S * sampleRate) this.port.postMessage(this.#meter.take());
    this.#collect(this.#resampler ? this.#resampler.process(input) : input);
    return this.#wanted;
  }

  #collect(samples) {
    let used = 0;
    while (used < samples.length) {
      const piece = samples.subarray(used, used + this.#frame.length - this.#filled);
      this.#frame.set(piece, this.#filled);
      used += piece.length;
      this.#filled += piece.length;
      if (this.#filled === this.#frame.length) this.#hand();
    }
  }

  #hand() {
    const frame = this.#frame;
    this.#frame = new Float32Array(frame.length);
    this.#filled = 0;
    this.port.postMessage({ frame }, [frame.buffer]);
  }

  #drain() {
    if (this.#filled > 0) this.#hand();
    this.port.postMessage({ drained: true });
  }
}

registerProcessor("lumi-microphone", Microphone);
