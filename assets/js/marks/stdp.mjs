/** STDP window: the change that is really applied, over the pairs really observed. */

import { compact, emptyNote, label, plate, upright, wrapped } from "./paint.mjs";

const REACH = 100;
const TOPS = [1, 1.5, 2, 3, 5, 7.5, 10, 15];
const FALLBACK_TOP = 0.01;
let shown = {};

export const mark = {
  slug: "stdp",
  time: false,
  sameUnits: true,
  margin: { l: 64, r: 60 },

  layout: (scene) => ({
    xaxis: { range: [-reach(scene), reach(scene)], fixedrange: false, showgrid: true,
      title: { text: "dt = t_post − t_pre (ms)" } },
    yaxis: { range: [-top(scene), top(scene)], fixedrange: true, nticks: 6, tickformat: ".2~g",
      title: { text: quantity(stdp(scene)) } },
  }),

  layoutKey: (scene) => `${reach(scene)}|${top(scene)}|${quantity(stdp(scene))}`,

  /** Nothing to draw anew while samples, parameters and dopamine stay the same. */
  stillKey: (scene) => [scene.store.epoch, scene.store.histAt(scene.step1)?.step, scene.params?.rev,
    ...[...dopamine(scene), daLevel(scene)].map((v) => v.toFixed(3)), scene.store.meta?.weights_block].join("|"),

  draw(ctx, scene) {
    const { box, theme } = scene;
    const p = stdp(scene);
    if (!p) { emptyNote(ctx, box, "waiting for the parameters", theme); return; }
    const [ltp, ltd] = dopamine(scene);
    shown = { ...applied(p, daLevel(scene), ltp, ltd), ltp, ltd, tau_plus: p.tau_plus,
      tau_minus: p.tau_minus, reach: reach(scene), top: top(scene), pairs_sum: 0 };
    bars(ctx, scene);
    cross(ctx, box, theme);
    curve(ctx, scene, p);
    if (!scene.paused) caption(ctx, scene, p);
  },

  labels(ctx, scene) {
    const { box, theme } = scene;
    const most = shown.pairs_max ?? 0, p = stdp(scene);
    if (scene.paused && p) caption(ctx, scene, p);
    if (!most) return;
    for (const share of [1, 0.5]) {
      label(ctx, compact(most * share), box.x + box.w + 5, box.y + box.h * (1 - 0.45 * share), theme.muted);
    }
    upright(ctx, "pairs in 1 s", box.x + box.w + 46, box.y + box.h * 0.4, box.h * 0.6, theme.muted);
  },

  foot(scene) {
    const p = stdp(scene);
    if (!p) return "";
    const scheme = p.pairing === "all_to_all" ? "all to all" : "nearest";
    const path = scene.store.meta?.stdp_path;
    return `block ${scene.store.meta?.weights_block ?? 0} · ${scheme}, ${p.mode}, rate ${short(p.learning_rate)}, w_max ${short(p.w_max)}`
      + (path ? ` · path: ${path}` : "")
      + ` · bars: ${compact(shown.pairs_sum ?? 0)} pairs in 1 s`;
  },

  drawn: () => shown,
};

function stdp(scene) {
  const values = scene.params?.values;
  if (!values || !("stdp.a_plus" in values)) return null;
  const get = (name) => values[`stdp.${name}`];
  return Object.fromEntries(["enabled", "mode", "pairing", "learning_rate", "window_pre_to_post",
    "window_post_to_pre", "tau_plus", "tau_minus", "a_plus", "a_minus", "mu", "w_max",
    "da_gate"].map((n) => [n, get(n)]));
}

/** Dopamine's factors on A+ and A- at the newest step in view. */
function dopamine(scene) {
  const { store } = scene;
  if (store.empty || scene.step1 <= scene.step0) return [1, 1];
  const at = ((scene.step1 - 1) % store.capacity) * 5;
  return [store.gains[at + 2], store.gains[at + 3]];
}

/** Dopamine at the newest step in view. */
function daLevel({ store, step0, step1 }) {
  return store.empty || step1 <= step0 ? 0.5 : store.levels[((step1 - 1) % store.capacity) * 4];
}

/** What a pair changes: the weight, or in three-factor mode its eligibility. */
function quantity(p) { return p?.mode === "three_factor" ? "de" : "dw"; }

/** Amplitudes that act now, after switch, gate, mode and weight dependence; `words` say why. */
function applied(p, da, ltp, ltd) {
  const flat = (text) => ({ a_plus: 0, a_minus: 0, flat: true, words: [text] });
  if (!p.enabled || p.learning_rate === 0) return flat("STDP off");
  if (da < p.da_gate) return flat(`gated off: DA ${da.toFixed(2)} < gate ${p.da_gate.toFixed(2)}`);
  const three = quantity(p) === "de", words = [];
  const [plus, minus] = three ? [1, 1] : [p.learning_rate * ltp, p.learning_rate * ltd];
  if (three) words.push(`three-factor: dw = rate * eligibility * (DA - 0.5), now ${signed(da - 0.5)}`);
  if (p.mu > 0) words.push(`at w = w_max/2 = ${short(p.w_max / 2)} (mu ${short(p.mu)})`);
  return { a_plus: p.a_plus * plus * 0.5 ** p.mu, a_minus: p.a_minus * minus * 0.5 ** p.mu, flat: false, words };
}

