/** The page's entry: puts app, board, loop, view tools and controls together, once. */

import { app } from "./app.mjs";
import { command, mount as mountApi } from "./api.mjs";
import { UNANSWERED } from "./ask.mjs";
import { Board } from "./board.mjs";
import { lacking } from "./capabilities.mjs";
import { composePanel } from "./compose.mjs";
import { Inspector } from "./inspect.mjs";
import { Loop } from "./loop.mjs";
import { mountTimeline } from "./timeline.mjs";
import { mountTools } from "./tools.mjs";
import { mount as mountChecklist } from "./checklist.mjs";
import { mount as mountBreakpoints } from "./breakpoints.mjs";
import { mount as mountControls } from "./controls.mjs";
import { mount as mountDialogs } from "./dialogs.mjs";
import { mount as mountDoor } from "./door.mjs";
import { mount as mountFiles } from "./files.mjs";
import { mount as mountHealth } from "./health.mjs";
import { mount as mountHealthPanel } from "./health-panel.mjs";
import { mount as mountKeys } from "./keys.mjs";
import { mount as mountRestore } from "./restore.mjs";
import { mount as mountStrip } from "./strip.mjs";
import { mount as mountToasts, toast } from "./toasts.mjs";
import { mount as mountTopbar } from "./topbar.mjs";
import { mount as mountUndo } from "./undo.mjs";
import { mount as mountUpload } from "./upload.mjs";

const MAX_MEMBRANES = 6;

/** Show `id`'s membrane first, keep the others that fit; the worker records it from now on. */
async function watchNeuron(loop, id) {
  const why = lacking(app, "watch");
  if (why) throw new Error(why);
  const others = loop.store.membrane.filter((other) => other !== id).slice(0, MAX_MEMBRANES - 1);
  const membrane = [id, ...others];
  await command({ type: "watch", neurons: membrane });
  app.setView({ membrane, watched: id });
}

/** What failed, said once: without a network each panel's reading fails in the same words. */
function tellProblem(text) {
  const told = text.endsWith(UNANSWERED) ? `${UNANSWERED.slice(0, -1)}; what is on the page stays.` : text;
  toast(told, { kind: "error", merge: told });
}

async function start() {
  const board = new Board(app);
  const loop = new Loop(app, (store) => board.draw(store));
  app.store = loop.store;
  app.toPage = (mono_ns) => loop.clock.toPage(mono_ns);
  app.scene = () => board.scene;
  app.age = () => loop.age;
  app.silent = () => loop.silent;
  app.stats = () => loop.stats.read(app.meta);
  app.drawn = (slug) => board.drawn(slug);
  window.t4dm = { stats: app.stats, drawn: app.drawn, app, instances: (window.t4dm?.instances ?? 0) + 1 };
  loop.start();
  await board.find(() => loop.schedule());

  const inspector = new Inspector(app, board, loop);
  app.watchNeuron = (id) => watchNeuron(loop, id).catch((error) => app.emit("problem", error.message));
  app.composePanel = (slug, options) => composePanel(board.upToDate(slug), options);
  mountTools(app, board, inspector);
  mountTimeline(app, loop);
  for (const mount of [mountApi, mountToasts, mountDialogs, mountDoor, mountFiles, mountHealth, mountTopbar, mountControls,
    mountUndo, mountRestore, mountBreakpoints, mountHealthPanel, mountChecklist, mountUpload, mountStrip, mountKeys]) mount(app);
  app.on("problem", tellProblem);
  app.on("theme", () => loop.schedule());
  app.emit("ready", app);
  loop.schedule();
}

start();
