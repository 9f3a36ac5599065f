/** All panels together: find them, draw the newest window into each, answer what they show. */

import { mountHover } from "./hover.mjs";
import { SceneMaker } from "./scene.mjs";
import { Surface } from "./layout.mjs";
import { mark as raster } from "./marks/raster.mjs";
import { mark as membrane } from "./marks/membrane.mjs";
import { mark as neuromod } from "./marks/neuromod.mjs";
import { mark as weights } from "./marks/weights.mjs";
import { mark as gate } from "./marks/gate.mjs";
import { mark as rate } from "./marks/rate.mjs";
import { mark as stdp } from "./marks/stdp.mjs";
import { mark as stimulus } from "./marks/stimulus.mjs";
import { mark as attention } from "./marks/attention.mjs";
import { mark as receptive } from "./marks/receptive.mjs";
import { mark as accuracy } from "./marks/accuracy.mjs";
import { mark as isi } from "./marks/isi.mjs";
import { mark as regularity } from "./marks/regularity.mjs";

const MARKS = Object.fromEntries(
  [raster, membrane, neuromod, weights, gate, rate, stdp, stimulus, attention,
    receptive, accuracy, isi, regularity].map((mark) => [mark.slug, mark]));
const LABELS_MS = 250, LABELS_AT_ONCE = 2;

export class Board {
  constructor(app) {
    this.app = app;
    this.surfaces = new Map();
    this.maker = new SceneMaker(app);
    this.drawnAt = 0;
    this.source = null;
    this.frozen_t1 = null;
  }

  /** Wait for Dash's sections and graphs; `onChange` is called at Plotly's own redraws. */
  async find(onChange) {
    this.onChange = onChange;
    this.app.on("tick", () => this.#tell());
    const sections = () => [...document.querySelectorAll("#board section.panel[data-slug]")];
    await until(() => window.Plotly && sections().length > 0);
    for (const section of sections()) {
      const mark = MARKS[section.dataset.slug];
      if (mark) this.surfaces.set(section.dataset.slug, new Surface(section, mark, onChange, this.app.view));
    }
    await until(() => [...this.surfaces.values()].every((surface) => surface.ready));
    for (const surface of this.surfaces.values()) {
      surface.watch(onChange);
      mountHover(surface);
    }
    new ResizeObserver(onChange).observe(document.getElementById("board"));
  }

  /** Draw from `store` once, latest wins: every panel in view, or all where the picture stands. */
  draw(store) {
    const record = this.source ?? store;
    const end = this.source ? this.app.view.t1_ms / this.app.dt : this.frozen_t1 ?? this.#end(store);
    const scene = this.scene = this.maker.make(record, end);
    this.zoomed = this.maker.zoomed(scene);
    const still = this.app.view.mode !== "live";
    const due = [...this.surfaces.values()].filter((surface) => surface.due && (still || surface.inView));
    const seldom = still || scene.status !== "live" || scene.now - this.drawnAt > LABELS_MS / 2;
    const labelled = this.#labelled(due, seldom);
    this.drawnAt = scene.now;
    for (const surface of due) surface.draw(this.#sceneOf(surface), labelled.has(surface));
    if (seldom) this.#tell();
    clearTimeout(this.later);
    if (labelled.size < due.length) this.later = setTimeout(() => this.onChange?.(), LABELS_MS);
  }

  /** The panels whose labels are drawn now: all, or a few that waited longest, so that no frame takes long. */
  #labelled(due, all) {
    if (all) return new Set(due);
    const old = due.filter((surface) => this.scene.now - surface.labelledAt > LABELS_MS);
    return new Set(old.sort((a, b) => a.labelledAt - b.labelledAt).slice(0, LABELS_AT_ONCE));
  }

  /** What a panel draws and tells: traces on a zoomed time axis are told of as far as they are in view. */
  #sceneOf({ time, live }) { return time && !live ? this.zoomed : this.scene; }

  #tell() { for (const surface of this.surfaces.values()) surface.tell(); }

  /** The panel's surface, drawn up to date also where it is out of view. */
  upToDate(slug) {
    const surface = this.surfaces.get(slug);
    if (surface && this.scene && surface.due && surface.drew !== this.#sceneOf(surface)) {
      surface.draw(this.#sceneOf(surface), true);
      surface.tell();
    }
    return surface;
  }

  #end(store) {
    const { view } = this.app;
    return view.mode === "paused" ? view.t1_ms / this.app.dt : store.step1;
  }

  /** What the canvas of `slug` shows now: counts, sums, first and last step. */
  drawn(slug) {
    const surface = this.upToDate(slug);
    if (!surface?.scene) return null;
    const { step0, step1, t0_ms, t1_ms, store } = surface.scene;
    return { step0, step1, t0_ms, t1_ms, epoch: store.epoch, live: surface.live, ...surface.mark.drawn() };
  }
}

/** Resolves once `test()` is true. */
export function until(test, every = 50) {
  return new Promise((resolve) => {
    const look = () => (test() ? resolve() : setTimeout(look, every));
    look();
  });
}
