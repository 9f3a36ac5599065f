/** One canvas that fills a panel, with a second one above it for what follows the pointer. */

import { fit } from "./chart.mjs";
import { theme } from "./colors.mjs";

const LEAST = 30;

export class Sketch {
  /**
   * @param {HTMLElement} host takes the canvases; it gets the focus and the keys
   * @param {{name: string, paint: Function, over?: Function, changed: () => void}} options
   *   `paint(ctx, {w, h, look, dpr})` draws all, `over` what lies above it
   */
  constructor(host, { name, paint, over = null, changed }) {
    Object.assign(this, { host, paint, over, changed, dirty: true, key: "" });
    host.tabIndex = 0;
    host.setAttribute("role", "img");
    host.setAttribute("aria-label", name);
    host.classList.add("chart-host");
    this.film = canvasOf(host);
    this.upper = over ? canvasOf(host) : null;
    new ResizeObserver(() => this.touch()).observe(host);
  }

  /** Draw anew at the next turn. */
  touch() {
    this.dirty = true;
    this.changed();
  }

  /** What there is to draw changed; say it in words for those who do not see it. */
  say(text) {
    if (this.host.getAttribute("aria-label") !== text) this.host.setAttribute("aria-label", text);
  }

  /** Draw what is due. */
  draw() {
    const view = { w: this.host.clientWidth, h: this.host.clientHeight, look: theme(), dpr: window.devicePixelRatio || 1 };
    if (view.w < LEAST || view.h < LEAST) return;
    const key = `${view.look.dark}|${view.dpr}`;
    if (this.dirty || key !== this.key) this.#paint(this.film, view, this.paint);
    this.dirty = false;
    this.key = key;
    this.view = view;
    this.drawOver();
  }

  /** Only what follows the pointer. */
  drawOver() {
    if (this.over && this.view) this.#paint(this.upper, this.view, this.over);
  }

  #paint(canvas, view, draw) {
    fit(canvas, view.w, view.h, view.dpr);
    const ctx = canvas.getContext("2d");
    ctx.setTransform(view.dpr, 0, 0, view.dpr, 0, 0);
    ctx.clearRect(0, 0, view.w, view.h);
    draw(ctx, view);
  }

  /** A picture of it at `scale`, for whoever composes one. */
  compose({ scale = 2, background = null } = {}) {
    const { w, h, look } = this.view, canvas = document.createElement("canvas");
    fit(canvas, w, h, scale);
    const ctx = canvas.getContext("2d");
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    if (background) { ctx.fillStyle = background; ctx.fillRect(0, 0, w, h); }
    this.paint(ctx, { w, h, look, dpr: scale });
    return canvas;
  }
}

/** Where a pointer event is, in pixels of its host. */
export function placeOf(event, host) {
  const box = host.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function canvasOf(host) {
  const canvas = document.createElement("canvas");
  canvas.className = "chart";
  canvas.setAttribute("aria-hidden", "true");
  host.append(canvas);
  return canvas;
}
