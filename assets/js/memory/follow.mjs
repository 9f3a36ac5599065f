/** What the Memory page shows of its session, and what the user does with it. */

import { command } from "../api.mjs";
import { Chart, ChartGroup } from "../chart.mjs";
import { simTime } from "../format.mjs";
import { RunLoop } from "../run/loop.mjs";
import { writeFeet } from "../run/panels.mjs";
import { pictureWords } from "../run/picture.mjs";
import { seedPart } from "../run/seed.mjs";
import { composeText } from "../run/textpicture.mjs";
import { toastError } from "../toasts.mjs";
import { ArenaView, followArena } from "./arena.mjs";
import { MapBoard, TimeBoard, followBoard } from "./boards.mjs";
import { CellView, cellReadout } from "./cell.mjs";
import { fieldsOf, kindOf, sizesOf, spikesOf } from "./cells.mjs";
import { episodesOf, lastRecall } from "./episodes.mjs";
import { similarityData, WINDOW_S } from "./similarity.mjs";
import { clockPart, coverageLine, toolPart } from "./parts.mjs";
import { episodeList } from "./list.mjs";
import { Sketch } from "../sketch.mjs";

const ASKED_STEPS = 150; // a recall that was asked for stays on the picture so long
const plot = (slug) => document.querySelector(`#panel-${slug} .panel-plot`);

/** Puts the page together; `{start, parts, keys}` for its frame. */
export function follow(app) {
  const loop = new RunLoop(app, draw);
  const { store } = loop;
  const page = pageState(app, store, () => touchAll());
  const changed = () => loop.schedule();
  const arena = new ArenaView(page), cell = new CellView(page);
  const place = new MapBoard(page, { kind: "place", columns: ({ cells }) => Math.ceil(Math.sqrt(cells.place)) });
  const grid = new MapBoard(page, { kind: "grid", columns: ({ modules }) => modules.cells, rowName: (_, r) => moduleName(page, r) });
  const time = new TimeBoard(page);
  const sketches = {
    arena: sketch("arena", arena, "The arena from above"), place: sketch("place", place, "Rate maps of the place cells"),
    grid: sketch("grid", grid, "Rate maps of the grid cells"), time: sketch("time", time, "Rates of the time cells"),
    cell: sketch("cell", cell, "The chosen cell"),
  };
  const readout = cellReadout(page);
  plot("cell").after(readout.node);
  const list = episodeList(page, plot("episodes"));
  const recall = new Chart(plot("recall"), {
    xLabel: "s", xText: simSeconds, yLabel: "similarity", range: () => [0, 1.25], format: (v) => v.toFixed(2), name: "Similarity of the nearest episode over time",
    group: new ChartGroup(changed), words: true,
  });
  let zoomed = false, version = -1;
  recall.group.onZoom = (zoom) => { zoomed = zoom !== null; };
  for (const slug of ["place", "grid"]) followBoard(sketches[slug], { place, grid }[slug], page);
  followBoard(sketches.time, time, page);
  const tool = toolPart(document.querySelector("#panel-arena .panel-tools"));
  followArena(sketches.arena, arena, (x, y) => tool.value === "put" ? page.put(x, y) : page.ask(x, y));

  function sketch(slug, picture, name) {
    return new Sketch(plot(slug), { name, paint: (...all) => page.constants && picture.paint(...all), over: picture.over ? (...all) => page.constants && picture.over(...all) : null, changed });
  }

  function touchAll() {
    for (const one of Object.values(sketches)) one.dirty = true;
    loop.schedule();
  }

  function draw() {
    if (!page.constants) return;
    if (store.version !== version) {
      version = store.version;
      for (const one of Object.values(sketches)) one.dirty = true;
      recall.set(similarityData(page));
      if (!zoomed) recall.group.zoom = window_(store, page.constants);
    }
    for (const one of Object.values(sketches)) one.draw();
    recall.draw();
  }

  app.stats = () => ({ ...loop.stats.read(app.meta), sim_step: app.meta?.step1 ?? 0, params_rev: app.meta?.params_rev ?? 0 });
  app.drawn = (slug) => (slug === "recall" ? recall.drawn() : drawnOf(page, list, slug));
  app.composePanel = (slug, options) => (slug === "recall" ? recall.compose(options) : sketches[slug]?.compose(options) ?? composeText(plot(slug), options));
  app.composePart = composeText;
  pictureWords(app, { title: "Memory", moment: () => momentOf(app, page) });
  Object.assign(window.t4dm, { stats: app.stats, drawn: app.drawn, store, page });
  coverageLine(app, page);
  app.on("tick", () => {
    readout.refresh();
    list.refresh();
    if (page.constants) writeFeet(feet(page));
    if (page.constants) for (const [slug, text] of Object.entries(spoken(page))) sketches[slug].say(text);
  });
  for (const name of ["params", "manifest", "status"]) app.on(name, touchAll);
  return {
    start: () => loop.start(),
    parts: [clockPart(app, page), seedPart(app, "Begin anew from this seed: another arena, an empty memory")],
    keys: [["M", "ask the memory where the agent is", () => page.ask(null, null)]],
  };
}

