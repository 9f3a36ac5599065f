// The episodes in the memory as a table: what, where, when, and how near it is to here and now.

import { h } from "../dom.mjs";
import { simTime } from "../format.mjs";
import { episodesOf } from "./episodes.mjs";

/** Fills `host`; `refresh` writes what changed. A row marks its episode in the arena. */
export function episodeList(page, host) {
  const body = h("tbody");
  const empty = h("p", { class: "quiet list-empty", text: "Nothing is stored yet. The agent stores what it meets: the objects in the arena." });
  const head = h("tr", {}, ...["met", "place (m)", "stored at", "recalled", "similarity"].map((text) => h("th", { scope: "col", text })));
  const table = h("table", { class: "episode-table" }, h("thead", {}, head), body);
  host.append(h("div", { class: "list-scroll" }, table, empty));
  const rows = new Map();
  return {
    refresh() {
      if (!page.constants) return;
      const found = episodesOf(page.store, page.constants).sort((a, b) => (b.similarity || -1) - (a.similarity || -1) || a.slot - b.slot);
      const threshold = page.value("recall.threshold") ?? 1, held = page.recall()?.slot ?? -1;
      empty.hidden = found.length > 0;
      table.hidden = found.length === 0;
      for (const [slot, row] of rows) if (!found.some((one) => one.slot === slot)) { row.node.remove(); rows.delete(slot); }
      for (const one of found) {
        if (!rows.has(one.slot)) rows.set(one.slot, rowOf(page, one.slot));
        rows.get(one.slot).write(one, threshold, one.slot === held);
      }
      const wanted = found.map((one) => rows.get(one.slot).node), now = [...body.children];
      if (wanted.some((node, i) => node !== now[i]) && !body.contains(document.activeElement)) body.append(...wanted);
    },
    /** What is shown, for tests and snapshots. */
    get count() { return rows.size; },
  };
}

function rowOf(page, slot) {
  const name = h("button", { type: "button", class: "episode-name", title: "Mark it in the arena", on: { click: () => page.mark(page.marked === slot ? -1 : slot) } });
  const cells = [0, 1, 2].map(() => h("td"));
  const fill = h("span", { class: "meter-fill" }), line = h("span", { class: "meter-line" }), number = h("span", { class: "meter-number" });
  const meter = h("td", {}, h("span", { class: "meter" }, fill, line), number);
  const node = h("tr", {}, h("td", {}, name), ...cells, meter);
  const put = (target, text) => { if (target.textContent !== text) target.textContent = text; };
  return {
    node,
    write({ object, x, y, step, recalls, similarity }, threshold, held) {
      put(name, object);
      put(cells[0], `${x.toFixed(2)}, ${y.toFixed(2)}`);
      put(cells[1], simTime(step * page.constants.dt_ms));
      put(cells[2], `${recalls}x`);
      put(number, Number.isFinite(similarity) ? similarity.toFixed(2) : "–");
      fill.style.width = `${100 * Math.max(0, similarity || 0)}%`;
      line.style.left = `${100 * threshold}%`;
      name.setAttribute("aria-pressed", String(page.marked === slot));
      node.classList.toggle("is-held", held);
      node.classList.toggle("is-near", similarity >= threshold);
    },
  };
}
