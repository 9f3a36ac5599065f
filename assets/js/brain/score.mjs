/** Pictures over the words of a text, one below the other on the same columns, as the staves of a score. */

import { CIVIDIS, CIVIDIS_STOPS } from "../colors.mjs";
import { colorBar, emptyNote, label, upright } from "../marks/paint.mjs";
import { placeOf } from "../sketch.mjs";

export const LEFT = 112, RIGHT = 74;
export const REGION_COLORS = ["#0072B2", "#E69F00", "#009E73"];
const NAMES_H = 74, GATE_FULL = 1.5;
const LINES = [["arousal", ["#D55E00", "#FF8F40"], []], ["valence", ["#0072B2", "#56B4E9"], [6, 3]], ["dopamine", ["#8A5A83", "#CC79A7"], [2, 2]]];

/** Columns of the words within a panel `w` wide. */
export function columnsOf(reading, w) {
  const n = Math.max(1, reading.tokens.length), wide = Math.max(2, (w - LEFT - RIGHT) / n);
  return { n, wide, X: (i) => LEFT + (i + 0.5) * wide, at: (px) => Math.floor((px - LEFT) / wide) };
}

/** Lines of arousal, valence and dopamine, below the words themselves. */
export class FeelingsStaff {
  constructor(page) { this.page = page; }

  paint(ctx, { w, h, look }) {
    const { reading } = this.page, columns = columnsOf(reading, w);
    const box = { x: LEFT, y: NAMES_H, w: w - LEFT - RIGHT, h: h - NAMES_H - 10 };
    names(ctx, reading, columns, look);
    const Y = (v) => box.y + box.h * (1 - (v + 1) / 2);
    for (const v of [-1, -0.5, 0, 0.5, 1]) {
      ctx.fillStyle = v === 0 ? look.line : look.grid;
      ctx.fillRect(box.x, Math.round(Y(v)), box.w, 1);
      label(ctx, String(v), box.x - 6, Y(v), look.fg, "right");
    }
    LINES.forEach(([name, color, dash], k) => {
      ctx.strokeStyle = color[look.dark ? 1 : 0];
      ctx.fillStyle = ctx.strokeStyle;
      ctx.lineWidth = 2;
      ctx.setLineDash(dash);
      ctx.beginPath();
      for (let i = 0; i < reading.n; i++) ctx.lineTo(columns.X(i), Y(reading.scalar(name, i)));
      ctx.stroke();
      ctx.setLineDash([]);
      for (let i = 0; i < reading.n; i++) ctx.fillRect(columns.X(i) - 2, Y(reading.scalar(name, i)) - 2, 4, 4);
      key(ctx, 4, box.y + 12 + k * 17, name, ctx.strokeStyle, dash, look);
    });
    if (!reading.tokens.length) emptyNote(ctx, { x: 0, y: 0, w, h }, "Nothing is read yet", look);
  }
}

/** Thalamic gate: sixteen bands of channels over the words, fixed limits. */
export class GateStaff {
  constructor(page) { this.page = page; }

  paint(ctx, { w, h, look }) {
    const { reading, constants } = this.page, columns = columnsOf(reading, w), rows = constants.bands;
    const box = { x: LEFT, y: 4, w: w - LEFT - RIGHT, h: h - 12 }, tall = box.h / rows;
    for (let i = 0; i < reading.n; i++) {
      for (let r = 0; r < rows; r++) {
        const v = reading.at("gate", r, i), shade = CIVIDIS[Math.max(0, Math.min(255, Math.round(v / GATE_FULL * 255)))];
        ctx.fillStyle = `rgb(${shade & 255} ${shade >> 8 & 255} ${shade >> 16 & 255})`;
        ctx.fillRect(columns.X(i) - columns.wide / 2, box.y + box.h - (r + 1) * tall, columns.wide + 0.5, tall + 0.5);
      }
    }
    frame(ctx, box, look);
    for (const r of [0, 3, 7, 11, 15].filter((k) => k < rows)) label(ctx, String(r + 1), box.x - 6, box.y + box.h - (r + 0.5) * tall, look.fg, "right");
    upright(ctx, "band", 66, box.y, box.h, look.muted);
    colorBar(ctx, { x: box.x + box.w + 8, y: box.y, h: box.h }, CIVIDIS_STOPS, [[0, "0"], [1, "1.5"]], "gate", look);
  }
}

/** Votes of the regions, one upon the other. */
export class VotesStaff {
  constructor(page) { this.page = page; }

  paint(ctx, { w, h, look }) {
    const { reading, constants } = this.page, columns = columnsOf(reading, w), n = constants.regions.length;
    const box = { x: LEFT, y: 6, w: w - LEFT - RIGHT, h: h - 14 }, high = box.h / n;
    for (let v = 0; v <= n; v++) {
      ctx.fillStyle = look.grid;
      ctx.fillRect(box.x, Math.round(box.y + box.h - v * high), box.w, 1);
      label(ctx, String(v), box.x - 6, Math.max(box.y + 5, box.y + box.h - v * high), look.fg, "right");
    }
    for (let i = 0; i < reading.n; i++) {
      let y = box.y + box.h;
      for (let r = 0; r < n; r++) {
        const tall = reading.at("votes", r, i) * high;
        ctx.fillStyle = REGION_COLORS[r];
        ctx.fillRect(columns.X(i) - columns.wide * 0.4, y - tall, columns.wide * 0.8, Math.max(0, tall - 1));
        y -= tall;
      }
    }
    frame(ctx, box, look);
    constants.regions.forEach((name, r) => key(ctx, 4, box.y + box.h - 8 - r * 17, name, REGION_COLORS[r], null, look));
  }
}

