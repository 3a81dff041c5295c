/** Packets into sound: Opus by WebCodecs, or PCM as it is. */

/**
 * @param {object} params the downlink's, as agreed.
 * @param {(samples: Float32Array, rateHz: number) => void} onSound in the order of the packets.
 * @returns a decoder with `decode(packet)`, `flush()` (all that was decoded has come out), `reset()` (nothing more of it
 *   comes out), `close()`.
 */
export function openDecoder(params, onSound) {
  return params.format === "pcm" ? new PcmDecoder(params, onSound) : new OpusDecoder(params, onSound);
}

class PcmDecoder {
  #rate;
  #onSound;

  constructor(params, onSound) {
    this.#rate = params.sample_rate;
    this.#onSound = onSound;
  }

  decode(packet) {
    const bytes = new DataView(packet.buffer, packet.byteOffset, packet.byteLength & ~1);
    const samples = Float32Array.from({ length: bytes.byteLength / 2 }, (_, n) => bytes.getInt16(2 * n, true) / 32768);
    this.#onSound(samples, this.#rate);
  }

  async flush() {}

  reset() {}

  close() {}
}

class OpusDecoder {
  #params;
  #onSound;
  #decoder = null;
  #time = 0;

  constructor(params, onSound) {
    this.#params = params;
    this.#onSound = onSound;
  }

  decode(packet) {
    if (this.#decoder?.state !== "configured") this.#open();
    const chunk = new EncodedAudioChunk({ type: "key", timestamp: this.#time, data: packet });
    this.#time += this.#params.frame_duration * 1000;
    this.#decoder.decode(chunk);
  }

  async flush() {
    if (this.#decoder?.state === "configured") await this.#decoder.flush().catch(() => {}); // reset meanwhile
  }

  reset() {
    this.close();
    this.#time = 0;
  }

  close() {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
  }

  /** A new one after an error: one broken packet costs itself only. */
  #open() {
    this.#decoder = new AudioDecoder({
      output: (sound) => this.#sound(sound),
      error: (error) => console.warn("lumi: a packet of sound could not be decoded", error),
    });
    const { sample_rate: sampleRate, channels: numberOfChannels } = this.#params;
    this.#decoder.configure({ codec: "opus", sampleRate, numberOfChannels });
  }

  #sound(sound) {
    const samples = new Float32Array(sound.numberOfFrames);
    sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    this.#onSound(samples, sound.sampleRate);
    sound.close();
  }
}
