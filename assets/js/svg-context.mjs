/**
 * A drawing context whose strokes become SVG: what a panel writes round its plot, as words and shapes.
 * It knows the part of a canvas context that labels use; sizes are those of the canvas in CSS pixels.
 */

const ANCHORS = { left: "start", center: "middle", right: "end" };
const SHIFTS = { top: "0.8em", middle: "0.35em", alphabetic: "0", bottom: "-0.2em" };
const KEPT = [
  "fillStyle", "strokeStyle", "lineWidth", "font", "textAlign", "textBaseline", "globalAlpha",
  "globalCompositeOperation", "imageSmoothingEnabled", "dash", "moved", "clipped",
];
const round = (v) => Math.round(v * 100) / 100;

/** `text` as it may stand between tags and in an attribute. */
export function escaped(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

export class SvgContext {
  /** @param {string} name begins every id, so that two drawings on one page do not share them */
  constructor(name) {
    Object.assign(this, {
      name, parts: [], path: "", stack: [], ids: 0, fillStyle: "#000", strokeStyle: "#000", lineWidth: 1,
      font: "12px sans-serif", textAlign: "left", textBaseline: "alphabetic", globalAlpha: 1,
      globalCompositeOperation: "source-over", imageSmoothingEnabled: true, dash: [], moved: "", clipped: "",
    });
    this.ruler = document.createElement("canvas").getContext("2d");
  }

  /** All that was drawn, as elements of an SVG. */
  get markup() { return this.parts.join("\n"); }

  save() { this.stack.push(Object.fromEntries(KEPT.map((key) => [key, this[key]]))); }
  restore() { Object.assign(this, this.stack.pop()); }
  translate(x, y) { this.moved += `translate(${round(x)} ${round(y)})`; }
  rotate(angle) { this.moved += `rotate(${round(angle * 180 / Math.PI)})`; }
  setLineDash(dash) { this.dash = [...dash]; }

  measureText(text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }

  createLinearGradient(x1, y1, x2, y2) {
    const id = this.#id(), stops = [];
    return {
      addColorStop: (at, color) => stops.push(`<stop offset="${round(at)}" stop-color="${color}"/>`),
      /** Stands in the drawing from its first use on. */
      use: () => {
        const ends = `x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"`;
        this.parts.push(`<linearGradient id="${id}" gradientUnits="userSpaceOnUse" ${ends}>${stops.join("")}</linearGradient>`);
        return `url(#${id})`;
      },
    };
  }

  beginPath() { this.path = ""; }
  moveTo(x, y) { this.path += `M${round(x)} ${round(y)}`; }
  lineTo(x, y) { this.path += `${this.path ? "L" : "M"}${round(x)} ${round(y)}`; }
  closePath() { this.path += "Z"; }
  rect(x, y, w, h) { this.path += `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}Z`; }

  /** Whole circles and arcs; two halves, since one arc cannot end where it begins. */
  arc(x, y, r, from, to) {
    const at = (angle) => `${round(x + r * Math.cos(angle))} ${round(y + r * Math.sin(angle))}`;
    const half = (from + to) / 2;
    this.path += `${this.path ? "L" : "M"}${at(from)}A${r} ${r} 0 0 1 ${at(half)}A${r} ${r} 0 0 1 ${at(to)}`;
  }

  fill() { this.#add("path", `d="${this.path}" ${this.#filled()}`); }
  stroke() { this.#add("path", `d="${this.path}" ${this.#stroked()}`); }

  clip() {
    const id = this.#id();
    this.parts.push(`<clipPath id="${id}"><path d="${this.path}"/></clipPath>`);
    this.clipped = `clip-path="url(#${id})"`;
  }

  fillRect(x, y, w, h) { this.#add("rect", `${box(x, y, w, h)} ${this.#filled()}`); }
  strokeRect(x, y, w, h) { this.#add("rect", `${box(x, y, w, h)} ${this.#stroked()}`); }

  fillText(text, x, y) {
    const place = `x="${round(x)}" y="${round(y)}" dy="${SHIFTS[this.textBaseline]}" text-anchor="${ANCHORS[this.textAlign]}"`;
    this.#add("text", `${place} style="font: ${escaped(this.font)}; white-space: pre" ${this.#filled()}`, escaped(text));
  }

  putImageData(image, x, y) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: image.width, height: image.height });
    canvas.getContext("2d").putImageData(image, 0, 0);
    this.drawImage(canvas, x, y, image.width, image.height);
  }

  drawImage(canvas, x, y, w = canvas.width, h = canvas.height) {
    const kind = this.imageSmoothingEnabled ? "" : ' style="image-rendering: pixelated"';
    this.#add("image", `${box(x, y, w, h)} preserveAspectRatio="none" href="${canvas.toDataURL()}"${kind}`);
  }

  #id() { return `${this.name}-${++this.ids}`; }

  #filled() {
    const fill = typeof this.fillStyle === "string" ? this.fillStyle : this.fillStyle.use();
    return `fill="${fill}" fill-opacity="${this.globalAlpha}"`;
  }

  #stroked() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    return `fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}" stroke-opacity="${this.globalAlpha}"${dash}`;
  }

  #add(tag, attributes, inside = "") {
    const moved = this.moved ? ` transform="${this.moved}"` : "";
    const element = `<${tag} ${attributes}${moved}>${inside}</${tag}>`;
    this.parts.push(this.clipped ? `<g ${this.clipped}>${element}</g>` : element);
  }
}

function box(x, y, w, h) {
  return `x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, w))}" height="${round(Math.max(0, h))}"`;
}