/** What the basal ganglia let through of each region; the one that acts most is marked. */
export class ReleaseStaff {
  constructor(page) { this.page = page; }

  paint(ctx, { w, h, look }) {
    const { reading, constants } = this.page, columns = columnsOf(reading, w), n = constants.regions.length;
    const box = { x: LEFT, y: 20, w: w - LEFT - RIGHT, h: h - 28 }, high = box.h / n;
    constants.regions.forEach((name, r) => {
      const bottom = box.y + (r + 1) * high;
      ctx.fillStyle = look.grid;
      ctx.fillRect(box.x, Math.round(bottom), box.w, 1);
      label(ctx, name, box.x - 6, bottom - high / 2, look.fg, "right");
      for (let i = 0; i < reading.n; i++) {
        const share = reading.at("release", r, i), tall = share * (high - 6), wins = reading.winner(n, i) === r;
        ctx.globalAlpha = wins ? 1 : 0.45;
        ctx.fillStyle = REGION_COLORS[r];
        ctx.fillRect(columns.X(i) - columns.wide * 0.4, bottom - tall, columns.wide * 0.8, tall);
        ctx.globalAlpha = 1;
        if (wins) diamond(ctx, columns.X(i), bottom - tall - 1, look.fg);
      }
    });
    for (let i = 0; i < reading.n; i++) if (reading.winner(n, i) < 0) label(ctx, "×", columns.X(i), box.y - 8, look.alert, "center");
    label(ctx, "none: ×", 4, box.y - 8, look.muted);
    frame(ctx, box, look);
    const x = box.x + box.w + 8;
    label(ctx, "1", x, box.y + 8, look.muted);
    label(ctx, "0 share", x, box.y + high - 3, look.muted);
    diamond(ctx, x + 5, box.y + high + 14, look.fg);
    label(ctx, "acts", x + 14, box.y + high + 14, look.fg);
  }
}

function names(ctx, { tokens, n }, columns, look) {
  const every = Math.max(1, Math.ceil(11 / columns.wide));
  tokens.forEach(([, text, kind], i) => {
    if (i % every) return;
    ctx.save();
    ctx.translate(columns.X(i), NAMES_H - 6);
    ctx.rotate(-Math.PI / 2.6);
    const shown = text.length > 12 ? `${text.slice(0, 11)}…` : text;
    label(ctx, kind === "unknown" ? `${shown}?` : shown, 0, 0, i < n ? look.fg : look.muted);
    ctx.restore();
  });
}

function key(ctx, x, y, text, color, dash, look) {
  ctx.strokeStyle = ctx.fillStyle = color;
  if (dash === null) ctx.fillRect(x, y - 5, 10, 10);
  else {
    ctx.setLineDash(dash);
    ctx.lineWidth = 2.5;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + 16, y);
    ctx.stroke();
    ctx.setLineDash([]);
  }
  label(ctx, text, x + (dash === null ? 14 : 20), y, look.fg);
}

function frame(ctx, { x, y, w, h }, look) {
  ctx.strokeStyle = look.line;
  ctx.lineWidth = 1;
  ctx.strokeRect(x - 0.5, y - 0.5, w + 1, h + 1);
}

function diamond(ctx, x, y, color) {
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.moveTo(x, y - 4);
  ctx.lineTo(x + 4, y);
  ctx.lineTo(x, y + 4);
  ctx.lineTo(x - 4, y);
  ctx.fill();
}

/** The column of the word that is looked at. */
export function paintColumn(page) {
  return (ctx, { w, h, look }) => {
    const i = page.shown, columns = columnsOf(page.reading, w);
    if (i < 0 || i >= columns.n) return;
    ctx.strokeStyle = look.fg;
    ctx.lineWidth = 1.5;
    ctx.setLineDash(page.pinned >= 0 ? [] : [3, 3]);
    ctx.strokeRect(columns.X(i) - columns.wide / 2, 2, columns.wide, h - 4);
    ctx.setLineDash([]);
  };
}

/** Pointer and keys: the word under the pointer is looked at, a click keeps it, arrows go on. */
export function followStaff(sketch, page) {
  const { host } = sketch;
  const over = (event) => {
    const i = columnsOf(page.reading, host.clientWidth).at(placeOf(event, host)[0]);
    return i >= 0 && i < page.reading.tokens.length ? i : -1;
  };
  host.addEventListener("pointermove", (event) => page.look(over(event)));
  host.addEventListener("pointerleave", () => page.look(-1));
  host.addEventListener("click", (event) => page.pin(over(event)));
  host.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move) page.pin(Math.min(page.reading.tokens.length - 1, Math.max(0, page.shown + move)));
    else if (event.key === "Escape" && page.pinned >= 0) page.pin(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

