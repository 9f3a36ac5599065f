/** The board's page object: what is known of the session, what the view shows, and who listens. */

import { config, makePage } from "./page.mjs";
import { sessionOf } from "./sessions.mjs";

const SPAN_MIN = 100, SPAN_MAX = 10000;
const WHOLE = { rows: "spread:200", membrane: [], gate_block: 0, weights_block: 0, attention_block: 0, weights_view: "histogram", attention_view: "age" };

export const app = makePage(sessionOf(location.search, config.session ?? "default"), {
  view: {
    mode: "live", span_ms: config.span_ms ?? 1000, t1_ms: 0, ...WHOLE,
    neuromod_view: "levels", order: "id", zoom: null,
  },

  /** What to ask the server for, so that it sends what this view shows. */
  viewQuery() {
    const { rows, membrane, gate_block, weights_block, attention_block, weights_view, attention_view } = app.view;
    return {
      rows, membrane: membrane.length ? membrane.join(",") : null, gate_block, weights_block,
      attention_block, weights_view: weights_view === "matrix" ? weights_view : null,
      attention_view: attention_view === "matrix" ? attention_view : null,
    };
  },

  /** Hold the picture while the run goes on. */
  pauseView() {
    if (app.view.mode === "live") change({ mode: "paused", t1_ms: app.meta?.t_ms ?? 0 });
  },
  /** Follow the run again. */
  liveView() { change({ mode: "live", zoom: null }); },
  /** Show held history that ends at `t_ms`; a zoom goes with it. */
  seek(t_ms) {
    const [lo, hi] = app.meta?.held ?? [0, t_ms];
    const first = Math.min(hi, lo + app.view.span_ms);
    const t1_ms = Math.min(hi, Math.max(first, t_ms)), by = t1_ms - app.view.t1_ms;
    change({ mode: "rewind", t1_ms, zoom: app.view.zoom?.map((v) => v + by) ?? null });
  },
  /** Move what is shown by a share of its width; a zoom moves in its window and takes it along at its ends. */
  pan(share) {
    const { zoom, t1_ms, span_ms, mode } = app.view;
    if (!zoom) { app.seek(t1_ms + share * span_ms); return; }
    const [lo, hi] = app.meta?.held ?? zoom;
    const by = Math.min(hi - zoom[1], Math.max(lo - zoom[0], share * (zoom[1] - zoom[0])));
    const [from, to] = zoom.map((v) => v + by);
    const end = Math.min(Math.max(t1_ms, to), from + span_ms);
    change({ mode: end === t1_ms ? mode : "rewind", t1_ms: end, zoom: [from, to] });
  },
  /** Length of the window in ms, 100 to 10 000. */
  setSpan(ms) {
    const span_ms = Math.min(SPAN_MAX, Math.max(SPAN_MIN, Math.round(Number(ms) || SPAN_MIN)));
    change({ span_ms, zoom: null });
  },
  /** Rows of the raster: `spread:200`, `block:2`, `stage:4`, `all` or ids `1,2,3`. */
  setRows(rows) { change({ rows: String(rows) }); },
  /** Change other parts of the view: gate_block, weights_block, attention_block, order, zoom, … */
  setView(patch) { change(patch); },
  /** Ask for the default rows, membranes and blocks again; false where that was asked already. */
  defaultView() {
    const before = JSON.stringify(app.viewQuery());
    Object.assign(app.view, WHOLE);
    const changed = JSON.stringify(app.viewQuery()) !== before;
    if (changed) app.emit("view", Object.keys(WHOLE));
    return changed;
  },
  /** Maximise one panel, or put the board back when it is maximised already. */
  maximise(slug) {
    app.view.maximised = app.view.maximised === slug ? null : slug;
    app.emit("maximise", app.view.maximised);
  },

  /** One step as simulated ms. */
  get dt() { return app.meta?.dt ?? 1; },
});

function change(patch) {
  const before = { ...app.view };
  Object.assign(app.view, patch);
  const changed = Object.keys(patch).filter((k) => before[k] !== app.view[k]);
  if (changed.length) app.emit("view", changed);
}