/** What every part of the page reads: store, constants, choice; and what the user may do. */
function pageState(app, store, changed) {
  const send = async (message) => {
    try {
      return await command(message);
    } catch (error) {
      toastError(error);
      return null;
    }
  };
  const page = {
    app, store, selected: 0, marked: -1, asked: null,
    get constants() { return app.manifest?.constants?.cells ? app.manifest.constants : null; },
    value: (path) => app.params?.values[path],
    first: (kind) => sizesOf(page.constants).first[kind],
    titleOf: (index) => describeCell(page, index),
    select(index) { page.selected = index; changed(); },
    mark(slot) { page.marked = slot; changed(); },
    episodes: () => episodesOf(store, page.constants),
    objects: () => objectsOf(page),
    here: () => hereOf(store),
    recall: (x, y) => recallNow(page, x, y),
    describe: (x, y) => `${x.toFixed(2)}, ${y.toFixed(2)} m · ${secondsAt(page, x, y)}`,
    put: (x, y) => send({ type: "put", x, y }),
    async ask(x, y) {
      const ack = await send({ type: "recall", x, y });
      if (ack) page.asked = { ...ack.new, stored_at: ack.new.step, step: ack.step };
      changed();
    },
  };
  return page;
}

const simSeconds = (x) => simTime(x * 1000);

/** The last minute of the agent's time. */
function window_({ step1 }, { dt_ms }) {
  const now = step1 * dt_ms / 1000;
  return [Math.max(0, now - WINDOW_S), Math.max(WINDOW_S, now)];
}

function objectsOf(page) {
  const array = page.store.newest.objects, n = page.value("recall.objects") ?? 0;
  if (!array) return [];
  return Array.from({ length: Math.min(n, array.shape[0]) }, (_, k) => ({ name: page.constants.objects[k], x: array.data[2 * k], y: array.data[2 * k + 1] }));
}

/** Where the agent is: at its last step, or where it was put since. */
function hereOf(store) {
  const put = store.events.findLast(({ type }) => type === "put");
  if (put && put.step >= store.step1) return [put.x, put.y];
  return [store.column("path", 0)?.at(-1) ?? 0, store.column("path", 1)?.at(-1) ?? 0];
}

/** The episode that is recalled now: asked for by the user a short while ago, or near to where the agent is. */
function recallNow(page, x, y) {
  const { store, constants } = page, asked = askedNow(page);
  if (asked) return { ...asked, asked: true, from_x: asked.cue_x, from_y: asked.cue_y, stored_ms: asked.stored_at * constants.dt_ms };
  const similarity = store.column("nearest", 0)?.at(-1), slot = store.column("nearest", 1)?.at(-1);
  if (!(similarity >= (page.value("recall.threshold") ?? 2))) return null;
  const found = page.episodes().find((one) => one.slot === slot);
  return found ? { ...found, similarity, asked: false, from_x: x, from_y: y, stored_ms: found.step * constants.dt_ms } : null;
}

/** What this tab or another asked for last, while it is fresh. */
function askedNow(page) {
  const { store } = page, last = lastRecall(store);
  const told = last?.type === "asked" ? last : null;
  const newest = [told, page.asked].filter(Boolean).sort((a, b) => b.step - a.step)[0];
  return newest && store.step1 >= newest.step && store.step1 - newest.step <= ASKED_STEPS ? newest : null;
}

