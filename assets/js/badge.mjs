// What the session does, as one word with a shape; and why it stands or is not heard of.

import { STARTING, STARTING_RUN, whyDown, whyStale } from "./down.mjs";
import { h } from "./dom.mjs";

/** LIVE, PAUSED, REPLAY, STALE or DOWN, told by shape, word and colour; with the reason. */
export function badgeOf(app) {
  if (app.turnedAway) return { kind: "down", word: "LOGGED OUT", reason: "log in again to see what happens" };
  const { state, reason, worker } = app.meta ?? {};
  const starting = app.config.kind ? STARTING_RUN : STARTING, why = whyDown(app, starting);
  if (app.status === "down") return why === starting ? { kind: "waiting", word: "STARTING", reason: why } : { kind: "down", word: "DOWN", reason: why };
  if (app.status === "ended") return { kind: "paused", word: "ENDED", reason: worker.message };
  if (app.status === "stale") return { kind: "stale", word: `STALE ${app.age().toFixed(1)} s`, reason: whyStale(app.silent()) };
  if (app.status !== "live") return { kind: "waiting", word: "WAITING", reason: "" };
  if (app.view.mode === "rewind") return { kind: "replay", word: "REPLAY", reason: app.gone?.words ?? "" };
  if (app.view.mode === "paused") return { kind: "paused", word: "VIEW PAUSED", reason: app.gone?.words ?? "" };
  if (state === "running") return { kind: "live", word: "LIVE", reason: "" };
  return { kind: "paused", word: (state ?? "paused").toUpperCase(), reason: typeof reason === "string" ? reason : "" };
}

/** The bar's part with the badge. */
export function badge(app) {
  const word = h("span", { class: "badge-word" });
  const node = h("div", { class: "bar-part state", id: "state-badge", role: "status" }, h("span", { class: "badge" }, h("i", { class: "badge-shape", "aria-hidden": "true" }), word));
  return {
    node,
    refresh() {
      const state = badgeOf(app);
      if (node.dataset.state !== state.kind) node.dataset.state = state.kind;
      if (word.textContent !== state.word) word.textContent = state.word;
    },
  };
}

/** Why the run stands or is not heard of, as far as it fits; whole in its title and on the timeline. */
export function reasonLine(app) {
  const node = h("output", { class: "state-reason", id: "state-reason" });
  return {
    node,
    refresh() {
      const { reason } = badgeOf(app);
      if (node.textContent === reason) return;
      node.textContent = node.title = reason;
    },
  };
}
