// Pointer and keys of a line chart: hover, drag to zoom, double click and Escape back.

import { lowerBound } from "./chart-scale.mjs";

const LEAST_DRAG = 6;
const STEP_ZOOM = 0.6;

/** Listens on the chart's host. */
export function follow(chart) {
  const { host, group } = chart;
  let from = null;
  const place = (event) => event.clientX - host.getBoundingClientRect().left;
  const inside = (px) => chart.view && px >= chart.view.box.x && px <= chart.view.box.x + chart.view.box.w;

  host.addEventListener("pointermove", (event) => {
    const px = place(event);
    if (from !== null) {
      chart.drag = [from, clamp(chart, px)];
      chart.drawOver();
    } else group.setHover(inside(px) ? stepAt(chart, px) : null);
  });
  host.addEventListener("pointerleave", () => { if (from === null) group.setHover(null); });
  host.addEventListener("pointerdown", (event) => {
    const px = place(event);
    if (event.pointerType === "touch") { group.setHover(inside(px) ? stepAt(chart, px) : null); return; }
    if (event.button !== 0 || !inside(px)) return;
    from = px;
    host.setPointerCapture(event.pointerId);
  });
  const end = (event) => {
    if (from === null) return;
    const to = clamp(chart, place(event)), [a, b] = [Math.min(from, to), Math.max(from, to)];
    from = null;
    chart.drag = null;
    if (event.type === "pointerup" && b - a > LEAST_DRAG) group.setZoom([valueAt(chart, a), valueAt(chart, b)]);
    else chart.drawOver();
  };
  host.addEventListener("pointerup", end);
  host.addEventListener("pointercancel", end);
  host.addEventListener("dblclick", () => group.setZoom(null));
  host.addEventListener("keydown", (event) => keyed(chart, event));
}

/** Arrows move the readout, + and - zoom around it, Escape takes both back. */
function keyed(chart, event) {
  const { group, view } = chart, act = ACTS[event.key];
  if (!act || !view || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && group.zoom === null && group.hover === null) return;
  event.preventDefault();
  event.stopPropagation();
  act(chart, group, view);
}

const ACTS = {
  ArrowLeft: (chart, group) => group.setHover(beside(chart, -1)),
  ArrowRight: (chart, group) => group.setHover(beside(chart, 1)),
  "+": (chart, group, view) => zoomBy(group, view, STEP_ZOOM),
  "-": (chart, group, view) => zoomBy(group, view, 1 / STEP_ZOOM),
  Escape: (chart, group) => { group.setHover(null); group.setZoom(null); },
};

function zoomBy(group, { xRange: [a, b] }, share) {
  const middle = group.hover ?? (a + b) / 2, half = (b - a) / 2 * share;
  group.setZoom([Math.max(0, middle - half), middle + half]);
}

/** The point of the longest series beside the one shown, a screen column away at least. */
function beside(chart, sign) {
  const { view, data, group } = chart, x = longest(data.series);
  if (!x?.length) return null;
  const column = (view.xRange[1] - view.xRange[0]) / view.box.w;
  const wanted = group.hover === null ? x[x.length - 1] : group.hover + sign * column;
  const i = lowerBound(x, x.length, wanted);
  const k = sign < 0 && group.hover !== null ? lowerBound(x, x.length, wanted + 1e-9) - 1 : i;
  return x[Math.min(x.length - 1, Math.max(0, k))];
}

/** The step of the longest series that is nearest to the pixel. */
function stepAt(chart, px) {
  const x = longest(chart.data.series), at = valueAt(chart, px);
  if (!x?.length) return null;
  const i = Math.min(x.length - 1, lowerBound(x, x.length, at));
  return i > 0 && at - x[i - 1] < x[i] - at ? x[i - 1] : x[i];
}

function longest(series) {
  return series.reduce((best, { x }) => (!best || x.length > best.length ? x : best), null);
}

function valueAt({ view: { box, xRange: [a, b] } }, px) { return a + (px - box.x) / box.w * (b - a); }

function clamp({ view: { box } }, px) { return Math.min(box.x + box.w, Math.max(box.x, px)); }
