/**
 * The arena from above: the way the agent went, spikes of the chosen cell where they were fired, objects,
 * stored episodes, the agent, and a line to the episode that is being recalled.
 */

import { fit } from "../chart.mjs";
import { label, plate, ticks } from "../marks/paint.mjs";
import { simTime } from "../format.mjs";
import { spikesOf } from "./cells.mjs";
import { placeOf } from "../sketch.mjs";

const JUMP_M = 0.2; // farther than a step can lead: the agent was put elsewhere
const NUDGE_M = 0.05;
const RECENT_STEPS = 750;
const GAP = { left: 40, right: 12, top: 8, bottom: 26 };
export const COLORS = { spike: "#D55E00", recall: "#CC79A7", episode: "#009E73", agent: ["#0072B2", "#56B4E9"] };

/** The square that the arena takes of `w` x `h`, and the way between metres and pixels. */
export function frameOf({ w, h }, side) {
  const size = Math.max(10, Math.min(w - GAP.left - GAP.right, h - GAP.top - GAP.bottom));
  const x = GAP.left + (w - GAP.left - GAP.right - size) / 2, y = GAP.top;
  return {
    x, y, size,
    X: (m) => x + m / side * size,
    Y: (m) => y + size - m / side * size,
    toMetres: (px, py) => [(px - x) / size * side, (y + size - py) / size * side],
  };
}

/** What does not change from step to step is kept on a layer and only added to. */
class Layer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.key = "";
    this.done = 0;
  }

  /** Add rows [done, n) by `add(ctx, from, n)`; everything again where `key` changed. */
  grow(view, key, n, add) {
    const full = `${key}|${view.w}|${view.h}|${view.dpr}|${view.look.dark}`;
    if (full !== this.key || n < this.done) {
      this.key = full;
      this.done = 0;
      fit(this.canvas, view.w, view.h, view.dpr);
      this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
    }
    if (n <= this.done) return;
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
    add(ctx, this.done, n);
    this.done = n;
  }
}

export class ArenaView {
  /** @param {object} page the page's state: `store`, `constants`, `selected`, `here()`, `objects()`, `episodes()`, `recall()` */
  constructor(page) {
    this.page = page;
    this.way = new Layer();
    this.spikes = new Layer();
    this.hover = null;
  }

  paint(ctx, view) {
    const { store, constants } = this.page;
    const frame = this.frame = frameOf(view, constants.side_m);
    axes(ctx, frame, view.look, constants.side_m);
    const xs = store.column("path", 0), ys = store.column("path", 1);
    if (!xs?.length) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(frame.x, frame.y, frame.size, frame.size);
    ctx.clip();
    this.#way(ctx, view, frame, xs, ys);
    this.#fired(ctx, view, frame, xs, ys);
    ctx.restore();
    this.#things(ctx, frame, view.look);
    const [x, y] = this.page.here();
    this.#recalled(ctx, frame, view.look, x, y);
    agent(ctx, frame, view.look, x, y, store.column("path", 2).at(-1));
  }

  #way(ctx, view, frame, xs, ys) {
    const { store } = this.page, { look } = view;
    this.way.grow(view, store.generation, xs.length, (layer, from, to) => {
      layer.strokeStyle = look.line;
      layer.globalAlpha = look.dark ? 0.3 : 0.25;
      layer.lineWidth = 1;
      line(layer, frame, xs, ys, Math.max(0, from - 1), to);
    });
    ctx.drawImage(this.way.canvas, 0, 0, view.w, view.h);
    ctx.strokeStyle = look.fg;
    ctx.globalAlpha = 0.75;
    ctx.lineWidth = 1.2;
    line(ctx, frame, xs, ys, Math.max(0, xs.length - RECENT_STEPS), xs.length);
    ctx.globalAlpha = 1;
  }

  #fired(ctx, view, frame, xs, ys) {
    const { store, selected } = this.page, counts = spikesOf(store, selected);
    if (!counts) return;
    this.spikes.grow(view, `${store.generation}|${selected}`, counts.length, (layer, from, to) => {
      layer.fillStyle = COLORS.spike;
      layer.globalAlpha = 0.6;
      for (let i = from; i < to; i++) {
        const n = counts.at(i);
        if (!n) continue;
        layer.beginPath();
        layer.arc(frame.X(xs[i]), frame.Y(ys[i]), n > 1 ? 2.8 : 2, 0, 7);
        layer.fill();
      }
    });
    ctx.drawImage(this.spikes.canvas, 0, 0, view.w, view.h);
  }

  #things(ctx, frame, look) {
    for (const one of this.page.episodes()) {
      ctx.strokeStyle = COLORS.episode;
      ctx.lineWidth = one.slot === this.page.marked ? 3 : 1.5;
      diamond(ctx, frame.X(one.x), frame.Y(one.y), one.slot === this.page.marked ? 9 : 5);
      ctx.stroke();
    }
    for (const { name, x, y } of this.page.objects()) {
      const px = frame.X(x), py = frame.Y(y);
      ctx.fillStyle = look.fg;
      ctx.fillRect(px - 4, py - 4, 8, 8);
      const flip = px > frame.x + frame.size - 60;
      plate(ctx, name, flip ? px - 7 : px + 7, py, look.fg, look.bg, flip ? "right" : "left");
    }
  }

  #recalled(ctx, frame, look, x, y) {
    const found = this.page.recall(x, y);
    if (!found) return;
    const from = [frame.X(found.from_x), frame.Y(found.from_y)], to = [frame.X(found.x), frame.Y(found.y)];
    ctx.strokeStyle = COLORS.recall;
    ctx.lineWidth = 2.5;
    ctx.setLineDash(found.asked ? [6, 4] : []);
    ctx.beginPath();
    ctx.moveTo(...from);
    ctx.lineTo(...to);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.lineWidth = 3;
    diamond(ctx, ...to, 9);
    ctx.stroke();
    if (found.asked) cross(ctx, ...from, 7);
    const text = `recalled: ${found.object}, ${simTime(found.stored_ms)} · similarity ${found.similarity.toFixed(2)}`;
    const above = to[1] > frame.y + 34;
    const middle = Math.min(frame.x + frame.size - 130, Math.max(frame.x + 130, to[0]));
    plate(ctx, text, middle, to[1] + (above ? -20 : 22), look.fg, look.bg, "center");
  }

  /** The cross at the pointer with its place in words. */
  over(ctx, { look }) {
    const { frame, hover } = this;
    if (!frame || !hover) return;
    const [x, y] = hover, px = frame.X(x), py = frame.Y(y);
    ctx.strokeStyle = look.fg;
    ctx.lineWidth = 1;
    cross(ctx, px, py, 8);
    const right = px > frame.x + frame.size / 2;
    plate(ctx, this.page.describe(x, y), px + (right ? -10 : 10), Math.max(frame.y + 10, py - 14), look.fg, look.bg, right ? "right" : "left");
  }
}

