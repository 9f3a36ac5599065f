// What a picture or a link must say of itself: program, configuration, seed, times.

import { eventText } from "./marks/events.mjs";
import { basePath } from "./paths.mjs";
import { pathText, withUnit } from "./format.mjs";

/** Version, commit, configuration digest, seed, dt, simulated and UTC time of this moment. */
export function provenance(app, params = app.params) {
  const { config, meta } = app;
  return {
    version: config.version ?? "unknown",
    commit: config.commit || "no commit",
    config_digest: params?.digest ?? "…",
    seed: meta?.seed ?? null,
    dt_ms: meta?.dt ?? 1,
    step: meta?.step1 ?? null,
    t_ms: meta?.t_ms ?? null,
    speed: meta?.speed ?? null,
    ratio: meta?.ratio ?? null,
    utc: `${new Date().toISOString().slice(0, 19)}Z`,
    session: app.session,
  };
}

/** The changed parameters as words: `lif.v_thresh 1.1 (1)`, overrides with their place. */
export function changedTexts(params) {
  const byPath = new Map((params?.specs ?? []).map((spec) => [spec.path, spec]));
  return Object.entries(params?.non_default ?? {}).map(([path, value]) => {
    const spec = byPath.get(basePath(path));
    const wider = path === spec?.path ? spec.default : params.values[basePath(path)];
    return `${pathText(path)} ${withUnit(value, spec?.unit)} (${withUnit(wider, "")})`;
  });
}

const GIVEN = ["inject", "reward"];
const MOST = 12;

/** Injections and rewards inside the window shown, as words: `DA +0.3 @ 11.8 s`; the newest last. */
export function givenTexts(app) {
  const { store, t0_ms, t1_ms } = app.scene?.() ?? { store: { events: [] } };
  const inside = ({ type, t_ms: t }) => GIVEN.includes(type) && t >= t0_ms && t <= t1_ms;
  return store.events.filter(inside).slice(-MOST).map((event) => `${eventText(event)} @ ${(event.t_ms / 1000).toFixed(2)} s`);
}