function signed(v) { return `${v < 0 ? "-" : "+"}${Math.abs(v).toFixed(2)}`; }

function reach(scene) {
  const p = stdp(scene);
  return Math.max(REACH, p?.window_pre_to_post ?? 0, p?.window_post_to_pre ?? 0);
}

/** Half height of the dw axis: a round number above both amplitudes at full dopamine, also when off. */
function top(scene) {
  const p = stdp(scene);
  if (!p) return FALLBACK_TOP;
  const rate = p.learning_rate || 1;
  const [plus, minus] = quantity(p) === "de" ? [1, 1] : [1.5 * rate, 1.3 * rate];
  const most = Math.max(p.a_plus * plus, p.a_minus * minus) * 0.5 ** p.mu * 1.02 || FALLBACK_TOP;
  const power = 10 ** Math.floor(Math.log10(most));
  return TOPS.map((m) => m * power).find((t) => t >= most);
}

function bars(ctx, scene) {
  const { box, store } = scene;
  const record = store.histAt(scene.step1);
  if (!record) return;
  const block = store.meta.weights_block ?? 0;
  const n = record.pairs.length / record.L;
  const half = (n - 1) / 2, wide = box.w / (2 * reach(scene)) * scene.dt;
  let most = 1;
  for (let i = 0; i < n; i++) most = Math.max(most, record.pairs[block * n + i]);
  shown.pairs_max = most;
  ctx.globalAlpha = 0.45;
  for (let i = 0; i < n; i++) {
    const count = record.pairs[block * n + i], lag = i - half;
    shown.pairs_sum += count;
    const x = box.x + box.w / 2 + (lag - 0.45) * wide;
    const h = count / most * box.h * 0.45;
    ctx.fillStyle = lag < 0 ? "#0072B2" : "#E69F00";
    ctx.fillRect(x, box.y + box.h - h, Math.max(1, wide * 0.9), h);
  }
  ctx.globalAlpha = 1;
}

function cross(ctx, box, theme) {
  ctx.fillStyle = theme.line;
  ctx.fillRect(Math.round(box.x + box.w / 2), box.y, 1, box.h);
  ctx.fillRect(box.x, Math.round(box.y + box.h / 2), box.w, 1);
}

function curve(ctx, scene, p) {
  const { box, theme } = scene;
  const half = top(scene), far = reach(scene);
  const X = (dt) => box.x + box.w * (dt + far) / (2 * far);
  const Y = (dw) => box.y + box.h * (1 - (dw + half) / (2 * half));
  ctx.strokeStyle = shown.flat ? theme.muted : theme.fg;
  ctx.lineWidth = 2.5;
  for (const [sign, reachMs, amplitude, tau] of [
    [-1, p.window_post_to_pre, -shown.a_minus, p.tau_minus],
    [1, p.window_pre_to_post, shown.a_plus, p.tau_plus],
  ]) {
    ctx.beginPath();
    ctx.moveTo(X(0), Y(amplitude));
    const step = Math.max(0.25, far / 300);
    for (let d = 0; d <= reachMs; d += step) ctx.lineTo(X(sign * d), Y(amplitude * Math.exp(-d / tau)));
    ctx.lineTo(X(sign * reachMs), Y(0));
    ctx.lineTo(X(sign * far), Y(0));
    ctx.stroke();
  }
}

function caption(ctx, scene, p) {
  const { box, theme } = scene;
  const narrow = box.w < 400;
  const by = (gain) => (quantity(p) === "de" ? "" : narrow ? `×${gain.toFixed(2)}` : ` × ${gain.toFixed(2)} (DA)`);
  const rows = narrow ? [
    [`A− ${short(p.a_minus)}${by(shown.ltd)}`, `A+ ${short(p.a_plus)}${by(shown.ltp)}`],
    [`τ− ${short(p.tau_minus)} ms`, `τ+ ${short(p.tau_plus)} ms`],
  ] : [
    [`LTD: A− ${short(p.a_minus)}${by(shown.ltd)}`, `LTP: A+ ${short(p.a_plus)}${by(shown.ltp)}`],
    [`τ− ${short(p.tau_minus)} ms, to ${p.window_post_to_pre} ms`, `τ+ ${short(p.tau_plus)} ms, to ${p.window_pre_to_post} ms`],
  ];
  rows.forEach(([left, right], i) => {
    plate(ctx, left, box.x + 3, box.y + 10 + i * 15, theme.fg, theme.bg);
    plate(ctx, right, box.x + box.w - 3, box.y + 10 + i * 15, theme.fg, theme.bg, "right");
  });
  const lines = shown.words.flatMap((text) => wrapped(ctx, text, box.w / 2 - 12));
  lines.forEach((text, i) => plate(ctx, text, box.x + 3, box.y + 40 + i * 15, theme.alert, theme.bg));
}

function short(v) { return String(Number(Number(v).toPrecision(3))); }
