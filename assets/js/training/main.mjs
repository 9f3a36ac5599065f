/** The entry of the Training page: which session is shown, its charts, maps, samples and controls. */

import { mount as mountApi } from "../api.mjs";
import { needs } from "../capabilities.mjs";
import { mount as mountControls } from "../controls.mjs";
import { mount as mountDialogs } from "../dialogs.mjs";
import { mount as mountDoor } from "../door.mjs";
import { h, iconButton } from "../dom.mjs";
import { mount as mountFiles } from "../files.mjs";
import { grouped } from "../marks/paint.mjs";
import { mount as mountHealth } from "../health.mjs";
import { mount as mountHealthPanel } from "../health-panel.mjs";
import { makePage } from "../page.mjs";
import { mount as mountApplied } from "../run/applied.mjs";
import { mount as mountBar } from "../run/bar.mjs";
import { chosen, confirmDelete, emptyState, openNew } from "../run/begin.mjs";
import { mount as mountKeys } from "../run/keys.mjs";
import { RunLoop } from "../run/loop.mjs";
import { mount as mountPanels, writeFeet } from "../run/panels.mjs";
import { pictureWords } from "../run/picture.mjs";
import { mount as mountProgress } from "../run/progress.mjs";
import { mount as mountStrip } from "../run/strip.mjs";
import { composeText } from "../run/textpicture.mjs";
import { mount as mountToasts } from "../toasts.mjs";
import { mount as mountUndo } from "../undo.mjs";
import { SNAPSHOTS_ONLY, mount as mountUpload } from "../upload.mjs";
import { runPart } from "./again.mjs";
import { Charts } from "./charts.mjs";
import { mount as mountClinic } from "./clinic.mjs";
import { Course } from "./course.mjs";
import { saveCsv } from "./export.mjs";
import { faultLine } from "./fault.mjs";
import { feet } from "./feet.mjs";
import { mount as mountKeep } from "./keep.mjs";
import { Maps } from "./maps.mjs";
import { FIRST, runChoices } from "./newrun.mjs";
import { mount as mountSamples } from "./samples.mjs";
import { stepClock } from "./stepclock.mjs";

async function start() {
  const app = makePage(null, { view: { mode: "live", maximised: null }, patience: 100 });
  window.t4dm = { app, instances: (window.t4dm?.instances ?? 0) + 1 };
  app.session = await chosen(app.config);
  Object.assign(app, { firstChoice: FIRST, choices: (field) => runChoices(app, field) });
  for (const mount of [mountApi, mountToasts, mountDialogs, mountDoor]) mount(app);
  if (app.session === null) empty(app);
  else follow(app);
  mountClinic(app);
  app.emit("ready", app);
}

function empty(app) {
  document.getElementById("app").classList.add("is-empty");
  document.getElementById("board").prepend(emptyState(app));
  mountKeys(app);
  mountBar(app, { openNew, openHelp: () => app.openHelp() });
}

function follow(app) {
  const runsOf = () => app.manifest?.constants?.runs ?? ["run"];
  const loop = new RunLoop(app, draw);
  const course = new Course(loop.store);
  const changed = () => loop.schedule();
  const charts = new Charts(app, changed), maps = new Maps(app, changed), fault = faultLine(app);
  let version = -1;

  function draw(store) {
    if (store.version !== version) {
      version = store.version;
      course.update(runsOf(), app.params?.specs.find(({ path }) => path === "train.total_steps")?.default);
      maps.set(store, runsOf());
    }
    charts.set(course);
    charts.draw();
    maps.draw();
  }

  app.stats = () => ({ ...loop.stats.read(app.meta), sim_step: app.meta?.step1 ?? 0, params_rev: app.meta?.params_rev ?? 0 });
  app.drawn = (slug) => (charts.charts[slug] ?? maps.maps[slug] ?? { samples }[slug])?.drawn();
  app.composePanel = (slug, options) => (charts.charts[slug] ?? maps.maps[slug])?.compose(options)
    ?? composeText(document.querySelector(`#panel-${slug} .panel-plot`), options);
  Object.assign(window.t4dm, { stats: app.stats, drawn: app.drawn, course, store: loop.store });
  app.course = course;

  for (const mount of [mountApplied, mountFiles, mountHealth, mountUndo, mountPanels]) mount(app);
  const samples = mountSamples(app);
  mountControls(app);
  const keep = mountKeep(app);
  mountHealthPanel(app);
  mountKeys(app, [["K", "keep a checkpoint of this step", () => keep.keepNow()], ["0", "charts: the whole run again", () => charts.group.setZoom(null)]]);
  mountBar(app, { openNew, openHelp: () => app.openHelp(), parts: [runPart(app)] });
  mountProgress(app, tools(app, course, charts));
  mountStrip(app);
  mountUpload(app, SNAPSHOTS_ONLY);
  picture(app, course);
  app.on("tick", () => {
    writeFeet({ ...feet(course), ...maps.feet() });
    fault.refresh(course);
  });
  for (const name of ["params", "manifest", "status"]) app.on(name, changed);
  for (const name of ["params", "manifest"]) app.on(name, () => { version = -1; });
  loop.start();
}

/** What stands beside the progress bar: the whole run again, the course as a file, the end of the session. */
function tools(app, course, charts) {
  const whole = h("button", { type: "button", id: "whole-run", text: "Whole run", title: "Charts: show all steps again  ( 0, or double click )", hidden: true, on: { click: () => charts.group.setZoom(null) } });
  charts.group.onZoom = (zoom) => { whole.hidden = zoom === null; };
  const csv = h("button", { type: "button", id: "save-csv", text: "CSV", title: "The whole course as a CSV file: a row for each step and run", on: { click: () => saveCsv(app, course) } });
  const remove = iconButton("close", "Delete this session…", () => confirmDelete(app, app.session), { id: "delete-this" });
  needs(app, "keep", remove);
  const phase = h("output", { class: "phase", id: "phase", title: "Awake it learns from the text; asleep it replays what surprised it" });
  app.on("tick", () => {
    const { word, from } = course.phase, words = from === null ? word : `${word} from step ${grouped(from)}`;
    if (phase.textContent !== words) { phase.textContent = words; phase.dataset.phase = word; }
  });
  return [stepClock(app), phase, whole, csv, remove];
}

/** What a snapshot says of a training run. */
function picture(app, course) {
  const what = () => app.manifest?.constants ?? {};
  const tokens = () => (course.store.n ? course.of("tokens", 0)[course.store.n - 1] : 0);
  pictureWords(app, {
    title: "Training",
    moment: () => `step ${grouped(app.meta?.step1 ?? 0)}`,
    origin: () => [`run ${what().run ?? "–"}`, ...(what().fault ? [`fault ${what().fault.ablation}`] : []), `${grouped(tokens())} tokens`],
    facts: () => ({ run: what().run, fault: what().fault?.ablation ?? null, tokens: tokens() }),
    told: () => [...["#fault-error:not([hidden])", "#apart"].map((one) => document.querySelector(one)?.textContent), legendOf(app)].filter(Boolean),
  });
}

/** The words on lines and colours, for a picture that has to stand alone. */
function legendOf(app) {
  const two = (app.manifest?.constants?.runs?.length ?? 1) > 1;
  return [two ? "blue: sound, dashed orange: faulty" : "", document.querySelector(".panel-legend")?.textContent ?? ""].filter(Boolean).join(" · ");
}

start();
