// What a line chart draws: ground with axes, traces, marks, labels at the right edge, a readout.

import { FONT, label, plate, ticksAcross, upright, widthOf } from "./marks/paint.mjs";
import { axisTicks, lowerBound } from "./chart-scale.mjs";

const DENSE = 2; // points a pixel column above which a trace is drawn as the span of each column

/** Bands, spans, grid, axes with their numbers and names. */
export function ground(ctx, view) {
  const { box, X, Y, xRange, yRange, theme, yLog } = view;
  for (const span of view.spans) {
    const from = Math.max(box.x, X(span.x0)), to = Math.min(box.x + box.w, X(span.x1));
    if (to <= from) continue;
    ctx.globalAlpha = theme.dark ? 0.22 : 0.18;
    ctx.fillStyle = span.color;
    ctx.fillRect(from, box.y, Math.max(1, to - from), box.h);
    ctx.globalAlpha = 1;
    ctx.fillRect(from, box.y + box.h - 4, Math.max(1, to - from), 4);
  }
  for (const band of view.bands) {
    const top = clampY(box, Y(band.y1)), bottom = clampY(box, Y(band.y0));
    ctx.globalAlpha = theme.dark ? 0.22 : 0.16;
    ctx.fillStyle = band.color;
    ctx.fillRect(box.x, top, box.w, bottom - top);
    ctx.globalAlpha = 1;
  }
  const rows = axisTicks(yRange, yLog, Math.min(10, Math.max(2, Math.floor(box.h / 26))));
  for (const [v, text] of rows) {
    const y = Math.round(Y(v)) + 0.5;
    ctx.fillStyle = theme.grid;
    ctx.fillRect(box.x, y - 0.5, box.w, 1);
    label(ctx, text, box.x - 6, y, theme.fg, "right");
  }
  const edge = box.x + box.w, bottom = box.y + box.h;
  let beyond = edge + 8;
  for (const [v, text] of axisTicks(xRange, false, ticksAcross(box, xRange[1]))) {
    const x = Math.round(X(v));
    ctx.fillStyle = theme.grid;
    ctx.fillRect(x, box.y, 1, box.h);
    ctx.fillStyle = theme.line;
    ctx.fillRect(x, bottom, 1, 4);
    const half = widthOf(ctx, text) / 2;
    if (x - half < box.x - 8) continue;
    label(ctx, text, x, bottom + 12, theme.fg, "center");
    beyond = Math.max(beyond, x + half + 5);
  }
  ctx.strokeStyle = theme.line;
  ctx.lineWidth = 1;
  ctx.strokeRect(box.x + 0.5, box.y + 0.5, box.w - 1, box.h - 1);
  label(ctx, view.xLabel, beyond, bottom + 12, theme.muted);
  upright(ctx, view.yLabel, 9, box.y, box.h, theme.muted);
}

const clampY = (box, y) => Math.min(box.y + box.h, Math.max(box.y, y));

/** Horizontal lines with a word, such as a clip or the chance level. */
export function guides(ctx, view) {
  const { box, Y, theme } = view;
  for (const guide of view.guides) {
    const y = Y(guide.y);
    if (!(y >= box.y && y <= box.y + box.h)) continue;
    ctx.strokeStyle = guide.color ?? theme.alert;
    ctx.setLineDash([5, 3]);
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    ctx.moveTo(box.x, y);
    ctx.lineTo(box.x + box.w, y);
    ctx.stroke();
    ctx.setLineDash([]);
    plate(ctx, guide.text, box.x + box.w - 3, guideTextY(box, y), theme.fg, theme.bg, "right");
  }
}

const guideTextY = (box, y) => (y < box.y + 16 ? y + 9 : y - 9);

/** Where on `lane` the words of a guide begin; the right edge where there are none. */
function guideStart(ctx, { box, Y, guides }, at) {
  const near = guides.filter(({ y }) => Math.abs(guideTextY(box, Y(y)) - at) < 14);
  return Math.min(box.x + box.w, ...near.map(({ text }) => box.x + box.w - 8 - widthOf(ctx, text)));
}

/** One series, cut to the plot. */
export function trace(ctx, view, series) {
  const { box, X, Y, xRange, dpr } = view, { x, y } = series;
  const from = Math.max(0, lowerBound(x, y.length, xRange[0]) - 1);
  const to = Math.min(y.length, lowerBound(x, y.length, xRange[1]) + 1);
  if (to <= from) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(box.x, box.y, box.w, box.h);
  ctx.clip();
  ctx.strokeStyle = ctx.fillStyle = series.color;
  ctx.globalAlpha = series.alpha ?? 1;
  ctx.lineWidth = series.width ?? 1.5;
  ctx.lineJoin = "round";
  if (series.kind === "points") points(ctx, X, Y, series, from, to);
  else if ((to - from) / (box.w * dpr) > DENSE) columns(ctx, view, series, from, to);
  else path(ctx, X, Y, series, from, to);
  ctx.restore();
}

function points(ctx, X, Y, { x, y, marker }, from, to) {
  for (let i = from; i < to; i++) {
    if (!Number.isFinite(y[i])) continue;
    const px = X(x[i]), py = Y(y[i]), r = 3.5;
    ctx.beginPath();
    if (marker === "cross") {
      ctx.moveTo(px - r, py - r); ctx.lineTo(px + r, py + r);
      ctx.moveTo(px - r, py + r); ctx.lineTo(px + r, py - r);
      ctx.stroke();
      continue;
    }
    if (marker === "diamond") { diamond(ctx, px, py, r + 1); continue; }
    ctx.arc(px, py, r, 0, 7);
    ctx.fill();
  }
}

