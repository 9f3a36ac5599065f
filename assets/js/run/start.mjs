// How a page of a run session starts: its frame, and what the page itself puts into it.

import { mount as mountApi } from "../api.mjs";
import { mount as mountControls } from "../controls.mjs";
import { mount as mountDialogs } from "../dialogs.mjs";
import { mount as mountDoor } from "../door.mjs";
import { mount as mountFiles } from "../files.mjs";
import { mount as mountHealth } from "../health.mjs";
import { mount as mountHealthPanel } from "../health-panel.mjs";
import { makePage } from "../page.mjs";
import { mount as mountBar } from "./bar.mjs";
import { chosen, emptyState, openNew } from "./begin.mjs";
import { mount as mountKeys } from "./keys.mjs";
import { mount as mountPanels } from "./panels.mjs";
import { mount as mountStrip } from "./strip.mjs";
import { mount as mountToasts } from "../toasts.mjs";
import { mount as mountUndo } from "../undo.mjs";

/**
 * Starts a page of a kind of session without options: the session chosen, or the way to begin one.
 * @param {(app: object) => {start: Function, parts: object[], keys: Array}} follow puts the page's own parts together
 */
export async function startPage(follow) {
  const app = makePage(null, { view: { mode: "live", maximised: null } });
  window.t4dm = { app, instances: (window.t4dm?.instances ?? 0) + 1 };
  app.session = await chosen(app.config);
  for (const mount of [mountApi, mountToasts, mountDialogs, mountDoor]) mount(app);
  if (app.session === null) {
    document.getElementById("app").classList.add("is-empty");
    document.getElementById("board").prepend(emptyState(app));
    mountKeys(app);
    mountBar(app, { openNew, openHelp: () => app.openHelp() });
  } else {
    for (const mount of [mountFiles, mountHealth, mountUndo, mountPanels]) mount(app);
    const view = follow(app);
    mountControls(app);
    mountHealthPanel(app);
    mountKeys(app, view.keys);
    mountBar(app, { openNew, openHelp: () => app.openHelp(), parts: view.parts });
    mountStrip(app);
    view.start();
  }
  app.emit("ready", app);
}
