/** One panel as a picture: Plotly's axes, the film on top, at any resolution; without a server. */

export const PAD = 14, HEADING_FONT = "600 16px Inter, 'Segoe UI', Roboto, sans-serif";
export const SMALL_FONT = "12px Inter, 'Segoe UI', Roboto, sans-serif";

/**
 * The plot area of a panel on a canvas.
 * @param {object} surface panel surface
 * @param {{scale?: number, background?: string}} options
 * @returns {Promise<HTMLCanvasElement>} `scale` times the plot's CSS size
 */
export async function composePanel(surface, { scale = 2, background = null } = {}) {
  const { scene } = surface;
  const w = surface.plot.clientWidth, h = surface.plot.clientHeight;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(w * scale);
  canvas.height = Math.round(h * scale);
  const ctx = canvas.getContext("2d");
  let film = scene && !scene.store.empty ? drawFilm(surface, scene, w, h, scale) : null;
  if (film && surface.live) {
    await surface.settle(scene);
    film = drawFilm(surface, scene, w, h, scale);
  }
  if (background) {
    ctx.fillStyle = background;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
  }
  const url = await window.Plotly.toImage(surface.gd, { format: "png", width: w, height: h, scale });
  ctx.drawImage(await picture(url), 0, 0, canvas.width, canvas.height);
  if (film) ctx.drawImage(film, 0, 0);
  return canvas;
}

/** Draw the panel's scene anew at `scale`, so that the picture is as sharp as asked; of traces only the labels. */
function drawFilm(surface, scene, w, h, scale) {
  const film = document.createElement("canvas");
  film.width = Math.round(w * scale);
  film.height = Math.round(h * scale);
  const sharp = Object.create(scene, { dpr: { value: scale } });
  const ctx = film.getContext("2d");
  ctx.setTransform(scale, 0, 0, scale, 0, 0);
  if (surface.live) surface.mark.draw(ctx, sharp);
  surface.mark.labels(ctx, sharp);
  return film;
}

function picture(url) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("Plotly's picture could not be read"));
    image.src = url;
  });
}

/**
 * A panel with heading, foot and provenance, ready to be saved.
 * @param {object} app the page object
 * @returns {Promise<Blob>} PNG
 */
export async function panelPng(app, surface, look) {
  const scale = 2, pad = PAD;
  const plot = await composePanel(surface, { scale, background: look.bg });
  const w = plot.width / scale;
  const canvas = document.createElement("canvas");
  const ctx = canvas.getContext("2d");
  const lines = below(app, surface.foot.textContent, w);
  const h = 34 + plot.height / scale + lines.length * 17 + 8;
  canvas.width = (w + 2 * pad) * scale;
  canvas.height = (h + 2 * pad) * scale;
  ctx.scale(scale, scale);
  ctx.fillStyle = look.bg;
  ctx.fillRect(0, 0, w + 2 * pad, h + 2 * pad);
  ctx.fillStyle = look.fg;
  ctx.font = HEADING_FONT;
  ctx.fillText(heading(surface).join(" · "), pad, pad + 16);
  ctx.drawImage(plot, pad, pad + 30, w, plot.height / scale);
  ctx.font = SMALL_FONT;
  ctx.fillStyle = look.muted;
  lines.forEach((line, i) => ctx.fillText(line, pad, pad + 34 + plot.height / scale + 14 + i * 17));
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
}

/** The lines under a saved panel: its `foot`, and what it comes from; none wider than `width` px. */
export function below(app, foot, width) {
  const ctx = document.createElement("canvas").getContext("2d");
  ctx.font = SMALL_FONT;
  return [foot, provenance(app)].flatMap((text) => wrap(ctx, text, width));
}

/** `["Spike raster", "12.0–12.5 s"]` of what the panel shows. */
export function heading(surface) {
  const title = surface.section.querySelector("h2")?.textContent ?? surface.slug;
  const { scene } = surface;
  if (!scene) return [title, "no data yet"];
  return [title, `${(Math.max(0, scene.t0_ms) / 1000).toFixed(2)}–${(scene.t1_ms / 1000).toFixed(2)} s`];
}

function provenance(app) {
  const changed = Object.entries(app.params?.non_default ?? {}).map(([path, v]) => `${path} ${v}`);
  return [
    changed.length ? `changed: ${changed.join(", ")}` : "all defaults",
    `t4dm ${app.config.version ?? ""} ${app.config.commit ?? ""}`.trim(),
    `session ${app.session}`, `seed ${app.meta?.seed ?? "?"}`, `dt ${app.dt} ms`,
    new Date().toISOString().replace(/\.\d+Z/, " UTC").replace("T", " "),
  ].join(" · ");
}

function wrap(ctx, text, width) {
  const lines = [];
  let line = "";
  for (const word of text.split(" ")) {
    const next = line ? `${line} ${word}` : word;
    if (line && ctx.measureText(next).width > width) { lines.push(line); line = word; }
    else line = next;
  }
  return line ? [...lines, line] : lines;
}
