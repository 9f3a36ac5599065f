/** A panel's window as a table in the panel's place: the numbers of its CSV, a page at a time. */

import { ASKS } from "./app.mjs";
import { Refused, ask } from "./ask.mjs";
import { h } from "./dom.mjs";
import { grouped } from "./marks/paint.mjs";

const ROWS = 100, MOST_BYTES = 8e6, SETTLE_MS = 500;

/** The button that shows the panel as a table and back; `query` is of the window in view. */
export function tableButton(app, surface, query) {
  const title = surface.section.querySelector("h2")?.textContent ?? surface.slug;
  const id = `table-${surface.slug}`;
  const button = h("button", { type: "button", class: "tool tool-asks", text: "Table", title: `Show ${title} as a table`, "aria-label": `Show ${title} as a table`, "aria-expanded": "false", "aria-controls": id, data: { table: surface.slug } });
  let table = null, timer = 0;
  const close = () => {
    table?.node.remove();
    table = null;
    button.setAttribute("aria-expanded", "false");
  };
  button.addEventListener("click", () => {
    if (table) { close(); return; }
    table = new WindowTable(title, id, () => app.url(`/panels/${surface.slug}.csv`, query()));
    table.node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      close();
      button.focus();
    });
    surface.plot.append(table.node);
    button.setAttribute("aria-expanded", "true");
    table.read();
  });
  app.on("view", (changed) => {
    if (!table || !changed.some((key) => ASKS.includes(key))) return;
    clearTimeout(timer);
    timer = setTimeout(() => table?.read(), SETTLE_MS);
  });
  return button;
}

/** Rows and columns of one moment; it stands still until it is read again. */
class WindowTable {
  constructor(title, id, url) {
    Object.assign(this, { title, url, first: 0, head: [], rows: [], turn: 0 });
    this.words = h("output", { class: "table-words" });
    const go = (text, label, to) => h("button", { type: "button", text, "aria-label": label, on: { click: () => this.show(to()) } });
    this.back = [go("First", "First rows", () => 0), go("◀", "Rows before", () => this.first - ROWS)];
    this.forth = [go("▶", "Next rows", () => this.first + ROWS), go("Last", "Last rows", () => this.last())];
    const again = h("button", { type: "button", class: "tool-asks", text: "Read again", title: "Read the window as it is now", "aria-label": "Read again: the window as it is now", on: { click: () => this.read() } });
    const bar = h("div", { class: "table-bar" }, ...this.back, ...this.forth, this.words, again);
    this.body = h("div", { class: "table-scroll", tabIndex: 0, role: "region", "aria-label": `${title}, table of the window in view` });
    this.node = h("div", { class: "panel-table", id }, bar, this.body);
  }

  last() { return Math.max(0, Math.ceil(this.rows.length / ROWS - 1) * ROWS); }

  /** Reads the window that is in view now and shows its first rows. */
  async read() {
    const turn = ++this.turn;
    this.say("reading …");
    try {
      const found = await readCsv(this.url());
      if (turn !== this.turn) return;
      Object.assign(this, found);
      this.show(0);
    } catch (error) {
      if (turn === this.turn) this.say(error.message);
    }
  }

  /** Writes only what changes, so that a reader is told once. */
  say(text) { if (this.words.textContent !== text) this.words.textContent = text; }

  show(first) {
    const { head, rows } = this;
    this.first = Math.min(this.last(), Math.max(0, first));
    const part = rows.slice(this.first, this.first + ROWS);
    const caption = `${this.title}: rows ${grouped(this.first + 1)} to ${grouped(this.first + part.length)} of ${grouped(rows.length)}`;
    this.say(rows.length ? `${caption.slice(this.title.length + 2)}${this.cut ? ", cut: the CSV has all" : ""}` : "no row in this window");
    for (const button of this.back) button.disabled = this.first === 0;
    for (const button of this.forth) button.disabled = this.first >= this.last();
    const cells = (line) => cellsOf(line).map((text, i) => (i ? h("td", { text }) : h("th", { scope: "row", text })));
    this.body.replaceChildren(h("table", {},
      h("caption", { class: "sr-only", text: caption }),
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col", text })))),
      h("tbody", {}, ...part.map((line) => h("tr", {}, ...cells(line))))));
    this.body.scrollTop = 0;
  }
}

/** The cells of a line of CSV. */
function cellsOf(line) {
  if (!line.includes('"')) return line.split(",");
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}

/** Head and lines of a CSV; `cut` where it was too long to be read whole. */
async function readCsv(url) {
  const answer = await ask(url);
  if (answer.headers.get("Content-Type")?.startsWith("application/json")) {
    const { status, error } = await answer.json();
    throw new Refused(status ?? answer.status, error);
  }
  const reader = answer.body.getReader(), decoder = new TextDecoder();
  let text = "", done = false;
  while (!done && text.length < MOST_BYTES) {
    const part = await reader.read();
    done = part.done;
    text += decoder.decode(part.value, { stream: !done });
  }
  if (!done) await reader.cancel();
  const [head, ...rows] = text.split("\n");
  rows.pop();
  return { head: cellsOf(head), rows, cut: !done };
}
