/** The board's page object: what is known of the session, what the view shows, and who listens. */

import { config, makePage } from "./page.mjs";
import { axisText } from "./format.mjs";
import { sessionOf } from "./sessions.mjs";

const SPAN_MIN = 100, SPAN_MAX = 10000;
const BLOCK_MS = 2000, READ_S = 3; // held history goes in blocks; how long its oldest window is still to be read
/** What of the view decides which data are asked for. */
export const ASKS = ["mode", "t1_ms", "span_ms", "rows", "membrane", "gate_block", "weights_block", "weights_view", "attention_block", "attention_view"];
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
  /** The earliest end of a window of held history that will not be dropped before it is read. */
  earliest() {
    const [lo, hi] = app.meta?.held ?? [0, 0];
    return Math.min(hi, lo + spare(lo, hi) + app.view.span_ms);
  },
  /** Show held history that ends at `t_ms`; a zoom goes with it. */
  seek(t_ms) {
    const hi = app.meta?.held?.[1] ?? t_ms;
    const t1_ms = Math.min(hi, Math.max(app.earliest(), t_ms)), by = t1_ms - app.view.t1_ms;
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
    if (changed) {
      choose();
      app.emit("view", Object.keys(WHOLE));
    }
    return changed;
  },
  /** Maximise one panel, or put the board back when it is maximised already. */
  maximise(slug) {
    app.view.maximised = app.view.maximised === slug ? null : slug;
    app.emit("maximise", app.view.maximised);
  },

  /**
   * What has gone from the held history since the window in view was chosen, or null: `{short, words, whole}`,
   * `whole` where none of it can be asked for any more. What is drawn of it stays.
   */
  get gone() {
    const { mode, t1_ms } = app.view, { epoch, held, axis } = app.meta ?? {};
    if (mode === "live" || !held) return null;
    const whole = epoch !== chosen.epoch || held[0] >= t1_ms;
    if (!whole && held[0] <= chosen.from_ms) return null;
    if (!whole) return { whole, short: "part no longer held", words: `this window is held from ${axisText(held[0], axis)} on: CSV, NPZ and table lack what was before` };
    const why = epoch === chosen.epoch ? "no longer held" : "of a run before this one";
    return { whole, short: why, words: `this window is ${why}: its pictures stay, CSV, NPZ and table cannot be made` };
  },

  /** One step as simulated ms. */
  get dt() { return app.meta?.dt ?? 1; },
});

const chosen = { epoch: null, from_ms: 0 };
const record = { epoch: null, first: 0 };
app.on("frame", ({ epoch, held }) => {
  if (held && epoch !== record.epoch) Object.assign(record, { epoch, first: held[0] });
});

/** How much of what is held from `lo` to `hi` may go while it is asked for: nothing before the first is dropped. */
function spare(lo, hi) {
  if (app.meta?.state !== "running" || lo <= record.first) return 0;
  return Math.min((hi - lo) / 4, BLOCK_MS + 1000 * READ_S * Math.max(1, app.meta.ratio ?? 1));
}

/** What is asked for now is of the record now held. */
function choose() {
  const { epoch = null, held } = app.meta ?? {}, { t1_ms, span_ms } = app.view;
  Object.assign(chosen, { epoch, from_ms: Math.max(0, t1_ms - span_ms, held?.[0] ?? 0) });
}

function change(patch) {
  const before = { ...app.view };
  Object.assign(app.view, patch);
  const changed = Object.keys(patch).filter((k) => before[k] !== app.view[k]);
  if (changed.some((key) => ASKS.includes(key))) choose();
  if (changed.length) app.emit("view", changed);
}
