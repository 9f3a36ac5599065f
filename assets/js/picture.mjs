// The whole board as one canvas: title, changed parameters, note, every visible panel, footer.

const PAD = 16;
const MIN_WIDTH = 720;
const MAX_PIXELS = 24e6;
const FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

const SEVERITY_INKS = {
  ok: "--health-ok", waiting: "--text-quiet", note: "--text-quiet", warning: "--warn", critical: "--health-critical",
};

/**
 * Composes every visible panel once; the result is drawn again for each note without asking the
 * panels. Resolves to `{panels: [{title, foot, x, y, w, h, plot, image}], width, height, scale}`.
 */
export async function collectPanels(app, wanted = 1.5) {
  const sections = [...document.querySelectorAll("#board .panel")].filter((node) => node.getBoundingClientRect().width > 0);
  const boxes = sections.map((node) => node.getBoundingClientRect());
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const width = Math.max(...boxes.map((box) => box.right)) - left;
  const height = Math.max(...boxes.map((box) => box.bottom)) - top;
  const scale = Math.min(wanted, Math.sqrt(MAX_PIXELS / (width * height)));
  const background = ink("--panel");
  const images = await Promise.all(sections.map((node) => app.composePanel(node.dataset.slug, { scale, background })));
  const place = (box) => ({ x: box.left - left, y: box.top - top, w: box.width, h: box.height });
  const panels = sections.map((node, i) => ({
    slug: node.dataset.slug,
    title: titleOf(app, node),
    foot: node.querySelector(".panel-foot")?.textContent.trim() ?? "",
    plot: place((node.querySelector(".panel-plot") ?? node).getBoundingClientRect()),
    image: images[i],
    parts: [...node.querySelectorAll("[data-part]")].map((part) => ({ ...place(part.getBoundingClientRect()), image: app.composePart(part, { scale, background }) })),
    ...place(boxes[i]),
  }));
  return { panels, width, height, scale };
}

/** What the panel shows, and of time plots when: `Spike raster · 12.00–13.00 s`. */
function titleOf(app, node) {
  const { slug } = node.dataset;
  const name = node.querySelector(".panel-head h2")?.textContent.trim() ?? slug;
  const scene = app.scene?.(), panel = (app.config.panels ?? []).find((each) => each.slug === slug);
  if (panel?.axis !== "time" || !scene) return name;
  const [from, to] = app.view.zoom ?? [Math.max(0, scene.t0_ms), scene.t1_ms];
  return `${name} · ${(from / 1000).toFixed(2)}–${(to / 1000).toFixed(2)} s`;
}

/** Draws the picture; `texts` is `{title, badge, health, findings, strip, note, footer}`. Returns a canvas. */
export function drawPicture(board, texts) {
  const { scale } = board;
  const inner = Math.max(MIN_WIDTH, board.width);
  const head = headBlock(texts, inner);
  const foot = wrap(texts.footer, 12, inner);
  const canvas = document.createElement("canvas");
  const height = PAD + head.height + board.height + 12 + foot.length * 17 + PAD;
  canvas.width = Math.round((inner + 2 * PAD) * scale);
  canvas.height = Math.round(height * scale);
  const g = canvas.getContext("2d");
  g.scale(scale, scale);
  g.fillStyle = ink("--page");
  g.fillRect(0, 0, inner + 2 * PAD, height);
  g.textBaseline = "top";
  drawHead(g, head, texts, inner);
  const top = PAD + head.height;
  g.save();
  g.translate(PAD, top);
  for (const panel of board.panels) drawPanel(g, panel);
  g.restore();
  drawLines(g, foot, PAD, top + board.height + 12, 12, 17, ink("--text-quiet"));
  return canvas;
}

function headBlock(texts, width) {
  const strip = wrap(texts.strip, 13, width);
  const note = texts.note ? wrap(texts.note, 14, width) : [];
  const findings = texts.findings.flatMap((text) => wrap(text, 13, width));
  return { strip, note, findings, height: 30 + (strip.length + findings.length) * 18 + note.length * 20 + 10 };
}

