/**
 * Plays on the audio thread, and tells what was really played.
 *
 * In: `{ begin: turn }`, `{ turn, samples, rateHz }`, `{ complete: turn }`, `{ flush: true }`, `{ end: true }`. Out, some 20
 * times a second while there is something to tell: `{ turn, passedMs, waitingMs, played, squares, level, wave, over, stats }`.
 */

import { JitterBuffer } from "./jitter.js";
import { Meter } from "./meter.js";
import { Resampler } from "./resampler.js";

const REPORT_S = 0.05;

class Player extends AudioWorkletProcessor {
  #buffer = new JitterBuffer(sampleRate);
  #meter = new Meter();
  #resampler = null;
  #rateHz = 0;
  #quiet = true;
  #wanted = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#do(data);
  }

  process(_inputs, [[out]]) {
    const written = this.#buffer.pull(out);
    this.#meter.add(out);
    const first = written > 0 && this.#quiet;
    this.#quiet = written === 0;
    if (this.#buffer.over) this.#end();
    else if (first || (this.#buffer.turn !== null && this.#meter.count >= REPORT_S * sampleRate)) this.#report(false);
    return this.#wanted;
  }

  #do({ begin, turn, samples, rateHz, complete, flush, end }) {
    if (samples) this.#buffer.push(turn, this.#resampled(samples, rateHz));
    else if (begin) this.#begin(begin);
    else if (complete) this.#buffer.complete(complete);
    else if (flush) {
      this.#buffer.flush();
      this.#report(false);
    } else if (end) this.#wanted = false;
  }

  #begin(turn) {
    this.#resampler?.reset();
    this.#buffer.begin(turn);
    this.#quiet = true;
  }

  #resampled(samples, rateHz) {
    if (rateHz === sampleRate) return samples;
    if (rateHz !== this.#rateHz) this.#resampler = new Resampler(rateHz, sampleRate);
    this.#rateHz = rateHz;
    return this.#resampler.process(samples);
  }

  #end() {
    this.#report(true);
    this.#buffer.turn = null;
  }

  #report(over) {
    const { turn, passedMs, waitingMs, played, stats } = this.#buffer;
    this.port.postMessage({ turn, passedMs, waitingMs, played, over, stats, ...this.#meter.take() });
  }
}

registerProcessor("lumi-player", Player);
