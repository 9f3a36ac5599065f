/** Places a film canvas and a label canvas over each panel's Plotly axes and keeps them in step. */

import { theme } from "./colors.mjs";
import { emptyNote } from "./marks/paint.mjs";

const NARROW = 520, NARROW_LEFT = 104;
const HEARD_BY_DASH = [
  "click", "clickannotation", "hover", "unhover", "selected", "deselect", "relayout", "restyle",
];
/** Where a finger points: no drag zooms, and the tool bar would never go. */
export const COARSE = window.matchMedia("(pointer: coarse)").matches;
let revision = 0;
const PLOTLY_CONFIG = {
  displaylogo: false, showSendToCloud: false, plotlyServerURL: "", responsive: true,
  displayModeBar: COARSE ? false : "hover", doubleClick: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "toImage", "zoomIn2d", "zoomOut2d",
    "resetScale2d"],
};

export class Surface {
  /**
   * @param {HTMLElement} section `<section class="panel">`
   * @param {object} mark the module that draws it
   * @param {() => void} onChange called when the panel's size changed, or when it came into view
   * @param {object} view what the page shows
   */
  constructor(section, mark, onChange, view) {
    this.section = section;
    this.slug = section.dataset.slug;
    this.mark = mark;
    this.view = view;
    this.plot = section.querySelector(".panel-plot");
    this.foot = section.querySelector(".panel-foot");
    this.film = canvas(this.plot, "film");
    this.over = canvas(this.plot, "film-labels");
    this.film.setAttribute("role", "img");
    this.ctx = this.film.getContext("2d");
    this.overCtx = this.over.getContext("2d");
    this.key = null;
    this.live = true;
    this.dirty = true;
    this.labelledAt = 0;
    this.inView = true;
    this.#observe(onChange);
  }

  /** Sizes and places are told by the browser: to ask for them costs a layout each time. */
  #observe(onChange) {
    this.look();
    new ResizeObserver(() => { this.look(); onChange(); }).observe(this.plot);
    new IntersectionObserver((entries) => {
      this.inView = entries.at(-1).isIntersecting;
      if (this.inView) this.dirty = true;
      onChange();
    }).observe(this.plot);
  }

  /** The Plotly graph div, once Dash has made it. */
  get gd() {
    this.found ??= document.querySelector(`#graph-${CSS.escape(this.slug)} .js-plotly-plot`);
    if (this.found && !this.found.isConnected) this.found = null;
    return this.found;
  }

  get ready() { return Boolean(this.gd?._fullLayout?._size && window.Plotly); }

  /** Look anew how large the panel is, and whether it is on the page at all. */
  look() {
    this.width = this.plot.clientWidth;
    this.height = this.plot.clientHeight;
    this.visible = this.plot.offsetParent !== null && this.width > 0 && this.height > 0;
    return this.visible;
  }

  /** Whether a draw is due: the film follows the run where it can be seen, else when it is asked for. */
  get due() { return (this.live || this.dirty) && this.visible && this.ready; }

  /** Whether x is the time that all time plots share; a mark may show something else by its view. */
  get time() { return this.mark.time && !this.mark.timeless?.(this.view); }

  /** Margins: wide panels keep room for group names, narrow ones give it to the plot. */
  get margin() {
    const narrow = this.width < NARROW;
    const { l, r } = this.mark.margin;
    const b = this.time ? 23 : 38;
    return { l: narrow && this.time ? NARROW_LEFT : l, r, t: 6, b, pad: 0, autoexpand: false };
  }

  /** Hear of Plotly's own redraws; Dash would answer a zoom by plotting its first figure again. */
  watch(onChange) {
    if (this.watched === this.gd) return;
    this.watched = this.gd;
    for (const name of HEARD_BY_DASH) this.gd.removeAllListeners(`plotly_${name}`);
    this.gd.on("plotly_afterplot", () => { this.dirty = true; onChange(); });
  }

  /** Let Plotly draw the live axes, only when something of them changed. */
  axes(scene) {
    const look = theme();
    const key = [this.mark.layoutKey?.(scene), look.dark, scene.span_ms, scene.rows.length,
      this.width, this.height, this.live].join("|");
    if (key === this.key || this.busy) return;
    this.key = key;
    const layout = liveLayout(this, scene, look);
    this.busy = Promise.resolve(window.Plotly.react(this.gd, holders(layout), layout, PLOTLY_CONFIG))
      .finally(() => { this.busy = null; this.dirty = true; });
  }

  /** Resolves when the axes are those that the last drawing asked for, which the run's own draw gets to later. */
  async settle(scene) {
    await this.busy;
    this.axes(scene);
    await this.busy;
  }

  /** Fit both canvases to the plot at the screen's resolution; one that fits is not touched. */
  fit(dpr) {
    const { width: w, height: h } = this;
    const pw = Math.round(w * dpr), ph = Math.round(h * dpr);
    for (const ctx of [this.ctx, this.overCtx]) {
      const c = ctx.canvas;
      if (c.width === pw && c.height === ph) continue;
      c.width = pw;
      c.height = ph;
      c.style.width = `${w}px`;
      c.style.height = `${h}px`;
      ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
      this.dirty = true;
    }
  }

  /** Plot area of an axis pair in CSS pixels of `.panel-plot`, or null. */
  box(yName = "yaxis", xName = "xaxis") {
    const full = this.gd?._fullLayout;
    const x = full?.[xName], y = full?.[yName];
    if (!x || !y) return null;
    return { x: Math.round(x._offset), y: Math.round(y._offset), w: Math.round(x._length), h: Math.round(y._length) };
  }

  /** The scene as this panel draws it: with its plot areas, and where its rows lie. */
  #own(scene, box) {
    const axis = this.gd._fullLayout.yaxis, rowH = box.h / Math.max(1, scene.rows.length);
    return Object.create(scene, {
      box: { value: box }, boxOf: { value: (y, x) => this.box(y, x) }, paused: { value: !this.live },
      rowEdge: { value: this.live ? (row) => box.y + row * rowH : (row) => box.y + axis.d2p(row - 0.5) },
    });
  }

  /** Draw the film, and the labels when `withLabels` or when the panel changed. Traces keep the labels. */
  draw(scene, withLabels) {
    this.drew = scene;
    this.fit(scene.dpr);
    if (this.live) this.axes(scene);
    const box = this.box();
    if (!box || box.w < 20 || box.h < 20) return;
    const mine = this.scene = this.#own(scene, box);
    if (this.#absent(scene, box)) return;
    const still = this.mark.stillKey?.(mine);
    if (still && still === this.still && !withLabels && !this.dirty && scene.status === "live") return;
    this.still = still;
    this.ctx.clearRect(0, 0, this.width, this.height);
    if (scene.store.empty) {
      const why = outage(scene) ?? "waiting for the first frame";
      emptyNote(this.ctx, box, why, scene.theme);
      this.say(why);
      return;
    }
    this.mark.draw(this.ctx, mine);
    if (outage(scene)) emptyNote(this.ctx, box, outage(scene), scene.theme);
    if (!withLabels && !this.dirty) return;
    this.dirty = false;
    this.labelledAt = scene.now;
    this.overCtx.clearRect(0, 0, this.width, this.height);
    this.mark.labels(this.overCtx, mine);
    this.say(this.mark.foot(mine));
  }

  /** Say why there is nothing to draw where the session does not publish what the panel needs. */
  #absent(scene, box) {
    const why = scene.absent(this.slug);
    if (!why) return false;
    for (const ctx of [this.ctx, this.overCtx]) ctx.clearRect(0, 0, this.width, this.height);
    emptyNote(this.overCtx, box, why, scene.theme);
    this.say(why);
    return true;
  }

  /** The line under the plot, also the picture's text twin; `tell` writes it. */
  say(text) { this.words = text; }

  tell() {
    if (this.told === this.words) return;
    this.told = this.words;
    this.foot.textContent = this.foot.title = this.words;
    this.film.setAttribute("aria-label", this.words);
  }

  /** Show the film (live) or the Plotly traces (inspect); the labels round the plot stay. */
  setLive(live) {
    if (live !== this.live) this.dirty = true;
    this.live = live;
    this.film.style.visibility = live ? "visible" : "hidden";
    if (live) this.key = null;
  }
}