function drawHead(g, head, texts, width) {
  const badge = `${texts.badge.shape} ${texts.badge.word}`;
  g.font = `600 13px ${FONT}`;
  const badgeWidth = g.measureText(badge).width + 20;
  g.fillStyle = ink(`--state-${texts.badge.kind}`);
  g.beginPath();
  g.roundRect(PAD + width - badgeWidth, PAD - 2, badgeWidth, 24, 5);
  g.fill();
  g.fillStyle = ink("--state-ink");
  g.fillText(badge, PAD + width - badgeWidth + 10, PAD + 4);
  const taken = badgeWidth + drawHealth(g, texts.health, PAD + width - badgeWidth);
  g.font = `600 18px ${FONT}`;
  g.fillStyle = ink("--text");
  g.fillText(texts.title, PAD, PAD, width - taken - 20);
  const below = PAD + 30 + head.note.length * 20;
  drawLines(g, head.note, PAD, PAD + 30, 14, 20, ink("--text"));
  drawLines(g, head.findings, PAD, below, 13, 18, ink(SEVERITY_INKS[texts.health?.kind] ?? "--text"));
  drawLines(g, head.strip, PAD, below + head.findings.length * 18, 13, 18, ink("--changed"));
}

/** The word on health in its frame, left of `right`; returns the width it takes. */
function drawHealth(g, health, right) {
  if (!health) return 0;
  g.font = `600 13px ${FONT}`;
  const width = g.measureText(health.word).width + 20;
  g.strokeStyle = g.fillStyle = ink(SEVERITY_INKS[health.kind]);
  g.beginPath();
  g.roundRect(right - width - 7.5, PAD - 1.5, width - 1, 23, 5);
  g.stroke();
  g.fillText(health.word, right - width + 2, PAD + 4);
  return width + 8;
}

function drawPanel(g, panel) {
  g.save();
  g.fillStyle = ink("--panel");
  g.strokeStyle = ink("--line");
  g.beginPath();
  g.roundRect(panel.x + 0.5, panel.y + 0.5, panel.w - 1, panel.h - 1, 6);
  g.fill();
  g.stroke();
  g.clip();
  g.drawImage(panel.image, panel.plot.x, panel.plot.y, panel.plot.w, panel.plot.h);
  for (const { image, x, y, w, h } of panel.parts) g.drawImage(image, x, y, w, h);
  g.font = `600 13px ${FONT}`;
  g.fillStyle = ink("--text");
  g.fillText(panel.title, panel.x + 10, panel.y + 7, panel.w - 20);
  g.font = `12px ${FONT}`;
  g.fillStyle = ink("--text-quiet");
  if (panel.foot) g.fillText(panel.foot, panel.x + 10, panel.y + panel.h - 17, panel.w - 20);
  g.restore();
}

function drawLines(g, lines, x, y, size, leading, color) {
  g.font = `${size}px ${FONT}`;
  g.fillStyle = color;
  lines.forEach((line, i) => g.fillText(line, x, y + i * leading));
}

/** `text` broken at spaces into lines no wider than `width`; a longer word is broken anywhere. */
export function wrap(text, size, width) {
  const g = document.createElement("canvas").getContext("2d");
  g.font = `${size}px ${FONT}`;
  const lines = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (g.measureText(longer).width <= width) {
      line = longer;
      continue;
    }
    if (line) lines.push(line);
    line = word;
    while (g.measureText(line).width > width) {
      const fits = Math.max(1, Math.floor((line.length * width) / g.measureText(line).width) - 1);
      lines.push(line.slice(0, fits));
      line = line.slice(fits);
    }
  }
  return line ? [...lines, line] : lines;
}

/** The value of one of the theme's colours. */
function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
