/** How loud it is, and a line to draw. Pure. */

export const POINTS = 32;

/** Loudness 0 to 1, as one hears it: -60 dB of full scale and below is 0. */
export function loudness(sumOfSquares, count) {
  const db = 10 * Math.log10(sumOfSquares / Math.max(1, count) + 1e-12);
  return Math.min(1, Math.max(0, 1 + db / 60));
}

/** Collects samples; `take()` gives what came since the last time. */
export class Meter {
  #squares = 0;
  #count = 0;
  #recent = new Float32Array(1024);
  #at = 0;

  add(samples) {
    for (const sample of samples) {
      this.#squares += sample * sample;
      this.#recent[this.#at] = sample;
      this.#at = (this.#at + 1) % this.#recent.length;
    }
    this.#count += samples.length;
  }

  get count() {
    return this.#count;
  }

  take() {
    const level = loudness(this.#squares, this.#count);
    const step = this.#recent.length / POINTS;
    const wave = Float32Array.from({ length: POINTS }, (_, n) => this.#recent[(this.#at + n * step) % this.#recent.length]);
    const squares = this.#squares;
    this.#squares = this.#count = 0;
    return { level, wave, squares };
  }
}
