// Tools of every panel of a run page: maximise, and the lines under them.

import { h } from "../dom.mjs";

/** Adds the tools to each panel's head. */
export function mount(app) {
  const board = document.getElementById("board");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && app.view.maximised && !event.defaultPrevented) maximise(app, app.view.maximised);
  });
  for (const section of board.querySelectorAll(".panel")) {
    const button = h("button", { type: "button", class: "tool-max", text: "⤢", title: "Maximise, or put back", "aria-label": `Maximise ${section.querySelector("h2").textContent}`, "aria-pressed": "false" });
    button.addEventListener("click", () => maximise(app, section.dataset.slug));
    section.querySelector(".panel-tools").append(button);
  }
}

/** Shows one panel alone, or all again when it stands alone. */
export function maximise(app, slug) {
  app.view.maximised = app.view.maximised === slug ? null : slug;
  const board = document.getElementById("board");
  board.classList.toggle("has-maximised", Boolean(app.view.maximised));
  for (const section of board.querySelectorAll(".panel")) {
    const yes = section.dataset.slug === app.view.maximised;
    section.classList.toggle("maximised", yes);
    section.querySelector(".tool-max").setAttribute("aria-pressed", String(yes));
  }
  app.emit("maximise", app.view.maximised);
}

/** Writes texts of the lines under the panels, `{slug: text}`, where they changed. */
export function writeFeet(texts) {
  for (const [slug, text] of Object.entries(texts)) {
    const foot = document.querySelector(`#panel-${slug} .panel-foot`);
    if (!foot || foot.told === text) continue;
    foot.told = text;
    foot.textContent = foot.title = text;
    document.querySelector(`#panel-${slug} .chart-host`)?.setAttribute("aria-description", text);
  }
}
