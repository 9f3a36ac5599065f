// The run again from step 0, with this seed or another; asked for once, since the course is lost.

import { command } from "../api.mjs";
import { needs } from "../capabilities.mjs";
import { openDialog } from "../dialogs.mjs";
import { h, iconButton } from "../dom.mjs";
import { momentText } from "../format.mjs";
import { parseNumber } from "../scale.mjs";
import { toast, toastError } from "../toasts.mjs";

/** The bar's part: run and seed in words, and the button. */
export function runPart(app) {
  const text = h("output", { class: "run-name", id: "run-name" });
  const button = iconButton("reset", "Begin again from a seed; parameters stay", () => again(app), { id: "reset" });
  needs(app, "reset", button);
  return {
    node: h("div", { class: "bar-part" }, text, button),
    refresh() {
      const { run, fault, what } = app.manifest?.constants ?? {}, seed = app.meta?.seed;
      const words = run ? `${run}${fault ? ` + fault ${fault.number}` : ""} · seed ${seed ?? "–"}` : "";
      if (text.textContent !== words) text.textContent = words;
      text.title = what ?? "";
    },
  };
}

async function again(app) {
  const box = h("input", { type: "text", inputMode: "numeric", id: "again-seed", value: String(app.meta?.seed ?? 0), autocomplete: "off" });
  const sure = await openDialog({
    id: "again", title: "Begin again",
    body: [
      h("p", { text: `The run ends at ${momentText(app.meta?.step1 ?? 0, app.meta?.axis)} and begins anew at step 0: weights, course and samples are lost. Kept checkpoints and parameters stay.` }),
      h("label", { class: "form-line", htmlFor: "again-seed" }, h("span", { text: "Seed" }), box),
    ],
    actions: [{ label: "Go on", value: null }, { label: "Begin again", value: "again", primary: true }],
  });
  if (sure !== "again") return;
  const { value, error } = parseNumber({ kind: "int", ...app.config.seed }, box.value);
  if (error) { toast(`Seed: ${error}`, { kind: "error" }); return; }
  command({ type: "reset", seed: value }).then(() => toast(`Begun again with seed ${value}.`), toastError);
}
