/**
 * Inspecting: the window in view as Plotly traces (zoom, hover), while the run goes on.
 * Rewinding draws held history on the canvas at once and turns into traces when the bar rests.
 */

import { askBytes, askJson } from "./ask.mjs";
import { decode } from "./wire.mjs";
import { Store } from "./store.mjs";
import { theme } from "./colors.mjs";
import { fitFigure } from "./fit.mjs";
import { axisText } from "./format.mjs";
import { COARSE } from "./layout.mjs";
import { toast } from "./toasts.mjs";

const SETTLE_MS = 450, RESIZE_MS = 200;
const CLICK_PX = 4;
const DOUBLE_MS = 300; // two clicks nearer than this are one double click
const AT_ONCE = 4;
const MOST_MOVES = 6;
const CONFIG = {
  displaylogo: false, showSendToCloud: false, plotlyServerURL: "", responsive: true,
  displayModeBar: COARSE ? true : "hover", doubleClick: "reset",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "toImage", ...COARSE ? ["zoom2d", "pan2d", "autoScale2d"] : []],
};

export class Inspector {
  constructor(app, board, loop) {
    Object.assign(this, { app, board, loop });
    this.past = new Store(32768);
    this.turn = 0;
    this.moves = 0;
    this.quiet = 0;
    app.on("view", (changed) => this.#view(changed));
    for (const name of ["theme", "maximise"]) {
      app.on(name, () => { if (app.view.mode !== "live") this.#settle(100); });
    }
    window.addEventListener("resize", () => { if (app.view.mode !== "live") this.#settle(RESIZE_MS); });
    app.panelFigure = (slug) => this.figure(slug);
    for (const surface of board.surfaces.values()) this.#listen(surface);
  }

  /** The window in view as `[from_ms, to_ms]`. */
  window() {
    const { view } = this.app;
    const t1 = view.mode === "live" ? this.board.scene?.t1_ms ?? 0 : view.t1_ms;
    return [Math.max(0, t1 - view.span_ms), t1];
  }

  /** What the time axes show: the zoom, or the whole span, also where a run is younger than it. */
  #range() {
    const { zoom, t1_ms, span_ms } = this.app.view;
    return zoom ?? [t1_ms - span_ms, t1_ms];
  }

  /** Query for a panel's figure or data over the window in view. */
  query(slug) {
    const [from_ms, to_ms] = this.window();
    const { view } = this.app;
    const option = slug === "raster" ? { order: view.order }
      : slug === "neuromod" ? { view: view.neuromod_view } : {};
    return { from_ms, to_ms, ...this.app.viewQuery(), ...option };
  }

  /** The panel's Plotly figure from the server, over the window in view. */
  async figure(slug) {
    const query = { ...this.query(slug), theme: theme().dark ? "dark" : "light" };
    return askJson(this.app.url(`/panels/${slug}.json`, query));
  }

  #view(changed) {
    const { view } = this.app;
    if (view.mode === "live") {
      if (changed.includes("mode")) this.#goLive();
      return;
    }
    if (changed.length === 1 && changed[0] === "zoom") { this.#zoomAll(); return; }
    if (this.app.gone) { this.#keep(); return; }
    for (const slug of ["weights", "attention"]) {
      if (changed.includes(`${slug}_view`)) this.board.surfaces.get(slug).zoom = null;
    }
    this.turn++;
    this.#readPast();
    const still = changed.includes("mode") && view.mode === "paused";
    if (!still) for (const surface of this.board.surfaces.values()) surface.setLive(true);
    this.#settle(still ? 0 : SETTLE_MS);
  }

  #goLive() {
    this.turn++;
    clearTimeout(this.timer);
    this.board.source = null;
    this.board.frozen_t1 = null;
    for (const surface of this.board.surfaces.values()) surface.setLive(true);
    this.loop.schedule();
  }

  /** Held history into its own store; while one request is out, only the newest wish waits. */
  async #readPast() {
    if (this.reading) { this.wanted = true; return; }
    this.reading = true;
    this.wanted = false;
    const [from_ms, to_ms] = this.window();
    try {
      const frame = decode(await askBytes(this.app.url("/window", { from_ms, to_ms, ...this.app.viewQuery() })));
      if (this.app.view.mode !== "live") {
        this.past.append(frame);
        this.board.source = this.past;
        this.loop.schedule();
      }
    } catch (error) {
      const asked = to_ms === this.window()[1];
      if (asked && !this.#moveOn(error)) this.app.emit("problem", String(error.message ?? error));
    } finally {
      this.reading = false;
      if (this.wanted) this.#readPast();
    }
  }

  #settle(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.app.gone ? this.#keep() : this.#showTraces(++this.turn)), delay);
  }

  /** Traces of a window that has gone cannot be made anew: the film draws what the page has of it. */
  #keep() {
    this.turn++;
    clearTimeout(this.timer);
    for (const surface of this.board.surfaces.values()) surface.setLive(true);
    this.app.setView({ zoom: null });
    this.loop.schedule();
  }

  /** Every panel on the page as traces: a few asked for at a time, those on screen first. */
  async #showTraces(turn) {
    const panels = [...this.board.surfaces.values()].filter((surface) => surface.look());
    const waiting = [...panels.filter(onScreen), ...panels.filter((surface) => !onScreen(surface))];
    const failed = new Map();
    const hand = async () => {
      while (waiting.length && turn === this.turn) await this.#showTrace(waiting.shift(), turn, failed);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, hand));
    if (turn !== this.turn) return;
    for (const [why, slugs] of failed) this.app.emit("problem", `${slugs.join(", ")}: ${why}`);
    if (!failed.size) this.moves = 0;
    this.app.emit("inspect", this.window());
  }

  /** One panel as traces; why it cannot goes to `failed`, which names the panels of each reason. */
  async #showTrace(surface, turn, failed) {
    try {
      const figure = await this.figure(surface.slug);
      if (turn === this.turn && this.app.view.mode !== "live") await this.#react(surface, figure, turn);
    } catch (error) {
      if (turn !== this.turn || this.#moveOn(error)) return;
      const why = String(error.message ?? error);
      failed.set(why, [...failed.get(why) ?? [], surface.slug]);
    }
  }

  /**
   * Where the window in view was dropped while it was asked for: to the oldest that is held, each time
   * in a row further from what goes next. False where that is not why it was refused.
   */
  #moveOn({ status, detail }) {
    const { app } = this, { lo, hi } = detail ?? {}, before = app.view.t1_ms;
    if (status !== 416 || !(hi > lo) || this.moves >= MOST_MOVES || app.view.mode === "live") return false;
    app.meta = { ...app.meta, held: [lo, hi] };
    app.seek(app.earliest() + this.moves * (hi - lo) / MOST_MOVES);
    this.moves += 1;
    if (app.view.t1_ms === before) return false;
    const now = axisText(app.view.t1_ms, app.meta.axis, 2);
    toast(`That part of the run is not held; the view has moved on to ${now}.`, { merge: "moved on" });
    return true;
  }

  async #react(surface, figure, turn) {
    const layout = figure.layout;
    layout.uirevision = `${surface.slug}-${this.app.view.t1_ms}-${this.app.view.span_ms}`;
    fitFigure(figure, this.board.upToDate(surface.slug));
    const range = surface.time ? this.#range() : surface.zoom;
    if (range) layout.xaxis = { ...layout.xaxis, range: [...range], autorange: false };
    await this.#quietly(() => window.Plotly.react(surface.gd, figure.data, layout, CONFIG));
    if (turn === this.turn && this.app.view.mode !== "live") surface.setLive(false);
  }

