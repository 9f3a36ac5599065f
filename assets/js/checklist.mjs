// The checklist of a debugging session, ticked by the running session itself: thirteen lines, each
// with the number behind it and a link to where it is seen or set.

import { judge, LINES } from "./checklist-lines.mjs";
import { openDialog } from "./dialogs.mjs";
import { h, whenReady } from "./dom.mjs";
import { simTime } from "./format.mjs";

const STATES = { fine: "fine", look: "look", untold: "cannot be told" };
const POINTED_MS = 1600;

/** The nav's link; `#checklist` in the page's address opens it, too. */
export function mount(app) {
  const link = h("a", { href: "#checklist", id: "open-checklist", text: "Checklist", title: "Thirteen things to look at  ( C )", on: { click: (event) => { event.preventDefault(); openChecklist(app); } } });
  document.getElementById("pages").append(link);
  whenReady(app, () => { if (location.hash === "#checklist") openChecklist(app); });
}

/** Opens the checklist; its ticks follow the session while it stands open. */
export async function openChecklist(app) {
  if (document.getElementById("checklist")) return;
  const count = h("p", { class: "quiet" });
  let chosen = null;
  const rows = LINES.map((line) => row(app, line, () => {
    chosen = line.link;
    document.getElementById("checklist").close();
  }));
  const refresh = () => {
    const found = rows.map((one) => one.refresh());
    const many = (state) => found.filter((one) => one === state).length;
    const text = `${many("fine")} fine, ${many("look")} to look at, ${many("untold")} that cannot be told · session ${app.session} at t = ${simTime(app.meta?.t_ms)}`;
    if (count.textContent !== text) count.textContent = text;
  };
  for (const name of ["tick", "health", "params"]) app.on(name, refresh);
  app.health.follow("checklist", true);
  refresh();
  await openDialog({ id: "checklist", title: "Checklist", wide: true, body: [count, h("ol", { class: "check-list" }, ...rows.map(({ node }) => node))] });
  for (const name of ["tick", "health", "params"]) app.off(name, refresh);
  app.health.follow("checklist", false);
  if (chosen) goTo(app, chosen);
}

function row(app, line, go) {
  const mark = h("i", { class: "check-mark", "aria-hidden": "true" });
  const state = h("span", { class: "check-state" });
  const number = h("span", { class: "check-number" });
  const button = h("button", { type: "button", text: line.to, title: `Show: ${line.to}`, "aria-label": `${line.text}: show ${line.to}`, on: { click: go } });
  const node = h("li", { data: { check: line.id } }, mark, h("div", { class: "check-text" }, h("strong", { text: line.text }), number), state, button);
  return {
    node,
    refresh() {
      const now = judge(app, line);
      if (node.dataset.state !== now.state) node.dataset.state = now.state;
      if (number.textContent !== now.number) number.textContent = now.number;
      if (state.textContent !== STATES[now.state]) state.textContent = STATES[now.state];
      return now.state;
    },
  };
}

/** Brings a panel into view, or a parameter's field. */
function goTo(app, { panel, control }) {
  const target = panel ? document.getElementById(`panel-${panel}`) : document.querySelector(`[data-param="${control}"]`);
  if (!target) return;
  if (control) {
    target.closest("details")?.setAttribute("open", "");
    document.getElementById("controls").classList.add("drawer-shown");
  } else {
    if (app.view.maximised) app.maximise(app.view.maximised);
    target.tabIndex = -1;
  }
  target.scrollIntoView({ block: control ? "center" : "start" });
  target.focus({ preventScroll: true });
  const marked = control ? target.closest(".row") ?? target : target;
  marked.classList.add("pointed-at");
  setTimeout(() => marked.classList.remove("pointed-at"), POINTED_MS);
}
