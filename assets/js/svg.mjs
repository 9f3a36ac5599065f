/** One panel as an SVG drawing: the plot as Plotly draws it, the labels round it, heading, foot and provenance. */

import { HEADING_FONT, PAD, SMALL_FONT, below, heading } from "./compose.mjs";
import { fitFigure } from "./fit.mjs";
import { emptyNote } from "./marks/paint.mjs";
import { SvgContext, escaped } from "./svg-context.mjs";

const HEAD = 30, LINE = 17;

/**
 * What the panel shows now, ready to be saved; a live one at the moment of the call.
 * @param {object} app the page object
 * @param {object} surface panel surface, drawn up to date
 * @param {{bg: string, fg: string, muted: string}} look colours in force
 * @returns {Promise<string>} the SVG's text
 */
export async function panelSvg(app, surface, look) {
  const still = surface.live ? standing(surface) : surface;
  const { labels, foot } = told(still);
  const words = { title: heading(still).join(" · "), lines: below(app, foot, surface.plot.clientWidth) };
  const shown = surface.live && !missing(still) ? await fitted(app, still) : surface.gd;
  return framed(surface, look, words, [await plotSvg(shown, surface.plot), labels]);
}

/** The panel as it is now, while the run goes on: with its scene as one that stands. */
function standing(surface) {
  const scene = surface.scene && Object.create(surface.scene, { paused: { value: true } });
  return Object.create(surface, { scene: { value: scene } });
}

/** Why there is nothing to draw, or "". */
function missing({ slug, scene, words }) {
  return scene && !scene.store.empty ? scene.absent(slug) : words;
}

/** The server's figure of the same window, as it stands in the panel when the view is paused. */
async function fitted(app, still) {
  const figure = await app.panelFigure(still.slug);
  fitFigure(figure, still);
  if (still.time) figure.layout.xaxis = { ...figure.layout.xaxis, range: [still.scene.t0_ms, still.scene.t1_ms], autorange: false };
  return figure;
}

/** What the mark writes round the plot, and under it; of one drawn live it is counted anew. */
function told(still) {
  const { slug, mark, plot, live } = still, why = missing(still);
  const ctx = new SvgContext(`t4dm-${slug}`);
  if (why) {
    if (still.scene) emptyNote(ctx, still.scene.box, why, still.scene.theme);
    return { labels: ctx.markup, foot: why };
  }
  const scene = Object.create(still.scene, { dpr: { value: 1 } });
  if (live) mark.draw(scratch(plot), scene);
  mark.labels(ctx, scene);
  return { labels: ctx.markup, foot: mark.foot(scene) };
}

function scratch({ clientWidth: width, clientHeight: height }) {
  return Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
}

/** A figure, or a graph on the page, as the text of an `<svg>` of the plot's size. */
async function plotSvg(shown, { clientWidth: width, clientHeight: height }) {
  const url = await window.Plotly.toImage(shown, { format: "svg", width, height });
  return decodeURIComponent(url.slice(url.indexOf(",") + 1)).replace(/^<\?xml[^>]*>\s*/, "");
}

/** The drawing on its ground, with the words over and under it. */
function framed({ plot }, look, { title, lines }, parts) {
  const w = plot.clientWidth + 2 * PAD, foot = PAD + HEAD + plot.clientHeight + 18;
  const h = foot + lines.length * LINE + PAD - 8;
  const text = (words, y, font, color) =>
    `<text x="${PAD}" y="${y}" style="font: ${font}; white-space: pre" fill="${color}">${escaped(words)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">`,
    `<title>${escaped(title)}</title>`, `<desc>${escaped(lines.join(" "))}</desc>`,
    `<rect width="${w}" height="${h}" fill="${look.bg}"/>`,
    text(title, PAD + 16, HEADING_FONT, look.fg),
    `<g transform="translate(${PAD} ${PAD + HEAD})">`, ...parts, "</g>",
    ...lines.map((line, i) => text(line, foot + i * LINE, SMALL_FONT, look.muted)), "</svg>",
  ].join("\n");
}
