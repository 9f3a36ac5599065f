// One picture of the whole board that can be opened again as the run it shows.

import { getParams } from "./api.mjs";
import { badgeOf } from "./badge.mjs";
import { dialogOpen, openDialog } from "./dialogs.mjs";
import { downloadBlob, h } from "./dom.mjs";
import { simTime } from "./format.mjs";
import { findingTexts, summary } from "./health.mjs";
import { collectPanels, drawPicture } from "./picture.mjs";
import { withText } from "./png.mjs";
import { changedTexts, givenTexts, provenance } from "./provenance.mjs";
import { FORMAT, KEYWORD } from "./restore.mjs";
import { toast } from "./toasts.mjs";

const SHAPES = { live: "●", paused: "❚❚", replay: "◀", stale: "▲", down: "✕", waiting: "○" };
const SIGNS = { ok: "✓", waiting: "○", note: "○", warning: "▲", critical: "✕" };
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const REDRAW_MS = 250, ANSWER_MS = 1000;
let busy = false;

/** Takes the picture and shows it with a note field and the ways to keep it. */
export async function takeSnapshot(app) {
  if (busy || dialogOpen() || !app.params) return;
  busy = true;
  try {
    const manifest = await makeManifest(app);
    const board = await collectPanels(app);
    await show(board, manifest, app.pictureTexts ?? texts);
  } catch (error) {
    toast(`The snapshot failed: ${error.message}`, { kind: "error" });
  } finally {
    busy = false;
  }
}

/** Everything needed to say what the picture shows and to go back to it. */
export async function makeManifest(app) {
  const params = await newestParams(app);
  const from = provenance(app, params);
  const stamp = from.utc.replace(/[-:TZ]/g, "").replace(/^(.{8})/, "$1-");
  const random = [...crypto.getRandomValues(new Uint8Array(4))].map((byte) => LETTERS[byte % LETTERS.length]).join("");
  const { kind, word, reason } = badgeOf(app);
  return {
    format: FORMAT,
    format_version: 1,
    id: `${stamp}-${random}`,
    ...from,
    ...app.pictureFacts?.(),
    page: document.querySelector("#pages [aria-current=page]")?.textContent.trim() ?? "Spiking",
    state: { kind, word, reason },
    parameters: params.non_default,
    changed: changedTexts(params),
    given: givenTexts(app),
    health: healthOf(app),
    view: { ...app.view },
    breakpoints: app.meta?.breakpoints ?? [],
    note: "",
  };
}

/** The parameters as the server has them now; those of the page where it does not answer soon. */
function newestParams(app) {
  const late = new Promise((resolve) => setTimeout(resolve, ANSWER_MS, app.params));
  return Promise.race([getParams().catch(() => app.params), late]);
}

/** Severity and findings at this moment; null where the session gives no report. */
function healthOf(app) {
  const now = summary(app), report = app.health?.report;
  if (!now || !report) return null;
  const findings = now.findings.map(({ id, title, severity, where, rule, cause }) => ({ id, title, severity, where, rule, cause: cause.code }));
  return { kind: now.kind, word: now.word, t_ms: report.t_ms, findings, texts: findingTexts(app, now.findings) };
}

async function show(board, manifest, texts) {
  const preview = h("img", { class: "snapshot-preview", alt: `Snapshot ${manifest.id} of the board` });
  const note = h("textarea", { id: "snapshot-note", rows: 2, maxLength: 500, placeholder: "What does this picture show?" });
  const redraw = () => drawPicture(board, texts(manifest));
  const paint = async () => {
    const old = preview.src;
    preview.src = URL.createObjectURL(await blobOf(redraw()));
    if (old) URL.revokeObjectURL(old);
  };
  let timer = 0;
  note.addEventListener("input", () => {
    manifest.note = note.value;
    clearTimeout(timer);
    timer = setTimeout(paint, REDRAW_MS);
  });
  const name = `t4dm-${manifest.id}`;
  const act = (label, key, run, primary = false) => h("button", { type: "button", text: label, class: primary ? "primary" : "", data: { action: key }, on: { click: run } });
  const buttons = h("div", { class: "button-row snapshot-actions" },
    act("Save PNG", "png", async () => downloadBlob(await picture(redraw(), manifest), `${name}.png`), true),
    act("Save JSON", "json", () => downloadBlob(new Blob([json(manifest)], { type: "application/json" }), `${name}.json`)),
    act("Copy picture", "copy", () => copyPicture(redraw(), manifest)));
  await paint();
  await openDialog({
    id: "snapshot-dialog", title: `Snapshot ${manifest.id}`, wide: true,
    body: [h("label", { class: "note-field", htmlFor: "snapshot-note" }, h("span", { text: "Note" }), note), buttons, preview],
  });
  clearTimeout(timer);
  URL.revokeObjectURL(preview.src);
}

const json = (manifest) => JSON.stringify(manifest, null, 2);

/** The texts around the panels; everything the picture must say to stand alone. */
function texts(manifest) {
  const { state } = manifest;
  const reason = state.reason ? ` · ${state.reason}` : "";
  const parts = [
    `t4dm ${manifest.version} (${manifest.commit})`, `config ${manifest.config_digest}`, `seed ${manifest.seed ?? "–"}`,
    `dt ${manifest.dt_ms} ms`, `simulated ${simTime(manifest.t_ms)} (step ${manifest.step ?? "–"})`,
    `${Number.isFinite(manifest.ratio) ? `${manifest.ratio.toFixed(2)}x real time` : "standing"}`,
    manifest.utc.replace("T", " ").replace("Z", " UTC"), `session ${manifest.session}`, `snapshot ${manifest.id}`,
  ];
  return {
    title: `${manifest.page} · session ${manifest.session} · ${simTime(manifest.t_ms)}${reason}`,
    badge: { kind: state.kind, word: state.word, shape: SHAPES[state.kind] },
    health: manifest.health && { kind: manifest.health.kind, word: `${SIGNS[manifest.health.kind]} ${manifest.health.word}` },
    findings: manifest.health?.texts ?? [],
    strip: [manifest.changed.length ? `Changed (default): ${manifest.changed.join(" · ")}` : "Parameters: all defaults", ...manifest.given].join(" · "),
    note: manifest.note.trim(),
    footer: parts.join(" · "),
  };
}

/** The canvas as a PNG that carries its manifest. */
async function picture(canvas, manifest) {
  const bytes = new Uint8Array(await (await blobOf(canvas)).arrayBuffer());
  return new Blob([withText(bytes, KEYWORD, json(manifest))], { type: "image/png" });
}

function blobOf(canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser made no picture"))), "image/png");
  });
}

async function copyPicture(canvas, manifest) {
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": picture(canvas, manifest) })]);
    toast("Picture copied.");
  } catch {
    toast("This browser does not allow copying pictures here; save the PNG instead.", { kind: "error" });
  }
}
