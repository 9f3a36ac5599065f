/**
 * Lines as pixels: what a line covers of each pixel column is one upright run, from its lowest to its
 * highest point there. A stroked path of some hundred points costs the browser many times as much.
 */

const NONE = 1e9;

export class Lines {
  /** Draw into `words`, RGBA little-endian, `w` pixels wide and `h` high; an upright run is `wide` pixels. */
  open(words, w, h, wide = 1) {
    Object.assign(this, { words, w, h, wide: Math.max(1, Math.round(wide)) });
    if (!this.low || this.low.length < w) {
      this.low = new Float32Array(w);
      this.high = new Float32Array(w);
    }
    this.begin();
  }

  /** Begin a new line. */
  begin() {
    this.low.fill(NONE, 0, this.w);
    this.high.fill(-NONE, 0, this.w);
    this.up();
  }

  /** Lift the pen: the next point is not joined to the last one. */
  up() { this.x = NaN; }

  /** Go to (x, y) in pixels from the upper left corner; x never falls. */
  to(x, y) {
    if (Number.isNaN(this.x)) this.#cover(Math.floor(x), y, y);
    else this.#join(x, y);
    this.x = x;
    this.y = y;
  }

  #join(x, y) {
    const { x: xa, y: ya } = this;
    const from = Math.floor(xa), end = Math.floor(x);
    if (from === end) { this.#cover(from, Math.min(ya, y), Math.max(ya, y)); return; }
    const slope = (y - ya) / (x - xa);
    let before = ya;
    for (let p = from; p <= end; p++) {
      const after = p === end ? y : ya + (p + 1 - xa) * slope;
      if (before < after) this.#cover(p, before, after); else this.#cover(p, after, before);
      before = after;
    }
  }

  #cover(p, low, high) {
    if (p < 0 || p >= this.w) return;
    if (low < this.low[p]) this.low[p] = low;
    if (high > this.high[p]) this.high[p] = high;
  }

  /**
   * Paint the line since `begin`.
   * @param {number} color RGBA word, opaque
   * @param {number} thick thickness in pixels
   * @param {{top?: number, bottom?: number, dash?: number[]}} within rows it stays in; pixels on and off
   */
  paint(color, thick, { top = 0, bottom = this.h, dash = null } = {}) {
    const half = thick / 2, [on, off] = dash ?? [1, 0];
    for (let p = 0; p < this.w; p++) {
      if (p % (on + off) >= on) continue;
      let low = this.low[p], high = this.high[p];
      for (let before = p - 1; before > p - this.wide && before >= 0; before--) {
        low = Math.min(low, this.low[before]);
        high = Math.max(high, this.high[before]);
      }
      if (low < NONE) this.#run(p, Math.max(top, low - half), Math.min(bottom, high + half), color);
    }
  }

  /** Column `p` from `a` to `b`; the pixels at both ends in part. A part never covers what is whole. */
  #run(p, a, b, color) {
    if (b <= a) return;
    const { words, w } = this, first = Math.floor(a), last = Math.ceil(b) - 1;
    if (first === last) { this.#part(first * w + p, color, b - a); return; }
    this.#part(first * w + p, color, first + 1 - a);
    this.#part(last * w + p, color, b - last);
    for (let at = (first + 1) * w + p; at < last * w; at += w) words[at] = color;
  }

  #part(at, color, share) {
    const alpha = Math.round(255 * share);
    if (this.words[at] >>> 24 < alpha) this.words[at] = (color & 0xFFFFFF | alpha << 24) >>> 0;
  }

  /** A filled rectangle of whole pixels, as far as it lies inside. */
  rect(x, y, w, h, color) {
    const x0 = Math.max(0, x), x1 = Math.min(this.w, x + w);
    for (let row = Math.max(0, y); row < Math.min(this.h, y + h); row++) {
      for (let at = row * this.w + x0; at < row * this.w + x1; at++) this.words[at] = color;
    }
  }
}
