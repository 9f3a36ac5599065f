// PNG text chunks: write one iTXt into a picture, read it back, refuse what is no sound PNG.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const MAX_TEXT = 2 ** 20;
const MAX_CHUNKS = 10_000;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 of `bytes` as PNG uses it. */
export function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** `png` (Uint8Array) with an uncompressed iTXt chunk `keyword` after its header. */
export function withText(png, keyword, text) {
  const header = 8 + 25;
  const chunk = makeChunk("iTXt", concat([latin(keyword), Uint8Array.of(0, 0, 0, 0, 0), new TextEncoder().encode(text)]));
  return concat([png.subarray(0, header), chunk, png.subarray(header)]);
}

/** The text of the iTXt chunk `keyword`, or null; throws an Error with a reason on a damaged file. */
export function readText(png, keyword) {
  for (const { type, data } of chunks(png)) {
    if (type !== "iTXt") continue;
    const end = data.indexOf(0);
    if (end < 0 || String.fromCharCode(...data.subarray(0, Math.min(end, 79))) !== keyword) continue;
    if (data.length > MAX_TEXT) throw new Error("the text inside is larger than 1 MB");
    if (data[end + 1] !== 0) throw new Error("the text inside is compressed");
    const language = data.indexOf(0, end + 3);
    const translated = language < 0 ? -1 : data.indexOf(0, language + 1);
    if (translated < 0) throw new Error("its text chunk is damaged");
    return new TextDecoder("utf-8", { fatal: true }).decode(data.subarray(translated + 1));
  }
  return null;
}

/** The chunks of a PNG with their CRC checked; throws an Error with a reason. */
export function* chunks(png) {
  if (png.length < 8 || SIGNATURE.some((byte, i) => png[i] !== byte)) throw new Error("it is not a PNG");
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  let at = 8;
  for (let n = 0; n < MAX_CHUNKS; n += 1) {
    if (at + 12 > png.length) throw new Error("it ends in the middle");
    const length = view.getUint32(at);
    if (length > png.length - at - 12) throw new Error("it ends in the middle");
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (crc32(png.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) throw new Error(`its ${type} part is damaged`);
    yield { type, data: png.subarray(at + 8, at + 8 + length) };
    if (type === "IEND") return;
    at += 12 + length;
  }
  throw new Error("it has too many parts");
}

function makeChunk(type, data) {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(latin(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

function latin(text) {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function concat(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