function axes(ctx, { x, y, size, X, Y }, look, side) {
  ctx.strokeStyle = look.fg;
  ctx.lineWidth = 2;
  ctx.strokeRect(x - 1, y - 1, size + 2, size + 2);
  for (const m of ticks(0, side, 4)) {
    ctx.fillStyle = look.line;
    ctx.fillRect(Math.round(X(m)), y + size + 1, 1, 4);
    ctx.fillRect(x - 6, Math.round(Y(m)), 4, 1);
    const text = String(Number(m.toFixed(2)));
    label(ctx, text, X(m), y + size + 14, look.fg, "center");
    label(ctx, text, x - 9, Math.min(y + size - 5, Math.max(y + 6, Y(m))), look.fg, "right");
  }
  label(ctx, "m", x - 9, y + size + 14, look.muted, "right");
}

function line(ctx, { X, Y }, xs, ys, from, to) {
  ctx.beginPath();
  for (let i = from; i < to; i++) {
    const jumped = i > from && Math.hypot(xs[i] - xs[i - 1], ys[i] - ys[i - 1]) > JUMP_M;
    if (i === from || jumped) ctx.moveTo(X(xs[i]), Y(ys[i]));
    else ctx.lineTo(X(xs[i]), Y(ys[i]));
  }
  ctx.stroke();
}

function agent(ctx, frame, look, x, y, heading) {
  ctx.save();
  ctx.translate(frame.X(x), frame.Y(y));
  ctx.rotate(-heading);
  ctx.beginPath();
  ctx.moveTo(11, 0);
  ctx.lineTo(-7, 7);
  ctx.lineTo(-3, 0);
  ctx.lineTo(-7, -7);
  ctx.closePath();
  ctx.fillStyle = COLORS.agent[look.dark ? 1 : 0];
  ctx.fill();
  ctx.strokeStyle = look.bg;
  ctx.lineWidth = 1.5;
  ctx.stroke();
  ctx.restore();
}

function diamond(ctx, x, y, r) {
  ctx.beginPath();
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.closePath();
}

function cross(ctx, x, y, r) {
  ctx.beginPath();
  ctx.moveTo(x - r, y);
  ctx.lineTo(x + r, y);
  ctx.moveTo(x, y - r);
  ctx.lineTo(x, y + r);
  ctx.stroke();
}

/**
 * Pointer and keys: a click, or Enter at the cross, acts at a place; arrows move the cross by 5 cm.
 * @param {(x: number, y: number) => void} act
 */
export function followArena(sketch, arena, act) {
  const { host } = sketch;
  const inside = ([x, y]) => {
    const side = arena.page.constants.side_m;
    return x >= 0 && y >= 0 && x <= side && y <= side;
  };
  const show = (place) => {
    arena.hover = place;
    sketch.drawOver();
  };
  const metres = (event) => (arena.frame ? arena.frame.toMetres(...placeOf(event, host)) : [-1, -1]);
  host.addEventListener("pointermove", (event) => show(inside(metres(event)) ? metres(event) : null));
  host.addEventListener("pointerleave", () => show(null));
  host.addEventListener("click", (event) => {
    const place = metres(event);
    if (inside(place)) act(...place);
  });
  host.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!arena.frame || event.ctrlKey || event.metaKey || event.altKey) return;
    if (move) {
      const side = arena.page.constants.side_m, [x, y] = arena.hover ?? [side / 2, side / 2];
      const within = (v) => Math.min(side, Math.max(0, v));
      show([within(x + move[0] * NUDGE_M), within(y + move[1] * NUDGE_M)]);
    } else if (event.key === "Enter" && arena.hover) act(...arena.hover);
    else if (event.key === "Escape" && arena.hover) show(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

