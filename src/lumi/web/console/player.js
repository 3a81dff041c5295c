// Plays both sides of a recording on one timeline, and says where it is.

import { ogg } from "./ogg.js";
import { stretches } from "./recording.js";

const AHEAD_S = 0.05;

export class Player {
  // `moved(ms, playing)` is called while it plays, and whenever it is put somewhere.
  constructor(entries, moved) {
    this.stretches = stretches(entries);
    this.length = Math.max(0, ...this.stretches.map((one) => one.start + one.ms));
    this.at = 0;
    this.playing = false;
    this.moved = moved;
    this.sources = [];
    this.context = null;
  }

  // Decodes all of it; a stretch that cannot be decoded stays silent and is counted. Throws where none can.
  async decode() {
    const offline = new OfflineAudioContext(1, 1, 48_000);
    let failed = 0;
    for (const stretch of this.stretches) {
      try {
        stretch.sound = await decoded(offline, stretch);
      } catch {
        failed += 1;
      }
    }
    if (failed && failed === this.stretches.length) throw new Error("cannot be decoded");
    return failed;
  }

  play() {
    if (this.playing || !this.length) return;
    if (this.at >= this.length) this.at = 0;
    this.context ??= new AudioContext();
    this.context.resume();
    this.from = this.at;
    this.began = this.context.currentTime + AHEAD_S;
    for (const stretch of this.stretches) {
      const late = (this.at - stretch.start) / 1000;
      if (!stretch.sound || late >= stretch.sound.duration) continue;
      const source = new AudioBufferSourceNode(this.context, { buffer: stretch.sound });
      source.connect(new StereoPannerNode(this.context, { pan: stretch.side === "client" ? -0.35 : 0.35 })).connect(this.context.destination);
      source.start(this.began + Math.max(0, -late), Math.max(0, late));
      this.sources.push(source);
    }
    this.playing = true;
    this.follow();
  }

  follow() {
    if (!this.playing) return;
    this.at = Math.min(this.length, this.from + 1000 * Math.max(0, this.context.currentTime - this.began));
    if (this.at >= this.length) return this.pause();
    this.moved(this.at, true);
    this.timer = setTimeout(() => this.follow(), 60);
  }

  pause() {
    clearTimeout(this.timer);
    for (const source of this.sources) source.stop();
    this.sources = [];
    this.playing = false;
    this.moved(this.at, false);
  }

  seek(ms) {
    const playing = this.playing;
    if (playing) this.pause();
    this.at = Math.min(Math.max(0, ms), this.length);
    if (playing) this.play();
    this.moved(this.at, playing);
  }

  close() {
    if (this.playing) this.pause();
    this.context?.close();
    this.context = null;
  }
}

async function decoded(context, { form, packets }) {
  if (form.codec === "opus") return context.decodeAudioData(ogg(packets, form.frame_ms, form.sample_rate_hz).buffer);
  const size = packets.reduce((total, packet) => total + packet.length, 0) >> 1;
  const sound = new AudioBuffer({ length: Math.max(1, size), numberOfChannels: 1, sampleRate: form.sample_rate_hz });
  const samples = sound.getChannelData(0);
  let at = 0;
  for (const packet of packets) {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    for (let index = 0; index + 1 < packet.length; index += 2) samples[at++] = view.getInt16(index, true) / 32768;
  }
  return sound;
}
