/** Colours: Okabe-Ito for categories, fixed colour maps, and the light or dark theme in force. */

export const OKABE_ITO = [
  "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000",
];
export const NEUROMODULATORS = ["DA", "ACh", "NE", "5-HT"];

const DARK = {
  dark: true, bg: "#1A1B1E", fg: "#E6E8EB", muted: "#A9B0BA", grid: "#3A3F47", line: "#7F8894",
  alert: "#FFB27A",
};
const LIGHT = {
  dark: false, bg: "#FFFFFF", fg: "#1A1B1E", muted: "#4A4F57", grid: "#DFE3E8", line: "#7A828C",
  alert: "#A34700",
};

let current = null;

/** The colours of the theme in force (attribute `data-mantine-color-scheme`). */
export function theme() {
  current ??= readTheme();
  return current;
}

/** Read the page's theme anew; call it after the colour scheme changed. */
export function readTheme() {
  const root = document.documentElement;
  const scheme = root.getAttribute("data-mantine-color-scheme");
  const system = window.matchMedia?.("(prefers-color-scheme: dark)").matches;
  const dark = scheme === "dark" || (scheme !== "light" && system);
  current = { ...(dark ? DARK : LIGHT) };
  return current;
}

/** Colour of block `block`; black turns to near white on a dark ground. */
export function blockColor(block, dark) {
  const color = OKABE_ITO[block % OKABE_ITO.length];
  return dark && color === "#000000" ? "#FFFFFF" : color;
}

/** Colour of a group of the scene: its block's, or one after the last block's; see `scene.mjs`. */
export function groupColor(group, dark) {
  return blockColor(group?.color ?? 0, dark);
}

/** Colour of neuromodulator `i` in the order DA, ACh, NE, 5-HT. */
export function neuromodColor(i) {
  return OKABE_ITO[[0, 1, 2, 3][i]];
}

/** `a` mixed with share `t` of `b`, both `#RRGGBB`. */
export function mix(a, b, t) {
  const x = rgb(a), y = rgb(b);
  return "#" + x.map((v, i) => Math.round(v + (y[i] - v) * t).toString(16).padStart(2, "0")).join("");
}

function rgb(hex) {
  return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
}

/** 256 RGBA values (little-endian u32) through colour stops `[position, "#RRGGBB"]`. */
export function lookup(stops) {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const x = i / 255;
    let k = 1;
    while (k < stops.length - 1 && stops[k][0] < x) k++;
    const [x0, c0] = stops[k - 1], [x1, c1] = stops[k];
    const [r, g, b] = rgb(mix(c0, c1, Math.min(1, Math.max(0, (x - x0) / (x1 - x0)))));
    table[i] = (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  }
  return table;
}

export const CIVIDIS_STOPS = [
  [0, "#00224E"], [0.125, "#123570"], [0.25, "#3B496C"], [0.375, "#575D6D"], [0.5, "#707173"],
  [0.625, "#8A8678"], [0.75, "#A59C74"], [0.875, "#C3B369"], [1, "#FEE838"],
];
export const DIVERGING_STOPS = [
  [0, "#0072B2"], [0.25, "#7FB8D8"], [0.5, "#FFFFFF"], [0.75, "#EAB080"], [1, "#D55E00"],
];
export const CIVIDIS = lookup(CIVIDIS_STOPS);

const divergingCache = new Map();

/** Blue - white - orange over 0..1 with white at `centre`. */
export function diverging(centre) {
  const key = Math.round(Math.min(0.95, Math.max(0.05, centre)) * 100);
  if (!divergingCache.has(key)) {
    const c = key / 100;
    const stops = DIVERGING_STOPS.map(([x, color]) => [
      x <= 0.5 ? x * 2 * c : c + (x - 0.5) * 2 * (1 - c), color,
    ]);
    divergingCache.set(key, lookup(stops));
  }
  return divergingCache.get(key);
}

/** A CSS linear gradient's stops drawn into a canvas gradient. */
export function addStops(gradient, stops) {
  for (const [x, color] of stops) gradient.addColorStop(x, color);
  return gradient;
}
