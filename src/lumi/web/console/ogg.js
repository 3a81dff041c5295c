// Opus packets in an Ogg file (RFC 3533, RFC 7845), so that any browser decodes them.

const RATE_HZ = 48_000;  // Ogg Opus counts in this rate whatever was coded
const SERIAL = 0x4c756d69;
const [FIRST, LAST] = [2, 4];

const CRC = new Uint32Array(256).map((_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

export function ogg(packets, frameMs, inputRateHz) {
  const pages = [page([head(inputRateHz)], 0n, 0, FIRST), page([tags()], 0n, 1, 0)];
  const samples = BigInt((RATE_HZ * frameMs) / 1000);
  packets.forEach((packet, index) => {
    pages.push(page([packet], samples * BigInt(index + 1), index + 2, index === packets.length - 1 ? LAST : 0));
  });
  return joined(pages);
}

function head(inputRateHz) {
  const found = new Uint8Array(19);
  const view = new DataView(found.buffer);
  found.set(new TextEncoder().encode("OpusHead"));
  view.setUint8(8, 1);
  view.setUint8(9, 1);
  view.setUint16(10, 0, true);  // nothing is skipped: the stretch begins where its first packet does
  view.setUint32(12, inputRateHz, true);
  return found;
}

function tags() {
  const vendor = new TextEncoder().encode("lumi");
  const found = new Uint8Array(8 + 4 + vendor.length + 4);
  found.set(new TextEncoder().encode("OpusTags"));
  new DataView(found.buffer).setUint32(8, vendor.length, true);
  found.set(vendor, 12);
  return found;
}

function page(packets, granule, number, flags) {
  const lacing = packets.flatMap((packet) => [...Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255]);
  const found = joined([new Uint8Array(27), new Uint8Array(lacing), ...packets]);
  const view = new DataView(found.buffer);
  found.set(new TextEncoder().encode("OggS"));
  view.setUint8(5, flags);
  view.setBigUint64(6, granule, true);
  view.setUint32(14, SERIAL, true);
  view.setUint32(18, number, true);
  view.setUint8(26, lacing.length);
  view.setUint32(22, checksum(found), true);
  return found;
}

function checksum(data) {
  let value = 0;
  for (const one of data) value = ((value << 8) ^ CRC[((value >>> 24) ^ one) & 0xff]) >>> 0;
  return value;
}

function joined(parts) {
  const found = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    found.set(part, at);
    at += part.length;
  }
  return found;
}
