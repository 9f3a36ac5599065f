// The text: a box to type into, examples, and the words as they are read, coloured by what they stir.

import { command } from "../api.mjs";
import { needs } from "../capabilities.mjs";
import { mix, theme } from "../colors.mjs";
import { h } from "../dom.mjs";

const LENGTH = 600;
const lengthOf = (text) => [...text].length; // characters as the server counts them
const GOOD = "#0072B2", BAD = "#D55E00";

/** Fills `host`; `{refresh}` writes what changed. */
export function textPanel(app, page, host) {
  const box = h("textarea", { id: "brain-text", rows: 2, maxLength: 4 * LENGTH, spellcheck: false, "aria-label": "Text to read", "aria-describedby": "brain-text-count brain-text-error" });
  const count = h("output", { id: "brain-text-count", class: "quiet" });
  const error = h("output", { id: "brain-text-error", class: "row-message", role: "alert", data: { kind: "error" } });
  const go = h("button", { type: "submit", class: "primary", id: "brain-read", text: "Read", title: "Read this text from its first word  ( Ctrl+Enter )" });
  const examples = h("select", { id: "brain-examples", "aria-label": "Examples" }, h("option", { value: "", text: "examples…" }), ...app.config.examples.map(({ name, text }) => h("option", { value: text, text: name })));
  const strip = h("p", { class: "word-strip", id: "word-strip", "aria-label": "The words as they are read" });
  const form = h("form", { class: "brain-form", on: { submit: (event) => { event.preventDefault(); send(); } } }, box, h("div", { class: "brain-form-side" }, go, examples, count));
  let dirty = false;
  host.append(form, error, strip);
  needs(app, "set", box, go, examples);

  const say = (text) => {
    error.textContent = text;
    box.setAttribute("aria-invalid", String(text !== ""));
  };
  const tell = () => {
    count.textContent = `${lengthOf(box.value)} of ${LENGTH} characters`;
    count.classList.toggle("warn", lengthOf(box.value) > LENGTH);
  };
  async function send() {
    const text = box.value;
    if (!text.trim()) return say("text: expected at least one word, got nothing");
    if (lengthOf(text) > LENGTH) return say(`text: expected at most ${LENGTH} characters, got ${lengthOf(text)}`);
    say("");
    try {
      await command(text === page.value("reading.text") ? { type: "read" } : { type: "set", path: "reading.text", value: text });
      dirty = false;
      page.pin(-1);
      if (app.meta?.state !== "running") await command({ type: "run" });
    } catch (refusal) {
      say(refusal.message);
    }
    return null;
  }
  box.addEventListener("input", () => { dirty = true; tell(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(); }
  });
  examples.addEventListener("change", () => {
    if (!examples.value) return;
    box.value = examples.value;
    examples.value = "";
    tell();
    send();
  });

  let words = [], shownTokens = null;
  function build(tokens) {
    if (tokens === shownTokens) return;
    shownTokens = tokens;
    words = tokens.map(([before, text, kind], i) => {
      const title = kind === "unknown" ? "not in the vocabulary: neutral until it has led to something" : kind === "mark" ? "a mark" : "";
      return [before, h("button", { type: "button", class: "read-word", data: { kind, i: String(i) }, title, text, on: { click: () => page.pin(i), pointerenter: () => page.look(i), pointerleave: () => page.look(-1) } })];
    });
    strip.replaceChildren(...words.flat());
  }
  return {
    refresh() {
      const { reading } = page, look = theme();
      const set = page.value("reading.text");
      if (!dirty && document.activeElement !== box && set !== undefined && box.value !== set) { box.value = set; tell(); }
      build(reading.tokens);
      words.forEach(([, node], i) => {
        const valence = reading.scalar("valence", i), arousal = reading.scalar("arousal", i), read = i < reading.n;
        const tint = read && Number.isFinite(valence) ? mix(look.bg, valence < 0 ? BAD : GOOD, Math.min(0.55, Math.abs(valence) * 0.55)) : "transparent";
        const line = read && Number.isFinite(arousal) ? `${Math.round(1 + 5 * arousal)}px` : "0px";
        if (node.style.backgroundColor !== tint) node.style.backgroundColor = tint;
        node.style.setProperty("--arousal", line);
        node.classList.toggle("is-read", read);
        node.classList.toggle("is-shown", i === page.shown);
      });
    },
  };
}
