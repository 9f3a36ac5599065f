// Checkpoints that are kept by name, and new sessions branched from them.

import { command } from "../api.mjs";
import { lacking, needs } from "../capabilities.mjs";
import { openDialog } from "../dialogs.mjs";
import { h, icon, remembered } from "../dom.mjs";
import { grouped } from "../marks/paint.mjs";
import { show } from "../sessions.mjs";
import { toast, toastError } from "../toasts.mjs";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const BAD_NAME = "expected letters, digits, _ and -, at most 64, a letter or digit first";

/** Adds the group to the controls: keep now, the list, branch and forget. */
export function mount(app) {
  const name = h("input", { type: "text", id: "keep-name", maxLength: 64, autocomplete: "off", placeholder: "name, or empty", "aria-label": "Name of the checkpoint" });
  const message = h("output", { class: "row-message", htmlFor: "keep-name", data: { kind: "error" } });
  const keep = h("button", { type: "button", id: "keep-now", class: "primary", text: "Keep now", title: "Keep the state of this step under a name  ( K )", on: { click: () => keepNow() } });
  const list = h("ul", { class: "kept-list", "aria-label": "Kept checkpoints" });
  const open = remembered.get("open.kept", true);
  const badge = h("span", { class: "group-badge" });
  const summary = h("summary", {}, h("span", { text: "Checkpoints" }), badge);
  const node = h("details", { class: "group", id: "kept", open }, summary, h("div", { class: "group-body" }, h("div", { class: "form-line" }, name, keep), message, list));
  summary.addEventListener("click", () => remembered.set("open.kept", !node.open));
  document.getElementById("controls").append(node);
  needs(app, "checkpoint", keep, name);
  name.addEventListener("keydown", (event) => { if (event.key === "Enter") keepNow(); });

  async function keepNow() {
    const why = lacking(app, "checkpoint");
    if (why) { toast(why, { kind: "warn", merge: "checkpoint" }); return; }
    const wanted = name.value.trim() || freeName();
    const bad = !NAME.test(wanted);
    name.setAttribute("aria-invalid", String(bad));
    message.textContent = bad ? `Name: ${BAD_NAME}` : "";
    if (bad) return;
    keep.disabled = true;
    try {
      const ack = await command({ type: "checkpoint", name: wanted });
      name.value = "";
      toast(`Checkpoint ${wanted} kept at step ${grouped(ack.new?.step ?? ack.step)}.`);
    } catch (error) {
      message.textContent = error.message;
      name.setAttribute("aria-invalid", "true");
    }
    keep.disabled = false;
  }

  function freeName() {
    const taken = new Set((app.meta?.kept ?? []).map((one) => one.name)), step = app.meta?.step1 ?? 0;
    for (let i = 1; ; i++) {
      const text = i === 1 ? `step-${step}` : `step-${step}-${i}`;
      if (!taken.has(text)) return text;
    }
  }

  app.remedies = { branch: {
    act: ({ since_step: step }) => branchFrom(app, fitting(app, step)),
    hindrance: ({ since_step: step }) => (fitting(app, step) ? "" : `No checkpoint of step ${grouped(step)} or before is kept. “Keep now” keeps one of the step it is pressed at.`),
  } };

  let listed = "";
  app.on("tick", () => {
    const kept = app.meta?.kept ?? [], key = JSON.stringify(kept);
    if (key === listed) return;
    listed = key;
    badge.textContent = kept.length ? String(kept.length) : "";
    list.replaceChildren(...(kept.length ? kept.map((one) => line(app, one)) : [h("li", { class: "quiet", text: "None kept yet. What a crash needs is written by itself." })]));
  });
  return { keepNow };
}

function line(app, { name, step }) {
  const branch = h("button", { type: "button", title: `Begin a new session from ${name}; this one goes on`, data: { branch: name }, on: { click: () => branchFrom(app, { name, step }) } }, h("span", { text: "Branch…" }));
  const forget = h("button", { type: "button", class: "row-reset", title: `Forget ${name}`, "aria-label": `Forget ${name}`, on: { click: () => forgetOne(name) } }, icon("close"));
  needs(app, "branch", branch);
  needs(app, "forget", forget);
  return h("li", {}, h("span", { class: "set-name", text: name, title: name }), h("span", { class: "quiet", text: `step ${grouped(step)}` }), branch, forget);
}

/** The newest checkpoint that is kept and not after `step`, or undefined. */
const fitting = (app, step) => (app.meta?.kept ?? []).filter((one) => one.step <= step).at(-1);

async function forgetOne(name) {
  const sure = await openDialog({
    title: `Forget checkpoint ${name}?`, body: [h("p", { text: "The file is removed for good. Sessions that were branched from it stay." })],
    actions: [{ label: "Keep it", value: null }, { label: "Forget it", value: "forget", primary: true }],
  });
  if (sure === "forget") command({ type: "forget", checkpoint: name }).then(() => toast(`Checkpoint ${name} forgotten.`), toastError);
}

async function branchFrom(app, { name, step }) {
  const box = h("input", { type: "text", id: "branch-name", maxLength: 64, autocomplete: "off", placeholder: "a free name" });
  const go = await openDialog({
    id: "branch-dialog", title: `Branch from ${name}`,
    body: [
      h("p", { text: `A new session begins at step ${grouped(step)} with the weights, moments, memory and course of then. Session ${app.session} goes on.` }),
      h("label", { class: "form-line", htmlFor: "branch-name" }, h("span", { text: "Name" }), box),
    ],
    actions: [{ label: "Cancel", value: null }, { label: "Branch and open", value: "go", primary: true }],
  });
  if (go !== "go") return;
  const wanted = box.value.trim();
  if (wanted && !NAME.test(wanted)) { toast(`Name: ${BAD_NAME}`, { kind: "error" }); return; }
  try {
    const ack = await command({ type: "branch", checkpoint: name, name: wanted || null });
    show(ack.new.session);
  } catch (error) {
    toastError(error);
  }
}
