// One word in numbers, and what the user says it led to.

import { command } from "../api.mjs";
import { needs } from "../capabilities.mjs";
import { h } from "../dom.mjs";
import { parseNumber } from "../scale.mjs";

const two = (value) => (Number.isFinite(value) ? value.toFixed(2) : "–");
const signed = (value) => (Number.isFinite(value) ? `${value >= 0.005 ? "+" : ""}${value.toFixed(2).replace("-0.00", "0.00")}` : "–");
const COLUMNS = ["votes", "go", "nogo", "gpi", "release"];
const NAMES = { votes: "vote", go: "go", nogo: "no-go", gpi: "GPi", release: "let through" };

/** Fills `host` with the numbers of the word that is looked at; `{refresh}`. */
export function readout(page, host) {
  const title = h("h3", { class: "word-title", id: "word-title" }), body = h("div", { class: "word-body" });
  host.append(h("div", { class: "word-readout" }, title, body));
  let shown = "";
  return {
    refresh() {
      const { reading, constants } = page, i = page.shown, token = reading.tokens[i];
      if (!constants) return;
      if (!token) { title.textContent = "No word yet"; body.replaceChildren(); shown = ""; return; }
      const facts = factsOf(reading, constants, i), regions = constants.regions.map((name, r) => [name, reading.region(r, i)]);
      const wins = reading.winner(constants.regions.length, i), key = JSON.stringify([i, token, facts, regions]);
      if (key === shown) return;
      shown = key;
      title.textContent = `“${token[1]}” · ${i + 1} of ${reading.tokens.length}${token[2] === "unknown" ? " · not in the vocabulary" : ""}`;
      body.replaceChildren(table(regions, wins), h("dl", { class: "fact-list" }, ...facts.flatMap(([what, value]) => [h("dt", { text: what }), h("dd", { text: value })])));
    },
  };
}

function factsOf(reading, constants, i) {
  const gate = Array.from({ length: constants.bands }, (_, b) => reading.at("gate", b, i));
  const load = Array.from({ length: constants.experts }, (_, e) => reading.at("load", e, i));
  const chosen = load.flatMap((share, e) => (share > 0 ? [String(e + 1)] : []));
  const prosody = constants.prosody.map((name, p) => `${name.replace("question or exclamation", "? or !")} ${two(reading.at("prosody", p, i))}`);
  return [
    ["arousal", two(reading.scalar("arousal", i))],
    ["valence", signed(reading.scalar("valence", i))],
    ["dopamine", two(reading.scalar("dopamine", i))],
    ["thalamic gate", `${two(gate.reduce((a, b) => a + b, 0) / gate.length)} on average`],
    ["experts at work", chosen.join(" and ") || "–"],
    ["language zone", `${two(reading.scalar("rate", i))} spikes a step`],
    ["added to the stream", two(reading.scalar("change", i))],
    ["prosody", prosody.join(", ")],
  ];
}

function table(regions, wins) {
  const head = h("tr", {}, h("th", { text: "region" }), ...COLUMNS.map((name) => h("th", { scope: "col", text: NAMES[name] })));
  const rows = regions.map(([name, values], r) => h("tr", { class: r === wins ? "is-winner" : "" }, h("th", { scope: "row", text: r === wins ? `◆ ${name}` : name }), ...COLUMNS.map((column) => h("td", { text: two(values[column]) }))));
  return h("table", { class: "region-table" }, h("thead", {}, head), h("tbody", {}, ...rows));
}

/** Fills `host`: say what the last words led to, and see the error the amygdala learns from. */
export function lesson(app, page, host) {
  const limits = { kind: "int", lo: 1, hi: 120 };
  const words = h("input", { type: "text", inputMode: "numeric", id: "outcome-words", class: "row-box", value: "3", autocomplete: "off", "aria-label": "Number of words" });
  const error = h("output", { class: "row-message", role: "alert", data: { kind: "error" } });
  const told = h("ol", { class: "lesson-list", id: "lesson-list", reversed: true });
  const tell = async (value) => {
    const read = parseNumber(limits, words.value);
    error.textContent = read.error ? `words: ${read.error}` : "";
    if (read.error) return;
    try {
      const ack = await command({ type: "outcome", value, words: read.value });
      page.learnt(ack.new);
    } catch (refusal) {
      error.textContent = refusal.message;
    }
  };
  const buttons = [["bad", -1], ["nothing", 0], ["good", 1]].map(([text, value]) => h("button", { type: "button", data: { outcome: String(value) }, title: `Outcome ${value}`, text, on: { click: () => tell(value) } }));
  needs(app, "outcome", ...buttons, words);
  host.append(h("div", { class: "lesson" },
    h("div", { class: "button-row" }, h("span", {}, "Last ", words, " words led to"), ...buttons), error, told,
    h("p", { class: "quiet", text: "The amygdala learns from its error, what came less what it expected. Read again to see what it expects now." })));
  return {
    show(lessons) {
      told.replaceChildren(...lessons.slice(0, 6).map((one) => h("li", {}, h("strong", { text: `error ${signed(one.error)}` }), ` “${one.words.join(" ")}”: expected ${signed(one.before)}, now ${signed(one.after)}`)));
    },
  };
}

/** Fills `host`: what of this brain is learnt and what is not. */
export function aboutPanel(host) {
  const list = h("ul", { class: "about-list" });
  host.append(list);
  let shown = "";
  return {
    refresh(constants) {
      if (!constants) return;
      const { held_out: test, words } = constants, key = JSON.stringify([test, words]);
      if (key === shown) return;
      shown = key;
      list.replaceChildren(
        h("li", {}, h("strong", { text: "Learnt: " }), `the vectors of ${words} words, from the text that comes along (the Bible in the American Standard Version, 1901), and valence, from ${test.of} words for good and bad things. Of such words held out it tells ${Math.round(100 * test.right)} % right.`),
        h("li", {}, h("strong", { text: "Read off the text: " }), "prosody. Capitals and exclamation marks stir; arousal comes from them, from valence and from what is new."),
        h("li", {}, h("strong", { text: "Not trained: " }), "gates, votes and regions have weights drawn from the seed. They show how the parts act on each other, not what a trained brain would choose."));
    },
  };
}
