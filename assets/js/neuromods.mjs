// The neuromodulators: for each its live level, a bolus, a hold, baseline and decay; and reward.

import { command } from "./api.mjs";
import { needs } from "./capabilities.mjs";
import { h } from "./dom.mjs";
import { num } from "./format.mjs";
import { createRow } from "./row.mjs";
import { parseNumber } from "./scale.mjs";
import { toast, toastError } from "./toasts.mjs";

const NAMES = { DA: "dopamine", ACh: "acetylcholine", NE: "noradrenaline", "5HT": "serotonin" };
const AMOUNT = { kind: "float", lo: -1, hi: 1, unit: "1", nullable: false };
let fields = 0;

/** Builds the group's body; returns its rows and `showLevels(levels)` for each frame. */
export function createNeuromods(app, specs, body) {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const held = specs.filter((spec) => spec.nullable);
  const cards = held.map((spec) => createCard(app, spec, byName));
  const used = new Set(cards.flatMap((card) => card.rows.map((row) => row.spec.name)));
  const rest = specs.filter((spec) => !used.has(spec.name)).map((spec) => createRow(app, spec));
  const switches = rest.filter((row) => row.spec.kind === "bool");
  const others = rest.filter((row) => row.spec.kind !== "bool");
  body.append(...switches.map((row) => row.node), ...cards.map((card) => card.node), rewardBar(app), ...others.map((row) => row.node));
  return { rows: [...rest, ...cards.flatMap((card) => card.rows)], showLevels: (levels) => cards.forEach((card, i) => card.show(levels[i])) };
}

function createCard(app, spec, byName) {
  const nt = spec.name;
  const fill = h("span", { class: "nt-fill" });
  const meter = h("span", { class: "nt-meter", role: "meter", "aria-valuemin": 0, "aria-valuemax": 1, "aria-label": `${NAMES[nt] ?? nt} level now` }, fill);
  const level = h("output", { class: "nt-level", text: "–" });
  const rows = [[nt, "hold at"], [`${nt}_baseline`, "baseline"], [`${nt}_tau`, "decay time"]]
    .filter(([name]) => byName.has(name))
    .map(([name, label]) => createRow(app, byName.get(name), { label }));
  const title = h("span", { class: "nt-name", text: spec.label.split(" ")[0], title: NAMES[nt] ?? nt });
  const head = h("div", { class: "nt-head" }, title, meter, level, bolus(app, nt));
  const node = h("div", { class: "nt-card", data: { nt } }, head, ...rows.map((row) => row.node));
  return {
    node,
    rows,
    show(value) {
      if (!Number.isFinite(value)) return;
      fill.style.width = `${100 * value}%`;
      meter.setAttribute("aria-valuenow", value.toFixed(2));
      level.textContent = value.toFixed(2);
    },
  };
}

function bolus(app, nt) {
  return amountButton(app, {
    name: "inject",
    label: `Bolus of ${NAMES[nt] ?? nt}, added to the level`,
    start: "0.3",
    button: "Inject",
    data: { inject: nt },
    send: (level) => command({ type: "inject", nt, level }),
    done: (level, ack) => `${nt} ${level >= 0 ? "+" : ""}${num(level)} injected at step ${ack.step}`,
  });
}

function rewardBar(app) {
  const reward = amountButton(app, {
    name: "reward",
    label: "Reward r, bypasses the expectation",
    start: "1",
    button: "Reward",
    data: { reward: "given" },
    send: (value) => command({ type: "reward", value }),
    done: (value, ack) => `reward ${num(value)} given at step ${ack.step}`,
  });
  return h("div", { class: "reward-bar" }, h("span", { class: "nt-name", text: "Reward" }), reward);
}

/** An exact amount with its button for the command `name`; a refused amount is explained under it. */
function amountButton(app, { name, label, start, button, data, send, done }) {
  fields += 1;
  const id = `amount-${fields}`;
  const message = h("output", { class: "row-message", id, data: { kind: "error" } });
  const box = h("input", { type: "text", inputMode: "decimal", class: "row-box", value: start, "aria-label": label, title: `${label}, -1 to 1`, "aria-describedby": id });
  const give = async () => {
    const read = parseNumber(AMOUNT, box.value);
    box.setAttribute("aria-invalid", String(Boolean(read.error)));
    message.textContent = read.error ? `${button}: ${read.error}` : "";
    if (read.error) return;
    try {
      toast(done(read.value, await send(read.value)));
    } catch (error) {
      toastError(error);
    }
  };
  box.addEventListener("keydown", (event) => event.key === "Enter" && give());
  const act = h("button", { type: "button", text: button, data, title: label, on: { click: give } });
  needs(app, name, box, act);
  return h("span", { class: "amount" }, box, act, message);
}
