/** What happened while a time plot ran: words, labelled vertical lines, and where the labels go. */

import { neuromodColor } from "../colors.mjs";
import { plate, widthOf } from "./paint.mjs";

const LANES = 3, LANE_H = 15, LANE_TOP = 9, GAP = 2;
const NEAR_PX = 60, LONGEST = 40;
const WIDER = 1.08; // text in SVG, as in a paused plot, is up to this much wider than on a canvas
const MODULATORS = ["DA", "ACh", "NE", "5HT"];
const DASHED = [5, 3], DOTTED = [2, 3];

/** Short words for a session event, or null when it gets no line. */
export function eventText(event) {
  switch (event.type) {
    case "param": return `${shortPath(event.path)} ${value(event.old)} → ${value(event.new)}`;
    case "inject": return `${event.nt === "5HT" ? "5-HT" : event.nt} ${signed(event.level)}`;
    case "reward": return `reward ${signed(event.r)}`;
    case "break": return `break: ${event.reason ?? event.id}`;
    case "reset": return `reset, seed ${event.seed}`;
    case "note": return event.text;
    case "finding": return event.by ? `explained by ${findingName(event.by)}: ${findingName(event.id)}` : `${event.state === "cleared" ? "cleared" : "found"}: ${findingName(event.id)}`;
    case "nan": return `NaN in ${event.tensor}`;
    default: return null;
  }
}

/** `stdp_not_engaging` as `STDP not engaging`. */
function findingName(id = "") { return id.replaceAll("_", " ").replace(/^stdp/, "STDP"); }

/** `blocks.2.lif_in.v_thresh` as `b2 lif_in.v_thresh`; the LIF group and levels without their group. */
function shortPath(path = "") {
  return path.replace(/^blocks\.(\d+)\./, "b$1 ").replace(/^lif\./, "").replace(/^neuromod\.(?=DA|ACh|NE|5HT)/, "");
}

function value(v) {
  if (typeof v === "number") return String(Number.isInteger(v) ? v : Number(v.toPrecision(4)));
  return v === null || v === undefined ? "free" : v === true ? "on" : v === false ? "off" : String(v);
}

function signed(v) { return `${v >= 0 ? "+" : "−"}${value(Math.abs(v ?? 0))}`; }

/** Vertical lines with their labels, placed as `mark` says; null for none. */
export function eventLines(ctx, box, scene, mark) {
  const { store, t0_ms, t1_ms, theme } = scene;
  const list = store.events.filter((event) => event.t_ms >= t0_ms && event.t_ms <= t1_ms && eventText(event) !== null);
  if (!list.length) return;
  const X = ({ t_ms: t }) => Math.round(box.x + (t - t0_ms) / (t1_ms - t0_ms) * box.w);
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.w, box.h);
  ctx.clip();
  for (const event of list) line(ctx, box, X(event), event, theme);
  ctx.setLineDash([]);
  if (mark) {
    const items = list.map((event) => ({ x: X(event), text: eventText(event), path: event.path }));
    for (const at of laidOut(items, box, (text) => widthOf(ctx, text), mark)) {
      if (at) plate(ctx, at.text, at.left, at.y, theme.fg, theme.bg);
    }
  }
  ctx.restore();
}

function line(ctx, box, place, event, theme) {
  const stops = event.type === "break" || event.type === "nan";
  const alert = stops || (event.type === "finding" && event.state === "found");
  const wide = stops ? 2 : 1;
  const x = Math.min(place, box.x + box.w - wide) + wide / 2;
  const i = event.type === "inject" ? MODULATORS.indexOf(event.nt) : -1;
  ctx.strokeStyle = i >= 0 ? neuromodColor(i) : alert ? theme.alert : theme.fg;
  ctx.lineWidth = wide;
  ctx.setLineDash(event.type === "param" ? [] : event.type === "note" || event.type === "finding" ? DOTTED : DASHED);
  ctx.beginPath();
  ctx.moveTo(x, box.y);
  ctx.lineTo(x, box.y + box.h);
  ctx.stroke();
}

/**
 * Places for labels, in lanes from the top so that none lies over another; null where there is no
 * room, or where a drag changes one path again and again.
 * @param {{x: number, text: string, path?: string}[]} items from left to right
 * @param {{x: number, y: number, w: number}} box plot area
 * @param {(text: string) => number} measure width of a text in pixels
 * @param {{eventLane?: number, eventLanes?: number}} mark first free lane, and how many there are
 * @returns {({text: string, left: number, y: number} | null)[]}
 */
export function laidOut(items, box, measure, { eventLane: first = 0, eventLanes = LANES }) {
  const free = new Array(eventLanes).fill(-Infinity);
  let lastPath = null, lastX = -Infinity;
  return items.map(({ x, text: whole, path = null }) => {
    const crowded = path !== null && path === lastPath && x - lastX < NEAR_PX;
    [lastPath, lastX] = [path, x];
    if (crowded) return null;
    const text = whole.length > LONGEST ? `${whole.slice(0, LONGEST - 1)}…` : whole;
    const width = measure(text) * WIDER + 6;
    const left = Math.max(box.x, Math.min(x + GAP, box.x + box.w - width));
    const lane = free.findIndex((end, i) => i >= first && end < left);
    if (lane < 0) return null;
    free[lane] = left + width;
    return { text, left, y: box.y + LANE_TOP + lane * LANE_H };
  });
}
