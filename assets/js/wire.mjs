/** The frame codec of `t4dm/live/frame.py`: magic, JSON header, 8-byte aligned arrays. Knows bytes only. */

const MAGIC = 0x31463454; // "T4F1", little-endian
const TYPES = {
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array,
  f8: Float64Array,
};
const text = new TextDecoder();

/**
 * Decode one frame. The arrays are views into `buffer`, nothing is copied.
 * @param {ArrayBuffer} buffer
 * @returns {{meta: object, arrays: Object<string, {data: ArrayLike<number>, shape: number[]}>}}
 * @throws {Error} when magic, header or lengths are wrong
 */
export function decode(buffer) {
  if (buffer.byteLength < 8) throw new Error("frame shorter than its header");
  const view = new DataView(buffer);
  if (view.getUint32(0, true) !== MAGIC) throw new Error("not a T4F1 frame");
  const length = view.getUint32(4, true);
  if (8 + length > buffer.byteLength) throw new Error("frame header is cut short");
  const header = JSON.parse(text.decode(new Uint8Array(buffer, 8, length)));
  const base = 8 + length;
  const arrays = {};
  for (const [name, dtype, shape, offset] of header.arrays) {
    arrays[name] = { data: view_(buffer, base, dtype, shape, offset, name), shape };
  }
  return { meta: header.meta, arrays };
}

function view_(buffer, base, dtype, shape, offset, name) {
  const Type = TYPES[dtype.replace(/^[<|]/, "")];
  if (!Type) throw new Error(`array '${name}' has unknown dtype '${dtype}'`);
  const count = shape.reduce((a, b) => a * b, 1);
  const at = base + offset;
  if (at + count * Type.BYTES_PER_ELEMENT > buffer.byteLength) {
    throw new Error(`array '${name}' is cut short`);
  }
  return new Type(buffer, at, count);
}