/** Why nothing new is drawn, or null when all is well. */
function outage({ status, down, age, store }) {
  if (status === "down") return store.empty ? down : `${down} · last data ${age.toFixed(1)} s ago`;
  return status === "stale" ? `no data for ${age.toFixed(1)} s` : null;
}

function canvas(plot, name) {
  const c = document.createElement("canvas");
  c.className = name;
  Object.assign(c.style, { position: "absolute", left: "0", top: "0", pointerEvents: "none" });
  plot.appendChild(c);
  return c;
}

function axis(look, more) {
  return {
    gridcolor: look.grid, linecolor: look.line, tickcolor: look.line, showline: true, mirror: true,
    zeroline: false, ticks: "outside", ticklen: 4, automargin: false, autorange: false, showgrid: true,
    ...more, title: { font: { size: 12 }, standoff: 6, ...(more.title ?? {}) },
  };
}

/** Plotly makes a second axis only for a trace that uses it: one without points for each. */
function holders(layout) {
  const names = Object.keys(layout).filter((name) => /^yaxis\d*$/.test(name));
  return names.length < 2 ? [] : names.map((name) => {
    const across = name.replace("y", "x");
    return {
      type: "scatter", x: [null], y: [null], hoverinfo: "skip", yaxis: name.replace("axis", ""),
      xaxis: across in layout ? across.replace("axis", "") : "x",
    };
  });
}

/** Colours of Plotly's tool bar on either theme. */
export function modebar(look) {
  return { bgcolor: COARSE ? "rgba(0,0,0,0)" : look.bg, color: look.line, activecolor: look.fg };
}

/** Axes without traces; the time axis runs from -span to 0, its numbers are drawn on the film. */
function liveLayout(surface, scene, look) {
  const own = surface.mark.layout(scene, surface);
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif", size: 12, color: look.fg },
    margin: surface.margin, dragmode: COARSE ? false : "zoom",
    hovermode: false, width: surface.width, height: surface.height, modebar: modebar(look), uirevision: `live-${++revision}`, shapes: [], annotations: [],
    xaxis: surface.time
      ? { range: [-scene.span_ms, 0], showticklabels: false, ticks: "", showgrid: false }
      : {},
  };
  for (const [name, value] of Object.entries(own)) layout[name] = { ...layout[name], ...value };
  for (const name of Object.keys(layout)) {
    if (/^[xy]axis\d*$/.test(name)) layout[name] = axis(look, layout[name]);
  }
  return layout;
}
