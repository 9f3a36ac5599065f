// Tools of every panel of a run page: maximise; and pictures of panels that are text.

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

/** The words of a panel as a picture of its size; `ins` and `del` in their colours. */
export function composeText(host, { scale = 2, background = null } = {}) {
  const w = host.clientWidth, canvas = document.createElement("canvas"), ctx = canvas.getContext("2d");
  canvas.width = Math.round(w * scale);
  canvas.height = Math.round(host.clientHeight * scale);
  ctx.scale(scale, scale);
  if (background) { ctx.fillStyle = background; ctx.fillRect(0, 0, w, host.clientHeight); }
  const style = getComputedStyle(host);
  ctx.font = `13px ${style.fontFamily}`;
  ctx.textBaseline = "top";
  let x = 10, y = 8;
  for (const block of host.querySelectorAll("article p, article .sample-name, p")) {
    for (const part of block.childNodes) {
      const kind = part.nodeName;
      if (x > 10 && block.className === "sample-name") x += 12;
      ctx.fillStyle = kind === "INS" || kind === "DEL" ? getComputedStyle(part).color : style.color;
      for (const word of part.textContent.match(/\n|[^\s]+|\s+/g) ?? []) {
        const wide = ctx.measureText(word).width;
        if (word === "\n" || x + wide > w - 10) { x = 10; y += 18; if (!word.trim()) continue; }
        ctx.fillText(word, x, y);
        if (kind === "DEL") ctx.fillRect(x, y + 7, wide, 1);
        if (kind === "INS") ctx.fillRect(x, y + 14, wide, 1);
        x += wide;
      }
    }
    x = 10;
    y += 24;
  }
  return canvas;
}
