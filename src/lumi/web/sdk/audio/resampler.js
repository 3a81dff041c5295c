/** From one sampling rate to another, piece by piece: a windowed sinc, one set of taps for each phase. Pure. */

/** Zero crossings of the sinc on either side. */
const CROSSINGS = 16;
/** Of the lower rate's band; the rest is the filter's slope. */
const PASSED = 0.92;

export class Resampler {
  #phases;
  #half;
  #up;
  #down;
  #kept;
  #position = 0;

  constructor(fromHz, toHz) {
    const common = gcd(fromHz, toHz);
    this.#up = toHz / common;
    this.#down = fromHz / common;
    const cutoff = Math.min(1, toHz / fromHz) * PASSED;
    this.#half = Math.ceil(CROSSINGS / cutoff);
    this.#phases = Array.from({ length: this.#up }, (_, phase) => taps(phase / this.#up, this.#half, cutoff));
    this.reset();
  }

  /** What comes next has nothing to do with what came before. */
  reset() {
    this.#kept = new Float32Array(this.#half - 1);
    this.#position = 0;
  }

  /** @param {Float32Array} input @returns {Float32Array} what can be told by now: it lags by half the filter. */
  process(input) {
    const all = new Float32Array(this.#kept.length + input.length);
    all.set(this.#kept);
    all.set(input, this.#kept.length);
    const last = all.length - 2 * this.#half;
    const count = last < 0 ? 0 : Math.max(0, Math.floor((last * this.#up + this.#up - 1 - this.#position) / this.#down) + 1);
    const output = new Float32Array(count);
    for (let n = 0; n < count; n += 1) {
      output[n] = dot(all, Math.floor(this.#position / this.#up), this.#phases[this.#position % this.#up]);
      this.#position += this.#down;
    }
    const used = Math.min(Math.floor(this.#position / this.#up), all.length);
    this.#position -= used * this.#up;
    this.#kept = all.slice(used);
    return output;
  }
}

function dot(samples, start, weights) {
  let sum = 0;
  for (let k = 0; k < weights.length; k += 1) sum += samples[start + k] * weights[k];
  return sum;
}

/** Weights of the samples around a moment `offset` after one of them. */
function taps(offset, half, cutoff) {
  const weights = Float32Array.from({ length: 2 * half }, (_, k) => {
    const x = k - half + 1 - offset;
    const window = Math.cos((Math.PI * x) / (2 * (half + 1))) ** 2;
    const t = Math.PI * x * cutoff;
    return window * (t === 0 ? 1 : Math.sin(t) / t);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function gcd(one, other) {
  return other === 0 ? one : gcd(other, one % other);
}
