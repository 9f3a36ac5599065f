// What is known of an arena's cells: kinds, numbers, what is declared and what is measured of each.

import { num } from "../format.mjs";

export const KINDS = ["place", "grid", "time"];

/** How many cells of each kind, and where each kind begins. */
export function sizesOf(constants) {
  const { place, grid, time } = constants.cells;
  return { place, grid, time, first: { place: 0, grid: place, time: place + grid }, all: place + grid + time };
}

/** Kind and number of cell `index`, counted from 1 within its kind as people do. */
export function kindOf(constants, index) {
  const { first } = sizesOf(constants);
  const kind = index >= first.time ? "time" : index >= first.grid ? "grid" : "place";
  return { kind, at: index - first[kind], name: nameOf(constants, kind, index - first[kind]) };
}

function nameOf({ modules }, kind, at) {
  if (kind !== "grid") return `${kind} cell ${at + 1}`;
  return `grid cell ${at % modules.cells + 1} of module ${Math.floor(at / modules.cells) + 1}`;
}

/** Spikes of a cell in each row held: `at(i)` is 0 to 3, 3 for three or more; null before the first. */
export function spikesOf(store, index) {
  const bytes = store.column("spikes", index >> 2), shift = (index & 3) * 2;
  return bytes && { length: bytes.length, at: (i) => (bytes[i] >> shift) & 3 };
}

const row = (store, name, index) => {
  const array = store.newest[name];
  return array ? array.data.subarray(index * 4, index * 4 + 4) : null;
};

/** `{declared, measured}` of a cell by names, each null while it is not known. */
export function fieldsOf(constants, store, index) {
  const { kind } = kindOf(constants, index);
  const declared = row(store, "declared", index), measured = row(store, "measured", index);
  return { kind, declared: declared && DECLARED[kind](declared), measured: measured && MEASURED[kind](measured) };
}

const DECLARED = {
  place: ([x, y, width, peak]) => ({ x, y, width, peak }),
  grid: ([spacing, angle, peak, module]) => ({ spacing, angle, peak, module }),
  time: ([at, width, peak]) => ({ at, width, peak }),
};
const MEASURED = {
  place: ([x, y, peak, bits]) => ({ x, y, peak, bits }),
  grid: ([spacing, gridness, peak, bits]) => ({ spacing, gridness, peak, bits }),
  time: ([at, peak]) => ({ at, peak }),
};

/** Lines of a readout: `[what, declared, measured]`. */
export function comparison({ kind, declared: d, measured: m }) {
  const text = (value, digits, unit) => (Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}` : "–");
  const place = (f) => (f && Number.isFinite(f.x) ? `${f.x.toFixed(2)}, ${f.y.toFixed(2)} m` : "–");
  if (kind === "place") {
    return [
      ["field at", place(d), place(m)],
      ["peak", text(d?.peak, 1, "Hz"), text(m?.peak, 1, "Hz")],
      ["off by", "", d && Number.isFinite(m?.x) ? `${(100 * Math.hypot(m.x - d.x, m.y - d.y)).toFixed(1)} cm` : "–"],
      ["tells", "", text(m?.bits, 2, "bit a spike")],
    ];
  }
  if (kind === "grid") {
    return [
      ["spacing", text(d?.spacing, 3, "m"), text(m?.spacing, 3, "m")],
      ["peak", text(d?.peak, 1, "Hz"), text(m?.peak, 1, "Hz")],
      ["gridness", "", Number.isFinite(m?.gridness) ? num(m.gridness, 3) : "field too wide"],
      ["tells", "", text(m?.bits, 2, "bit a spike")],
    ];
  }
  return [
    ["peak at", text(d?.at, 2, "s"), text(m?.at, 2, "s")],
    ["peak", text(d?.peak, 1, "Hz"), text(m?.peak, 1, "Hz")],
    ["width (sd)", text(d?.width, 2, "s"), ""],
  ];
}
