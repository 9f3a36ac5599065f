/** Breakpoints in words, for the list that shows them and the messages of other tabs. */

import { num } from "./format.mjs";

/** A breakpoint in words: `block 2 LIF in rate above 120 Hz over 100 ms`. */
export function sentence(app, { kind, group, neuron, op, bound, window_ms: ms, finding, severity }) {
  if (kind === "rate") return `${stageName(app, group)} rate ${op} ${num(bound)} Hz over ${ms} ms`;
  if (kind === "spike") return `neuron ${neuron} fires`;
  if (kind === "membrane") return `membrane of neuron ${neuron} ${op} ${num(bound)}`;
  if (kind === "weight") return `block ${group}: share of weights at w_max ${op} ${num(bound)}`;
  if (kind === "finding") return `finding: ${findingName(app, finding)}, ${severity} or graver`;
  return "anything is NaN";
}

const findingName = (app, id) =>
  (app.config.health?.rules ?? []).find((rule) => rule.id === id)?.title ?? "any";

function stageName(app, group) {
  return app.manifest?.groups?.[group]?.name ?? `stage ${group}`;
}