function diamond(ctx, x, y, r) {
  ctx.beginPath();
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.fill();
}

function path(ctx, X, Y, { x, y, dash, kind }, from, to) {
  ctx.beginPath();
  if (dash) ctx.setLineDash(dash);
  let down = false;
  for (let i = from; i < to; i++) {
    const py = Y(y[i]);
    if (!Number.isFinite(py)) { down = false; continue; }
    if (kind === "step" && down) ctx.lineTo(X(x[i]), Y(y[i - 1]));
    if (down) ctx.lineTo(X(x[i]), py); else ctx.moveTo(X(x[i]), py);
    if (!down && !Number.isFinite(y[i + 1])) ctx.lineTo(X(x[i]) + 0.7, py);
    down = true;
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Many points a pixel: from the least to the greatest of each column, joined to the column before. */
function columns(ctx, { X, Y, dpr }, { x, y, width = 1.5, dash }, from, to) {
  const half = width / 2, one = 1 / dpr, [on, off] = dash ?? [1, 0];
  let column = NaN, low = 0, high = 0, last = NaN;
  const flush = () => {
    if (column % (on + off) < on) ctx.fillRect(column * one, low - half, one, high - low + width);
  };
  for (let i = from; i < to; i++) {
    const py = Y(y[i]);
    if (!Number.isFinite(py)) { last = NaN; continue; }
    const here = Math.floor(X(x[i]) * dpr);
    if (here !== column) {
      if (!Number.isNaN(column)) flush();
      column = here;
      low = Number.isNaN(last) ? py : Math.min(py, last);
      high = Number.isNaN(last) ? py : Math.max(py, last);
    } else if (py < low) low = py;
    else if (py > high) high = py;
    last = py;
  }
  if (!Number.isNaN(column)) flush();
}

/** Vertical lines with a word where something was changed or happened; words only where they have room. */
export function events(ctx, view) {
  const { box, X, theme } = view, lanes = [box.x, box.x];
  const rooms = lanes.map((_, i) => guideStart(ctx, view, box.y + 9 + i * 15));
  for (const mark of view.marks) {
    const x = Math.round(X(mark.x)) + 0.5;
    if (x < box.x || x > box.x + box.w) continue;
    ctx.strokeStyle = mark.color ?? theme.fg;
    ctx.lineWidth = 1;
    ctx.setLineDash(mark.dash ?? [2, 2]);
    ctx.beginPath();
    ctx.moveTo(x, box.y);
    ctx.lineTo(x, box.y + box.h);
    ctx.stroke();
    ctx.setLineDash([]);
    if (!view.words) continue;
    const w = widthOf(ctx, mark.text) + 8, flip = x + w > box.x + box.w, left = flip ? x - w : x;
    const lane = lanes.findIndex((end, i) => left >= end && left + w <= rooms[i]);
    if (lane < 0) continue;
    lanes[lane] = left + w;
    plate(ctx, mark.text, flip ? x - 2 : x + 2, box.y + 9 + lane * 15, theme.fg, theme.bg, flip ? "right" : "left");
  }
}

/** The newest value of each series beside the plot, pushed apart where they would overlap. */
export function edgeLabels(ctx, view, lasts) {
  const { box, Y, theme } = view, x = box.x + box.w + 5;
  const placed = lasts.map((one) => ({ ...one, y: clampY(box, Number.isFinite(Y(one.value)) ? Y(one.value) : box.y) }))
    .sort((a, b) => a.y - b.y);
  for (let i = 0; i < placed.length; i++) {
    placed[i].at = Math.max(placed[i].y, box.y + 6, i ? placed[i - 1].at + 14 : -Infinity);
  }
  for (let i = placed.length - 1, room = box.y + box.h - 5; i >= 0; i--, room -= 14) placed[i].at = Math.min(placed[i].at, room);
  for (const one of placed) {
    ctx.fillStyle = one.color;
    if (one.point) diamond(ctx, x + 3.5, one.at, 4);
    else ctx.fillRect(x, one.at - 2, 7, 4);
    label(ctx, one.text, x + 11, one.at + 0.5, theme.fg);
  }
}

/** The line under the pointer with every value there. */
export function readout(ctx, view, at, rows) {
  const { box, X, theme } = view, x = X(at.x);
  ctx.fillStyle = theme.muted;
  ctx.fillRect(Math.round(x), box.y, 1, box.h);
  for (const row of rows) {
    if (!Number.isFinite(row.py)) continue;
    ctx.beginPath();
    ctx.arc(x, Math.min(box.y + box.h, Math.max(box.y, row.py)), 3.5, 0, 7);
    ctx.fillStyle = row.color;
    ctx.fill();
    ctx.strokeStyle = theme.bg;
    ctx.stroke();
  }
  ctx.font = FONT;
  const lines = [at.text, ...rows.map((row) => `${row.name}  ${row.text}`)];
  const w = Math.max(...lines.map((text) => widthOf(ctx, text))) + 26, h = lines.length * 16 + 8;
  const left = x + 12 + w < box.x + box.w ? x + 12 : Math.max(box.x, x - 12 - w), top = box.y + 6;
  ctx.globalAlpha = 0.94;
  ctx.fillStyle = theme.bg;
  ctx.fillRect(left, top, w, h);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = theme.line;
  ctx.strokeRect(left + 0.5, top + 0.5, w - 1, h - 1);
  lines.forEach((text, i) => {
    const y = top + 12 + i * 16;
    if (i) { ctx.fillStyle = rows[i - 1].color; ctx.fillRect(left + 7, y - 3.5, 7, 7); }
    label(ctx, text, left + (i ? 19 : 7), y, i ? theme.fg : theme.muted);
  });
}
