// The list of pages, the same on each: the parts of the board, then the pages beside it.

import { h } from "./dom.mjs";

/** Fills `#pages` of a page other than the board. */
export function pageLinks(app) {
  const checklist = h("a", { href: "/#checklist", text: "Checklist", title: "Thirteen things to look at in a spiking session" });
  fill([...others(app, ""), checklist]);
}

/** Fills `#pages` of the board: a link for each part of it scrolls there, and the part in view is the current one. */
export function boardLinks(app) {
  const panels = app.config.panels ?? [];
  const firstOf = (name) => document.getElementById(panels.find((panel) => panel.page === name).id);
  /** Where the part `name` begins, or null while none of its panels is shown. */
  const pageTop = (name) => {
    const places = panels.filter((panel) => panel.page === name).map(({ id }) => document.getElementById(id).getBoundingClientRect());
    const there = places.filter(({ height }) => height > 0).map(({ top }) => top);
    return there.length ? Math.min(...there) : null;
  };
  const parts = [...new Set(panels.map((panel) => panel.page))].map((name) => h("a", {
    href: `#${name}`, data: { page: name }, text: name[0].toUpperCase() + name.slice(1),
    on: {
      click: (event) => {
        event.preventDefault();
        if (app.view.maximised) app.maximise(app.view.maximised);
        firstOf(name).scrollIntoView({ block: "start" });
      },
    },
  }));
  const mark = () => {
    const middle = window.innerHeight / 2;
    const shown = parts.map((link) => [link, pageTop(link.dataset.page)]).filter(([, top]) => top !== null);
    const current = (shown.findLast(([, top]) => top < middle) ?? shown[0])?.[0] ?? parts[0];
    parts.forEach((link) => (link === current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current")));
  };
  for (const scrolled of [document.getElementById("board"), window]) scrolled.addEventListener("scroll", mark, { passive: true });
  app.on("maximise", mark);
  fill([...parts, ...others(app, "/")]);
  mark();
}

const fill = (links) => document.getElementById("pages").append(h("strong", { class: "brand", text: "t4dm" }), ...links);

/** Links to the pages but `left`; the one shown is the current one. */
function others(app, left) {
  const here = location.pathname.replace(/\/+$/, "") || "/";
  return (app.config.pages ?? []).filter(({ path }) => path !== left).map(({ path, title }) => {
    const link = h("a", { href: path, class: "page-link", text: title });
    if (path === here) link.setAttribute("aria-current", "page");
    return link;
  });
}
