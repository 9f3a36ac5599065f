/** Many small maps side by side: place cells and grid cells to choose from, time cells as one picture. */

import { CIVIDIS_STOPS } from "../colors.mjs";
import { colorBar, emptyNote, label, plate } from "../marks/paint.mjs";
import { Atlas } from "./atlas.mjs";
import { placeOf } from "../sketch.mjs";

const GAP = 4, BAR = 74, ACCENT = "#D55E00";
const NOTHING = "No maps yet: they form while the agent walks";

/** Rate maps of the cells [first, first + n) in rows of `columns`. */
export class MapBoard {
  /** @param {object} page the page's state  @param {{kind: string, columns: () => number, rowName?: Function}} options */
  constructor(page, { kind, columns, rowName = null }) {
    Object.assign(this, { page, kind, columns, rowName, hover: -1 });
    this.atlas = new Atlas();
  }

  #layout({ w, h }) {
    const { constants } = this.page, n = constants.cells[this.kind], columns = this.columns(constants);
    const rows = Math.ceil(n / columns), left = this.rowName ? 62 : 6;
    const size = Math.max(8, Math.min((w - left - BAR) / columns - GAP, (h - 6) / rows - GAP));
    return { n, columns, rows, left, size, first: this.page.first(this.kind) };
  }

  #boxOf({ columns, left, size }, k) {
    return [left + (k % columns) * (size + GAP), 2 + Math.floor(k / columns) * (size + GAP)];
  }

  paint(ctx, view) {
    const { store, selected, constants } = this.page, maps = store.newest.maps, { look } = view;
    const plan = this.plan = this.#layout(view);
    if (!maps) { emptyNote(ctx, { x: 0, y: 0, w: view.w, h: view.h }, NOTHING, look); return; }
    this.atlas.take(maps);
    for (let k = 0; k < plan.n; k++) {
      const [x, y] = this.#boxOf(plan, k);
      this.atlas.draw(ctx, plan.first + k, x, y, plan.size, plan.size);
      if (plan.first + k === selected) frame(ctx, x, y, plan.size, ACCENT, 2.5);
      else frame(ctx, x, y, plan.size, look.grid, 1);
    }
    if (this.rowName) {
      for (let r = 0; r < plan.rows; r++) {
        const y = this.#boxOf(plan, r * plan.columns)[1] + plan.size / 2;
        this.rowName(store, r).forEach((text, i, all) => label(ctx, text, 4, y + (i - (all.length - 1) / 2) * 14, i ? look.muted : look.fg));
      }
    }
    const x = this.#boxOf(plan, plan.columns - 1)[0] + plan.size + 10;
    const h = Math.min(view.h - 16, plan.rows * (plan.size + GAP) - GAP), full = constants.full_hz[plan.first];
    colorBar(ctx, { x, y: 4, h }, CIVIDIS_STOPS, [[0, "0"], [0.5, (full / 2).toFixed(0)], [1, full.toFixed(0)]], "Hz", look);
  }

  /** The name of the map under the pointer. */
  over(ctx, view) {
    if (this.hover < 0 || !this.plan) return;
    const [x, y] = this.#boxOf(this.plan, this.hover), { size } = this.plan;
    frame(ctx, x, y, size, view.look.fg, 2);
    const text = this.page.titleOf(this.plan.first + this.hover), right = x > view.w / 2;
    plate(ctx, text, right ? x + size : x, y + size + 10 < view.h ? y + size + 9 : y - 9, view.look.fg, view.look.bg, right ? "right" : "left");
  }

  /** The cell at a place of the panel, or -1. */
  at([px, py]) {
    if (!this.plan) return -1;
    const { columns, n, left, size } = this.plan;
    const c = Math.floor((px - left) / (size + GAP)), r = Math.floor((py - 2) / (size + GAP));
    const k = r * columns + c;
    return c < 0 || c >= columns || r < 0 || k >= n ? -1 : k;
  }
}

/** Rate of every time cell over the time in the episode, with the time it is now. */
export class TimeBoard {
  constructor(page) {
    Object.assign(this, { page, kind: "time", hover: -1 });
    this.atlas = new Atlas();
  }

