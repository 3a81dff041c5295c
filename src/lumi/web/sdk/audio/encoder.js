/** Sound into packets: Opus by WebCodecs where the browser has it, else PCM. */

import { AUDIO_PARAMS } from "../greeting.js";

const BITRATE = 24000;

const opusConfig = ({ sample_rate, channels, frame_duration }) => ({
  codec: "opus",
  sampleRate: sample_rate,
  numberOfChannels: channels,
  bitrate: BITRATE,
  opus: { application: "voip", signal: "voice", frameDuration: frame_duration * 1000, complexity: 5 },
});

/** What this browser can send and play: the founding document's Opus, or the same as PCM. */
export async function bestAudioParams() {
  return (await codesOpus()) ? AUDIO_PARAMS : { ...AUDIO_PARAMS, format: "pcm" };
}

async function codesOpus() {
  if (!globalThis.AudioEncoder || !globalThis.AudioDecoder) return false;
  const decoded = { codec: "opus", sampleRate: AUDIO_PARAMS.sample_rate, numberOfChannels: 1 };
  try {
    const [out, back] = await Promise.all([
      AudioEncoder.isConfigSupported(opusConfig(AUDIO_PARAMS)),
      AudioDecoder.isConfigSupported(decoded),
    ]);
    return out.supported && back.supported;
  } catch {
    return false;
  }
}

/** @returns an encoder with `encode(frame)`, `flush()` (all that was encoded has come out), `close()`. */
export function openEncoder(params, onPacket) {
  return params.format === "pcm" ? new PcmEncoder(onPacket) : new OpusEncoder(params, onPacket);
}

class PcmEncoder {
  #onPacket;

  constructor(onPacket) {
    this.#onPacket = onPacket;
  }

  encode(frame) {
    const packet = new DataView(new ArrayBuffer(frame.length * 2));
    frame.forEach((sample, n) => packet.setInt16(2 * n, Math.round(Math.min(1, Math.max(-1, sample)) * 32767), true));
    this.#onPacket(new Uint8Array(packet.buffer));
  }

  async flush() {}

  close() {}
}

class OpusEncoder {
  #params;
  #onPacket;
  #encoder = null;
  #time = 0;

  constructor(params, onPacket) {
    this.#params = params;
    this.#onPacket = onPacket;
    this.#open();
  }

  encode(frame) {
    if (this.#encoder.state !== "configured") this.#open();
    const sound = new AudioData({
      format: "f32-planar",
      sampleRate: this.#params.sample_rate,
      numberOfFrames: frame.length,
      numberOfChannels: 1,
      timestamp: this.#time,
      data: frame,
    });
    this.#time += Math.round((frame.length * 1e6) / this.#params.sample_rate);
    this.#encoder.encode(sound);
    sound.close();
  }

  async flush() {
    if (this.#encoder.state === "configured") await this.#encoder.flush().catch(() => {}); // it failed: told already
  }

  close() {
    if (this.#encoder.state !== "closed") this.#encoder.close();
  }
  /** A new one after an error: it costs what was on its way, not the rest of the conversation. */
  #open() {
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        this.#onPacket(packet);
      },
      error: (error) => console.warn("lumi: the encoder failed", error),
    });
    this.#encoder.configure(opusConfig(this.#params));
  }
}
