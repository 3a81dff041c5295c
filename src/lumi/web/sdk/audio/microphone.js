/** The microphone, with echo cancellation, as frames of sound. */

/** No microphone, and why: `insecure`, `denied`, `no-device`, `busy`, `unsupported`. */
export class Unavailable extends Error {
  name = "Unavailable";

  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

const REASONS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no-device",
  OverconstrainedError: "no-device",
  NotReadableError: "busy",
  AbortError: "busy",
};
const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const PATIENCE_MS = 300;

/** Why there can be no microphone here, or null: known without asking anybody. */
export function obstacle() {
  if (!globalThis.isSecureContext)
    return new Unavailable("insecure", "browsers give a microphone only to https pages, and to pages of this machine");
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.AudioWorkletNode)
    return new Unavailable("unsupported", "this browser has no microphone for pages");
  return null;
}

export class Microphone {
  #on;
  #stream = null;
  #source = null;
  #node = null;
  #drained = () => {};

  /** @param {object} on `frame(Float32Array)`, `level({ level, wave })`, `lost()`: the device has gone. */
  constructor(on) {
    this.#on = on;
  }

  get isOpen() {
    return this.#node !== null;
  }

  /** Ask for the microphone and listen; an `Unavailable` where there is none. */
  async open(context, { sample_rate: rateHz, frame_duration: frameMs }) {
    if (this.#node) return;
    const why = obstacle();
    if (why) throw why;
    await context.audioWorklet.addModule(new URL("./microphone-worklet.js", import.meta.url));
    const stream = (this.#stream = await this.#ask());
    stream.getAudioTracks()[0].onended = () => this.#lost();
    this.#source = context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(context, "lumi-microphone", {
      outputChannelCount: [1],
      channelCount: 1,
      channelCountMode: "explicit",
      processorOptions: { rateHz, frameMs },
    });
    this.#node.port.onmessage = ({ data }) => this.#take(data);
    // Some browsers run only what leads to the loudspeaker; what it puts out is silence.
    this.#source.connect(this.#node).connect(context.destination);
  }

  /** Resolves when all that was heard so far has been handed over. */
  async drain() {
    if (!this.#node) return;
    await new Promise((resolve) => {
      this.#drained = resolve;
      this.#node.port.postMessage({ drain: true });
      setTimeout(resolve, PATIENCE_MS); // the audio thread may be suspended
    });
  }

  close() {
    this.#source?.disconnect();
    this.#node?.port.postMessage({ end: true });
    this.#node?.disconnect();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = this.#source = this.#node = null;
  }

  async #ask() {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: WANTED });
    } catch (error) {
      throw new Unavailable(REASONS[error.name] ?? "unsupported", error.message);
    }
  }

  #take({ frame, drained, level, wave }) {
    if (frame) this.#on.frame(frame);
    else if (drained) this.#drained();
    else this.#on.level({ level, wave });
  }

  #lost() {
    this.close();
    this.#on.lost();
  }
}