  /** Plotly's own redraws are no zoom of the user's. */
  async #quietly(draw) {
    this.quiet += 1;
    try { await draw(); } finally { this.quiet -= 1; }
  }

  /** Zoom by drag, click on a raster row (a double click is Plotly's: zoom out); the film stands still while the pointer is down. */
  #listen(surface) {
    surface.gd.on("plotly_relayout", (event) => this.#relayout(surface, event));
    surface.gd.addEventListener("mousedown", passLabel, true);
    surface.plot.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest(".modebar, .panel-table")) return;
      const twice = event.timeStamp - (this.downAt ?? -Infinity) < DOUBLE_MS;
      this.downAt = event.timeStamp;
      clearTimeout(this.click);
      this.down = { surface, x: event.clientX, y: event.clientY, twice };
      if (this.app.view.mode === "live") this.board.frozen_t1 = this.board.scene?.t1 ?? null;
    }, true);
    if (this.upListening) return;
    this.upListening = true;
    window.addEventListener("pointerup", (event) => setTimeout(() => this.#up(event), 60), true);
  }

  #up(event) {
    const down = this.down;
    this.down = null;
    this.board.frozen_t1 = null;
    if (!down || down.twice || down.surface.slug !== "raster") return;
    if (Math.hypot(event.clientX - down.x, event.clientY - down.y) > CLICK_PX) return;
    const id = this.neuronAt(down.surface, event.clientX, event.clientY);
    if (id !== null) this.click = setTimeout(() => this.app.watchNeuron(id), DOUBLE_MS);
  }

  /** Neuron id of the raster row at page position (x, y), or null outside the plot. */
  neuronAt(surface, x, y) {
    const rect = surface.plot.getBoundingClientRect(), box = surface.box();
    const px = x - rect.left - box.x, py = y - rect.top - box.y;
    if (px < 0 || py < 0 || px > box.w || py > box.h) return null;
    const place = Math.round(surface.gd._fullLayout.yaxis.p2d(py));
    const { scene } = surface;
    return scene.rows[scene.order ? scene.order.inverse[place] : place] ?? null;
  }

  #relayout(surface, event) {
    if (this.quiet) return;
    const range = event["xaxis.range"] ?? [event["xaxis.range[0]"], event["xaxis.range[1]"]];
    const zoomed = Number.isFinite(range[0]) && Number.isFinite(range[1]);
    if (!zoomed) {
      if (event["xaxis.autorange"] && this.app.view.zoom) this.app.setView({ zoom: null });
      return;
    }
    if (this.app.gone && surface.live) { surface.key = null; this.loop.schedule(); return; }
    if (this.app.view.mode !== "live") {
      if (surface.time) this.app.setView({ zoom: range.map(Number) });
      else surface.zoom = range;
      return;
    }
    const t1_ms = (this.board.frozen_t1 ?? this.board.scene.t1) * this.app.dt;
    this.board.frozen_t1 = null;
    if (!surface.time) surface.zoom = range;
    const zoom = surface.time ? range.map((v) => v + t1_ms) : null;
    this.app.setView({ mode: "paused", t1_ms, zoom });
  }

  /** Bring every time panel to the same x range. */
  async #zoomAll() {
    const range = this.#range();
    for (const surface of this.board.surfaces.values()) {
      if (!surface.time || surface.live || !surface.visible) continue;
      const now = surface.gd.layout?.xaxis?.range ?? [];
      if (Math.abs(now[0] - range[0]) < 1e-6 && Math.abs(now[1] - range[1]) < 1e-6) continue;
      await this.#quietly(() => window.Plotly.relayout(surface.gd, { "xaxis.range": [...range] }));
    }
  }
}

/** True when some of the panel is inside the browser's window. */
function onScreen(surface) {
  const { top, bottom } = surface.plot.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}

/** A press on the label of an event begins the drag on the plot under it, which the label, hovered for its text, would swallow. */
function passLabel(event) {
  const drag = event.target.closest(".annotation-text-g") && event.currentTarget.querySelector(".nsewdrag");
  if (!drag) return;
  event.stopImmediatePropagation();
  drag.dispatchEvent(new MouseEvent("mousedown", event));
}