function describeCell(page, index) {
  const { name } = kindOf(page.constants, index), { kind, declared, measured } = fieldsOf(page.constants, page.store, index);
  if (!measured) return name;
  if (kind === "grid" && Number.isFinite(measured.spacing)) return `${name}: ${measured.spacing.toFixed(2)} m, declared ${declared.spacing.toFixed(2)} m`;
  if (kind === "place" && Number.isFinite(measured.x)) return `${name}: field at ${measured.x.toFixed(2)}, ${measured.y.toFixed(2)} m`;
  if (kind === "time" && Number.isFinite(measured.at)) return `${name}: ${measured.at.toFixed(1)} s, declared ${declared.at.toFixed(1)} s`;
  return name;
}

/** Declared and measured spacing of a grid module, the middle one of its cells. */
function moduleName(page, r) {
  const { constants, store } = page, { first } = sizesOf(constants), n = constants.modules.cells;
  const cells = Array.from({ length: n }, (_, k) => fieldsOf(constants, store, first.grid + r * n + k));
  const found = cells.map(({ measured }) => measured?.spacing).filter(Number.isFinite).sort((a, b) => a - b);
  const declared = cells[0].declared?.spacing;
  return [declared ? `${declared.toFixed(2)} m` : "", found.length ? `(${found[found.length >> 1].toFixed(2)})` : "(–)"];
}

function secondsAt({ store, constants }, x, y) {
  const array = store.newest.seconds;
  if (!array) return "";
  const at = (v) => Math.min(constants.bins - 1, Math.floor(v / constants.side_m * constants.bins));
  const s = array.data[at(y) * constants.bins + at(x)];
  return s > 0 ? `here ${s.toFixed(1)} s` : "not been here";
}

const momentOf = (app, page) => `${simTime((app.meta?.step1 ?? 0) * (page.constants?.dt_ms ?? 40))} simulated`;

/** The lines under the panels. */
function feet(page) {
  const { store, constants } = page, every = store.told.every ?? 1, fired = spikesOf(store, page.selected);
  let spikes = 0;
  for (let i = 0; i < (fired?.length ?? 0); i++) spikes += fired.at(i);
  const held = simTime((store.step1 - (store.x[0] ?? 0)) * constants.dt_ms);
  return {
    arena: `way of ${held}${every > 1 ? `, 1 step in ${every}` : ""} · ● ${spikes} spikes of the chosen cell · ■ object · ◇ episode`,
    place: "spikes over seconds · blank: never visited · top: declared peak",
    grid: "a module a row: its declared spacing, in brackets the measured one",
    time: `rate over the time in the episode, bins of ${constants.time_bin_s} s · line: now`,
    cell: { place: "circle: declared field, + measured", grid: "dashed: declared spacing, line: measured", time: "each tick a spike · the last 30 episodes, newest on top" }[kindOf(constants, page.selected).kind],
    recall: `the nearest of ${page.episodes().length} episodes · drag zooms, double click follows again`,
    episodes: `${page.episodes().length} of ${constants.slots} places in the memory · bar: similarity, line: threshold`,
  };
}

/** What the pictures show, in a sentence each. */
function spoken(page) {
  const [x, y] = page.here(), found = page.recall(x, y);
  const where = `The agent is at ${x.toFixed(2)}, ${y.toFixed(2)} m`;
  return {
    arena: `${where}. ${found ? `It recalls: ${found.object}, similarity ${found.similarity.toFixed(2)}.` : "Nothing is recalled."}`,
    cell: page.titleOf(page.selected),
  };
}

/** What stands on the page, for tests: numbers, no pixels; null before the arena is known. */
function drawnOf(page, list, slug) {
  if (!page.constants) return null;
  const { store } = page;
  const map = store.newest.maps;
  return {
    arena: { rows: store.n, here: page.here(), objects: page.objects().length, recall: page.recall(...page.here())?.object ?? null },
    place: { maps: map?.shape[0] ?? 0 }, grid: { modules: [0, 1].map((r) => moduleName(page, r)) }, time: { maps: store.newest.time_maps?.shape[0] ?? 0 },
    cell: { selected: page.selected }, episodes: { rows: list.count },
  }[slug] ?? null;
}

