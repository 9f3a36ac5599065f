// The bar's part with the seed: shown, and begun anew from.

import { iconButton, h } from "../dom.mjs";
import { needs } from "../capabilities.mjs";
import { parseNumber } from "../scale.mjs";
import { send } from "../running.mjs";

/** The part; Enter in the box or the button begins the run anew from the seed in it. */
export function seedPart(app, title = "Begin anew from this seed; parameters stay") {
  const limits = { kind: "int", ...app.config.seed };
  const box = h("input", { type: "text", inputMode: "numeric", class: "seed-box", id: "seed", autocomplete: "off", "aria-label": "Seed", title: `Seed of the next reset, ${limits.lo} to ${limits.hi}` });
  const message = h("output", { class: "bar-message", role: "alert" });
  let dirty = false;
  const say = (text) => {
    message.textContent = text;
    box.setAttribute("aria-invalid", String(text !== ""));
  };
  const reset = async () => {
    const read = parseNumber(limits, box.value);
    say(read.error ? `Seed: ${read.error}` : "");
    if (read.error) return;
    dirty = false;
    await send({ type: "reset", seed: read.value });
  };
  box.addEventListener("input", () => (dirty = true));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") reset();
    if (event.key !== "Escape") return;
    dirty = false;
    box.value = String(app.meta?.seed ?? "");
    say("");
  });
  const button = iconButton("reset", title, reset, { id: "reset" });
  needs(app, "seed", box);
  needs(app, "reset", button);
  return {
    node: h("div", { class: "bar-part" }, h("label", { htmlFor: "seed", text: "seed" }), box, button, message),
    refresh() {
      if (!dirty && document.activeElement !== box && app.meta?.seed !== undefined) box.value = String(app.meta.seed ?? "");
    },
  };
}
