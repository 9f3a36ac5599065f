/** What the Brain page shows of its session, and what the user does with it. */

import { needs } from "../capabilities.mjs";
import { h } from "../dom.mjs";
import { Sketch } from "../sketch.mjs";
import { RunLoop } from "../run/loop.mjs";
import { writeFeet } from "../run/panels.mjs";
import { pictureWords } from "../run/picture.mjs";
import { mount as mountProgress } from "../run/progress.mjs";
import { seedPart } from "../run/seed.mjs";
import { composeText } from "../run/textpicture.mjs";
import { send } from "../running.mjs";
import { Reading } from "./reading.mjs";
import { aboutPanel, lesson, readout } from "./readout.mjs";
import { FeelingsStaff, GateStaff, ReleaseStaff, VotesStaff, followStaff, paintColumn } from "./score.mjs";
import { textPanel } from "./text.mjs";

const plot = (slug) => document.querySelector(`#panel-${slug} .panel-plot`);
const MOST_LESSONS = 6;

/** Puts the page together; `{start, parts, keys}` for its frame. */
export function follow(app) {
  const loop = new RunLoop(app, draw);
  const page = pageState(app, loop.store, touch);
  const staves = { feelings: FeelingsStaff, gate: GateStaff, votes: VotesStaff, release: ReleaseStaff };
  const sketches = {};
  for (const [slug, Staff] of Object.entries(staves)) {
    const staff = new Staff(page), column = paintColumn(page);
    const guarded = (paint) => (...all) => page.constants && paint(...all);
    sketches[slug] = new Sketch(plot(slug), { name: NAMES[slug], paint: guarded((...all) => staff.paint(...all)), over: guarded(column), changed: () => loop.schedule() });
    followStaff(sketches[slug], page);
  }
  const text = textPanel(app, page, plot("text")), numbers = readout(page, plot("word")), about = aboutPanel(plot("about"));
  const lessons = lesson(app, page, plot("outcome"));
  let version = -1;

  function touch() {
    for (const one of Object.values(sketches)) one.dirty = true;
    loop.schedule();
  }

  function draw() {
    if (loop.store.version !== version) {
      version = loop.store.version;
      touchAll(sketches);
    }
    for (const one of Object.values(sketches)) one.draw();
    if (!page.constants) return;
    text.refresh();
    numbers.refresh();
    about.refresh(page.constants);
  }

  page.onLesson = () => lessons.show(page.lessons);
  app.on("event", (event) => { if (event.type === "outcome" && event.words) page.learnt(event); });
  app.stats = () => ({ ...loop.stats.read(app.meta), sim_step: app.meta?.step1 ?? 0, params_rev: app.meta?.params_rev ?? 0 });
  app.drawn = () => ({ n: page.reading.n, tokens: page.reading.tokens.map(([, word]) => word), shown: page.shown });
  app.composePanel = (slug, options) => sketches[slug]?.compose(options) ?? composeText(plot(slug), options);
  pictureWords(app, { title: "Brain", moment: () => `word ${page.reading.n} of ${page.reading.tokens.length}` });
  Object.assign(window.t4dm, { stats: app.stats, drawn: app.drawn, store: loop.store, page });
  const again = h("button", { type: "button", id: "read-again", text: "Read again", title: "From the first word; what was learnt stays  ( R )", on: { click: () => page.again() } });
  needs(app, "read", again);
  mountProgress(app, [again]);
  app.on("tick", () => {
    if (page.constants) writeFeet(feet(page));
    sketches.feelings.say(spoken(page));
  });
  for (const name of ["params", "manifest", "status", "theme"]) app.on(name, touch);
  return {
    start: () => loop.start(),
    parts: [seedPart(app, "Begin anew from this seed: other weights, what was learnt from outcomes is forgotten")],
    keys: [["R", "read the text again", () => page.again()]],
  };
}

const NAMES = {
  feelings: "Arousal, valence and dopamine over the words", gate: "Thalamic gate over the words",
  votes: "Votes of the regions over the words", release: "What the basal ganglia let through over the words",
};

function touchAll(sketches) { for (const one of Object.values(sketches)) one.dirty = true; }

/** What every part of the page reads: the reading, the word looked at; and what the user may do. */
function pageState(app, store, changed) {
  const page = {
    app, store, reading: new Reading(store), pinned: -1, pointed: -1, lessons: [], onLesson: null,
    get constants() { return app.manifest?.constants?.regions ? app.manifest.constants : null; },
    value: (path) => app.params?.values[path],
    /** The word looked at: under the pointer, else the one that was chosen, else the newest. */
    get shown() {
      if (page.pointed >= 0) return page.pointed;
      return page.pinned >= 0 && page.pinned < page.reading.tokens.length ? page.pinned : page.reading.n - 1;
    },
    look(i) { if (i !== page.pointed) { page.pointed = i; changed(); } },
    pin(i) { page.pinned = i === page.pinned ? -1 : i; changed(); },
    async again() {
      page.pinned = -1;
      if (await send({ type: "read" }) && app.meta?.state !== "running") await send({ type: "run" });
    },
    learnt(told) {
      if (page.lessons.some((one) => one.error === told.error && one.after === told.after)) return;
      page.lessons.unshift(told);
      page.lessons.length = Math.min(MOST_LESSONS, page.lessons.length);
      page.onLesson?.();
    },
  };
  return page;
}

function feet(page) {
  const { reading, constants } = page, unknown = reading.tokens.filter(([, , kind]) => kind === "unknown").length;
  return {
    text: `${reading.n} of ${reading.tokens.length} words and marks read · blue good, orange bad, line below: arousal${unknown ? ` · ${unknown} not in the vocabulary of ${constants.words}` : ""}`,
    feelings: "arousal 0 to 1 · valence -1 to 1 · dopamine 0 to 1, tonic and half the valence",
    gate: "share that the thalamus lets pass: sigmoid of the word times 0.5 + arousal, limits fixed 0 to 1.5",
    votes: "how strongly each region asks to act, 0 to 1 each, one upon the other",
    release: "share of each region let through · ◆ acts most · × none: dopamine too low",
    word: "point at a word, click to keep it, arrows go on",
  };
}

function spoken({ reading, shown }) {
  const token = reading.tokens[shown];
  if (!token) return "Nothing is read yet";
  return `Word ${shown + 1}, ${token[1]}: arousal ${reading.scalar("arousal", shown).toFixed(2)}, valence ${reading.scalar("valence", shown).toFixed(2)}`;
}
