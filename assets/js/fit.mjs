/** A figure made for a page of its own, fitted into its panel: it takes the axes that the film had. */

import { theme } from "./colors.mjs";
import { COARSE, modebar } from "./layout.mjs";
import { laidOut } from "./marks/events.mjs";
import { FONT, ticksAcross } from "./marks/paint.mjs";
import { tickHeight, tickWidth } from "./marks/raster.mjs";
import { ONSET_ROOM } from "./marks/stimulus.mjs";

/** What the panel says beside or under the plot itself. */
const ASIDE = "aside";
const OF_FILM = [
  "title", "domain", "side", "ticks", "showticklabels", "tickvals", "dtick", "nticks", "tickformat", "exponentformat",
];
const measure = document.createElement("canvas").getContext("2d");

/** Change `figure` so that it stands where the film of `surface` stood; labels, heading and foot stay. */
export function fitFigure(figure, surface) {
  const { data, layout } = figure, { mark, plot, scene } = surface;
  const kept = (list) => (list ?? []).filter(({ name }) => name !== ASIDE);
  Object.assign(layout, {
    title: { text: "" }, showlegend: false, margin: surface.margin, modebar: modebar(theme()),
    width: plot.clientWidth, height: plot.clientHeight,
    annotations: kept(layout.annotations), shapes: kept(layout.shapes),
    dragmode: COARSE ? false : "zoom",
  });
  for (const trace of data) {
    if (trace.colorbar) trace.showscale = false;
    if (mark.traceWidth && trace.line) trace.line.width = mark.traceWidth;
  }
  const box = surface.box();
  takeAxes(layout, mark, scene, surface);
  if (surface.time) timeAxis(layout, box, scene.t1_ms);
  for (const shape of layout.shapes) if (shape.name === "ticks") fitTicks(shape, box, scene);
  placeEvents(layout, box, mark);
  thinOnsets(layout, box);
}

/** The film's axes; only what the figure counts in its own way, such as rows, keeps its range. */
function takeAxes(layout, mark, scene, size) {
  const film = mark.layout(scene, size, true);
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    const own = layout[name], given = film[name];
    if (given) {
      for (const key of OF_FILM) if (key in given) own[key] = key === "title" ? { ...own.title, ...given.title } : given[key];
      if (mark.sameUnits && !name.endsWith("2")) own.range = given.range ?? own.range;
      if (mark.lanes && name.startsWith("y")) own.fixedrange = true;
    } else if (name.startsWith("y")) {
      Object.assign(own, { showticklabels: false, ticks: "", title: { text: "" }, fixedrange: true });
    }
  }
}

/** Ticks of a raster as wide and as high as on the film, about the rows where they stand. */
function fitTicks(shape, box, { rows, span, dpr }) {
  const n = Math.max(1, rows.length), h = box.h * dpr, half = tickHeight(h, n) / 2 * n / h;
  shape.line.width = tickWidth(box.w * dpr, span) / dpr;
  shape.path = shape.path.replace(/,([^V]+)V([^M]+)/g, (_, top, bottom) => {
    const row = (Number(top) + Number(bottom)) / 2;
    return `,${(row - half).toFixed(3)}V${(row + half).toFixed(3)}`;
  });
}

/** As many numbers as on the film (Plotly stays below the count that it is given); the axis title beside them, where it costs no height. */
function timeAxis(layout, box, t1_ms) {
  const title = layout.xaxis.title?.text ?? "";
  layout.xaxis = { ...layout.xaxis, title: { text: "" }, nticks: ticksAcross(box, t1_ms) + 1, tickangle: 0 };
  layout.annotations.push({
    text: title, x: 1, y: 0, xref: "paper", yref: "paper", xanchor: "left", yanchor: "top",
    yshift: -5, xshift: -1, showarrow: false, font: { size: 12, color: theme().muted },
  });
}

/** Labels of events into lanes, by the width that they have here. */
function placeEvents(layout, box, mark) {
  const notes = layout.annotations.filter(({ name }) => name?.startsWith("event"));
  if (!notes.length) return;
  measure.font = FONT;
  const [lo, hi] = layout.xaxis.range;
  const X = (t) => box.x + (t - lo) / (hi - lo) * box.w;
  const items = notes.map((note) => ({ x: X(note.x), text: note.hovertext, path: note.name.split(" ")[1] }));
  const places = laidOut(items, box, (text) => measure.measureText(text).width, mark);
  notes.forEach((note, k) => {
    const at = places[k];
    note.visible = Boolean(at);
    if (at) Object.assign(note, { xanchor: "left", xshift: at.left - items[k].x, yshift: box.y - at.y, text: at.text });
  });
}

/** Of the labels where a stimulus begins those that have room, as on the film. */
function thinOnsets(layout, box) {
  const [lo, hi] = layout.xaxis.range;
  let free = box.x;
  for (const note of layout.annotations.filter(({ name }) => name === "onset")) {
    const x = box.x + (note.x - lo) / (hi - lo) * box.w;
    note.visible = x >= free && x + ONSET_ROOM < box.x + box.w;
    measure.font = FONT;
    if (note.visible) free = x + 9 + measure.measureText(note.text).width;
  }
}