  paint(ctx, view) {
    const { store, selected, constants } = this.page, maps = store.newest.time_maps, { look } = view;
    const box = this.box = { x: 44, y: 4, w: Math.max(20, view.w - 44 - BAR), h: Math.max(20, view.h - 34) };
    if (!maps) { emptyNote(ctx, { x: 0, y: 0, w: view.w, h: view.h }, NOTHING, look); return; }
    const [n, bins] = maps.shape, seconds = this.page.value("recall.length") ?? 10;
    const shown = Math.min(bins, Math.ceil(seconds / constants.time_bin_s)), span = shown * constants.time_bin_s;
    this.#take(maps, n, bins);
    this.atlas.draw(ctx, 0, box.x, box.y, box.w, box.h, shown / bins);
    const tall = box.h / n, chosen = selected - this.page.first("time");
    for (let k = 0; k < n; k++) if (k === 0 || (k + 1) % 4 === 0) label(ctx, String(k + 1), box.x - 6, box.y + box.h - (k + 0.5) * tall, look.fg, "right");
    if (chosen >= 0) {
      ctx.strokeStyle = ACCENT;
      ctx.lineWidth = 2;
      ctx.strokeRect(box.x, box.y + box.h - (chosen + 1) * tall, box.w, tall);
    }
    ctx.strokeStyle = look.line;
    ctx.lineWidth = 1;
    ctx.strokeRect(box.x - 0.5, box.y - 0.5, box.w + 1, box.h + 1);
    for (let t = 0; t <= span + 1e-9; t += span > 12 ? 5 : 2) label(ctx, String(t), box.x + t / span * box.w, box.y + box.h + 11, look.fg, "center");
    label(ctx, "s since the episode began", box.x + box.w / 2, box.y + box.h + 24, look.muted, "center");
    label(ctx, "cell", 4, box.y + 7, look.muted);
    const now = store.column("path", 3)?.at(-1);
    if (Number.isFinite(now) && now <= span) this.#now(ctx, look, box.x + now / span * box.w);
    const full = constants.full_hz[this.page.first("time")];
    colorBar(ctx, { x: box.x + box.w + 10, y: box.y, h: box.h }, CIVIDIS_STOPS, [[0, "0"], [1, full.toFixed(0)]], "Hz", look);
  }

  /** All cells are the rows of one map. */
  #take(maps, n, bins) {
    if (maps === this.seen) return;
    this.seen = maps;
    this.atlas.take({ data: maps.data, shape: [1, n, bins] });
  }

  #now(ctx, look, x) {
    ctx.fillStyle = ACCENT;
    ctx.fillRect(x - 1, this.box.y, 2, this.box.h);
    ctx.beginPath();
    ctx.moveTo(x - 5, this.box.y - 3);
    ctx.lineTo(x + 5, this.box.y - 3);
    ctx.lineTo(x, this.box.y + 4);
    ctx.fill();
  }

  over(ctx, view) {
    if (this.hover < 0 || !this.box) return;
    const n = this.page.constants.cells.time, tall = this.box.h / n, y = this.box.y + this.box.h - (this.hover + 1) * tall;
    ctx.strokeStyle = view.look.fg;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(this.box.x, y, this.box.w, tall);
    plate(ctx, this.page.titleOf(this.page.first("time") + this.hover), this.box.x + this.box.w / 2, y < 24 ? y + tall + 9 : y - 9, view.look.fg, view.look.bg, "center");
  }

  at([px, py]) {
    const { box } = this;
    if (!box || px < box.x || px > box.x + box.w || py < box.y || py > box.y + box.h) return -1;
    return Math.floor((box.y + box.h - py) / (box.h / this.page.constants.cells.time));
  }
}

function frame(ctx, x, y, size, color, width) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.strokeRect(x - width / 2, y - width / 2, size + width, size + width);
}

/** Pointer and keys of a board: a click chooses, arrows go to the next cell. */
export function followBoard(sketch, board, page) {
  const { host } = sketch;
  const show = (k) => {
    if (k === board.hover) return;
    board.hover = k;
    sketch.drawOver();
  };
  host.addEventListener("pointermove", (event) => show(board.at(placeOf(event, host))));
  host.addEventListener("pointerleave", () => show(-1));
  host.addEventListener("click", (event) => {
    const k = board.at(placeOf(event, host));
    if (k >= 0) page.select(page.first(board.kind) + k);
  });
  host.addEventListener("keydown", (event) => {
    if (!page.constants || event.ctrlKey || event.metaKey || event.altKey) return;
    const wide = board.columns?.(page.constants) ?? -1;
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -wide, ArrowDown: wide }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const first = page.first(board.kind), n = page.constants.cells[board.kind], now = page.selected - first;
    const next = now < 0 || now >= n ? 0 : Math.min(n - 1, Math.max(0, now + move));
    page.select(first + next);
  });
}
