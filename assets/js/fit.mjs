/** A figure made for a page of its own, fitted into its panel: margins, names, legend, captions. */

import { theme } from "./colors.mjs";
import { modebar } from "./layout.mjs";

const LINES = { solid: "━━", dash: "╍╍", dot: "┅┅", dashdot: "━╍" };

/** Change `figure` so that it stands where the film of `surface` stood; its heading and foot stay. */
export function fitFigure(figure, surface) {
  const { layout } = figure;
  layout.title = { text: "" };
  layout.annotations = (layout.annotations ?? []).filter((note) => note.name !== "caption");
  layout.margin = { ...surface.margin, t: layout.annotations.some(isAbove) ? 24 : 6 };
  Object.assign(layout, { width: surface.plot.clientWidth, height: surface.plot.clientHeight });
  layout.modebar = modebar(theme());
  if (surface.mark.time) timeTitle(layout);
  fitText(figure, surface.plot);
  fitLegend(figure);
  fitImage(layout, surface);
}

/** True for a line of text over the plot. */
function isAbove(note) {
  return note.yref === "paper" && note.y === 1 && note.yanchor === "bottom";
}

/** The axis title beside the numbers, where it costs no height. */
function timeTitle(layout) {
  layout.xaxis = { ...layout.xaxis, title: { text: "" } };
  layout.annotations = [...(layout.annotations ?? []), {
    text: "Time (ms)", x: 1, y: 0, xref: "paper", yref: "paper", xanchor: "left", yanchor: "top",
    yshift: -5, xshift: 3, showarrow: false, font: { size: 12, color: theme().muted },
  }];
}

/** Names short enough for the room this plot has. */
function fitText({ data, layout }, plot) {
  const short = (text) => String(text).replace(/block (\d+)( LIF)?/, "b$1").replace(/^(\d+) (in|out)/, "b$1 $2");
  if (layout.yaxis?.ticktext) {
    const line = plot.clientWidth < 520 ? (t) => t.split("<br>")[0] : (t) => t.replace("<br>", " ").replace(/ \(.*/, "");
    layout.yaxis = { ...layout.yaxis, ticktext: layout.yaxis.ticktext.map((t) => short(line(t))) };
  }
  const title = layout.yaxis?.title;
  if (title?.text && plot.clientHeight < 170) {
    layout.yaxis.title = { ...title, text: title.text.replace(/^.* \((.{4,})\)$/, "$1") };
  }
  for (const trace of data) {
    if (trace.name) trace.name = short(trace.name);
    if (trace.colorbar && (plot.clientHeight < 170 || trace.colorbar.len < 0.5)) trace.colorbar = onlyEnds(trace.colorbar);
  }
}

/** A colour bar too short for its title and for more than its two ends. */
function onlyEnds(bar) {
  const ends = (list) => (list?.length > 2 ? [list[0], list.at(-1)] : list);
  return { ...bar, title: { text: "" }, tickvals: ends(bar.tickvals), ticktext: ends(bar.ticktext) };
}

/** The legend right of the axes as a column of names, which needs less height than Plotly's. */
function fitLegend({ data, layout }) {
  if (!layout.showlegend || !(layout.legend?.x > 1)) return;
  layout.showlegend = false;
  const named = data.filter((trace) => trace.name && trace.showlegend !== false);
  layout.annotations = [...layout.annotations, ...named.map((trace, i) => ({
    text: `<span style="color:${trace.line.color}">${LINES[trace.line.dash] ?? LINES.solid}</span> ${trace.name}`,
    x: 1, y: 1 - (i + 0.5) / named.length, xref: "paper", yref: "paper", xanchor: "left", yanchor: "middle",
    xshift: 4, showarrow: false, font: { size: 12 },
  }))];
}

/** The image beside the trace, as large as margin and height allow. */
function fitImage(layout, surface) {
  const [shapes, captions] = [layout.shapes ?? [], layout.annotations].map((list) => list.filter((item) => item.name === "image"));
  const [wide, high] = ["x0", "y0"].map((end) => Math.max(1, ...shapes.map((shape) => -shape[end])));
  const k = Math.min(1, (surface.margin.l - 6) / wide, (surface.plot.clientHeight - 24 - 18) / high);
  for (const shape of shapes) for (const end of ["x0", "x1", "y0", "y1"]) shape[end] *= k;
  for (const caption of captions) for (const shift of ["xshift", "yshift"]) caption[shift] *= k;
}
