/** A small loss curve of a faulty run over its sound one, as SVG. */

import { num } from "../format.mjs";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 132, HEIGHT = 34, PAD = 2;

/**
 * @param {{curve: number[][], beside: ?{curve: number[][]}}} row
 * @param {{x1: number, y0: number, y1: number}} range the same for every row
 * @returns {SVGElement}
 */
export function lossCurve({ name, curve, beside }, range) {
  const svg = part("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, class: "clinic-curve", role: "img" });
  const last = curve.at(-1);
  svg.setAttribute("aria-label", last ? `${name}: loss ${num(curve[0][1], 3)} at step ${curve[0][0]}, ${num(last[1], 3)} at step ${last[0]}` : `${name}: no step was done`);
  if (beside) svg.append(line(beside.curve, range, "sound"));
  svg.append(line(curve, range, beside ? "faulty" : "sound"));
  return svg;
}

/** The axes that all curves of a table share, from the sound runs; what lies above is drawn at the upper edge. */
export function rangeOf(rows) {
  const sound = rows.flatMap(({ curve, beside }) => (beside ?? { curve }).curve);
  const lowest = Math.min(...rows.flatMap(({ curve }) => curve).concat(sound).map(([, loss]) => loss));
  const highest = Math.max(...sound.map(([, loss]) => loss));
  return sound.length ? { x1: Math.max(...sound.map(([step]) => step)), y0: lowest, y1: Math.max(highest, lowest + 0.1) } : { x1: 1, y0: 0, y1: 1 };
}

function line(curve, { x1, y0, y1 }, kind) {
  const at = ([step, loss]) => {
    const share = Math.min(1, Math.max(0, (loss - y0) / (y1 - y0)));
    return `${(PAD + (WIDTH - 2 * PAD) * step / x1).toFixed(1)},${(HEIGHT - PAD - (HEIGHT - 2 * PAD) * share).toFixed(1)}`;
  };
  return part("polyline", { points: curve.map(at).join(" "), class: `clinic-line ${kind}` });
}

function part(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
