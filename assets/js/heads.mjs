/** The tools in each panel's head: on one line, folded behind a button where there is no room for all. */

import { h } from "./dom.mjs";

/** Put `shown`, then `folds`, then `last` into a panel's head; the `folds` go into a list where all need a second line. */
export function mountHead(section, shown, folds, last) {
  const tools = section.querySelector(".panel-tools"), title = section.querySelector("h2");
  const id = `more-${section.dataset.slug}`, words = `More tools of ${title.textContent}`;
  const list = h("div", { class: "tool-list", id }, ...folds);
  const more = h("button", { type: "button", class: "tool tool-more", text: "⋯", title: words, "aria-label": words, "aria-expanded": "false", "aria-controls": id });
  const open = (yes) => {
    more.setAttribute("aria-expanded", String(yes));
    list.classList.toggle("open", yes);
  };
  more.addEventListener("click", () => open(more.getAttribute("aria-expanded") === "false"));
  list.addEventListener("click", ({ target }) => { if (target.closest("button")) open(false); });
  section.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || !list.classList.contains("open")) return;
    event.preventDefault();
    open(false);
    more.focus();
  });
  document.addEventListener("pointerdown", ({ target }) => { if (!list.contains(target) && target !== more) open(false); });
  tools.replaceChildren(...shown, list, more, ...last);
  if (title.title === "") title.title = title.textContent;
  const fit = () => fold(section, title, tools, open);
  const sizes = new ResizeObserver(() => requestAnimationFrame(fit));
  for (const node of [tools.parentElement, ...shown]) sizes.observe(node);
  fit();
}

/** Folded where title and tools, laid out freely, stand on more than one line. */
function fold(section, title, tools, open) {
  const before = section.classList.contains("folded");
  section.classList.remove("folded");
  const middles = [title, ...tools.querySelectorAll("button, select, input")].map((node) => node.getBoundingClientRect())
    .filter(({ width }) => width > 0).map(({ top, height }) => top + height / 2);
  const yes = Math.max(...middles) - Math.min(...middles) > 6;
  section.classList.toggle("folded", yes);
  if (before && !yes) open(false);
}
