/**
 * Smooths what arrives in fits into what a loudspeaker takes at an even pace. Pure: the caller's clock is the pace.
 *
 *     filling ──enough waits, or the speech is complete──▶ playing ──ran dry──▶ filling
 *
 * After the line stood still what was late comes all at once. Nothing of it is lost while it plays within `maxMs`; the
 * delay that this costs is won back by shortening pauses.
 */

export const START_MS = 120;
export const MAX_MS = 2500;
/** No sample of a pause is louder (-44 dB). */
const SILENT_PEAK = 200 / 32768;
const FADE_SAMPLES = 128;

export class JitterBuffer {
  #rate;
  #chunks = [];
  #offset = 0;
  #waiting = 0;
  #filling = true;
  #complete = false;
  #pausing = false;
  #dry = false;
  #fade = null;

  /** Whose speech it is; null: nobody's, and nothing is taken. */
  turn = null;
  /** Samples of the turn that are behind us: played, or left out to catch up. */
  passed = 0;
  /** Samples really played, of all turns. */
  played = 0;
  stats = { underruns: 0, dropped: 0, skipped: 0, stale: 0 };

  constructor(rateHz, { startMs = START_MS, maxMs = MAX_MS } = {}) {
    this.#rate = rateHz;
    this.start = (startMs * rateHz) / 1000;
    this.max = (maxMs * rateHz) / 1000;
  }

  get waitingMs() {
    return (this.#waiting * 1000) / this.#rate;
  }

  get passedMs() {
    return (this.passed * 1000) / this.#rate;
  }

  /** Nothing is left of the turn, and nothing more will come. */
  get over() {
    return this.turn !== null && this.#complete && this.#waiting === 0;
  }

  begin(turn) {
    this.flush();
    this.#fade = null;
    this.turn = turn;
    this.passed = 0;
  }

  push(turn, samples) {
    if (turn !== this.turn || samples.length === 0) {
      this.stats.stale += samples.length > 0;
      return;
    }
    this.stats.underruns += this.#dry;
    this.#dry = false;
    this.#chunks.push(samples);
    this.#waiting += samples.length;
    while (this.#waiting > this.max && this.#chunks.length > 1) {
      this.stats.dropped += 1;
      this.#leaveOut();
    }
  }

  /** No more of this turn will come. */
  complete(turn) {
    if (turn === this.turn) this.#complete = true;
  }

  /** Fall silent now, but for a few samples that keep it from clicking. */
  flush() {
    if (!this.#filling && this.#waiting > 0) this.#fade = this.#faded();
    this.#chunks = [];
    this.#offset = this.#waiting = 0;
    this.#filling = true;
    this.#complete = this.#pausing = this.#dry = false;
    this.turn = null;
  }

  /** Fill `out`; how many of its samples are speech. */
  pull(out) {
    out.fill(0);
    this.#fadeOut(out);
    if (this.#filling && !this.#enough()) return 0;
    this.#filling = false;
    this.#catchUp();
    let written = 0;
    while (written < out.length && this.#chunks.length) {
      const chunk = this.#chunks[0];
      const piece = chunk.subarray(this.#offset, this.#offset + out.length - written);
      out.set(piece, written);
      written += piece.length;
      this.#take(piece.length);
    }
    this.played += written;
    if (written < out.length && !this.#complete) {
      this.#filling = this.#dry = true; // an underrun, if more comes
    }
    return written;
  }

  #enough() {
    return this.#waiting > 0 && (this.#complete || this.#waiting >= this.start);
  }

  #take(count) {
    this.#offset += count;
    this.#waiting -= count;
    this.passed += count;
    if (this.#offset < this.#chunks[0].length) return;
    this.#pausing = isSilent(this.#chunks.shift());
    this.#offset = 0;
  }

  /** While more waits than need be, a pause is shortened to one piece. */
  #catchUp() {
    while (this.#waiting > this.start && this.#offset === 0 && this.#pausing && isSilent(this.#chunks[0])) {
      this.stats.skipped += 1;
      this.#leaveOut();
    }
  }

  #leaveOut() {
    const left = this.#chunks.shift().length - this.#offset;
    this.#offset = 0;
    this.#waiting -= left;
    this.passed += left;
  }

  #faded() {
    const rest = this.#chunks[0].subarray(this.#offset, this.#offset + FADE_SAMPLES);
    return rest.map((sample, n) => sample * (1 - (n + 1) / rest.length));
  }

  #fadeOut(out) {
    if (this.#fade) out.set(this.#fade.subarray(0, out.length));
    this.#fade = null;
  }
}

function isSilent(samples) {
  return samples.every((sample) => Math.abs(sample) <= SILENT_PEAK);
}
