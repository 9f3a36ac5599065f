/** Maps of bytes as small pictures on one canvas, to be drawn at any size. 255 stands for "not known". */

import { CIVIDIS } from "../colors.mjs";

const UNKNOWN = 255, COLUMNS = 12, TOP = 254;

export class Atlas {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.source = null;
  }

  /** Take `(n, rows, columns)` bytes; the first row stands at the bottom. Nothing is done for the same ones. */
  take(array, table = CIVIDIS) {
    if (array === this.source) return;
    this.source = array;
    const [n, rows, columns] = array.shape;
    Object.assign(this, { n, rows, columns });
    this.canvas.width = COLUMNS * columns;
    this.canvas.height = Math.ceil(n / COLUMNS) * rows;
    const image = new ImageData(this.canvas.width, this.canvas.height);
    const words = new Uint32Array(image.data.buffer);
    for (let k = 0; k < n; k++) {
      const left = (k % COLUMNS) * columns, top = Math.floor(k / COLUMNS) * rows;
      for (let r = 0; r < rows; r++) {
        const from = (k * rows + r) * columns, to = (top + rows - 1 - r) * this.canvas.width + left;
        for (let c = 0; c < columns; c++) {
          const value = array.data[from + c];
          words[to + c] = value === UNKNOWN ? 0 : table[Math.round(value * 255 / TOP)];
        }
      }
    }
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }

  /** Draw map `k` into a box; `share` of its columns, from the first on. */
  draw(ctx, k, x, y, w, h, share = 1) {
    const { rows, columns } = this, smooth = ctx.imageSmoothingEnabled;
    ctx.imageSmoothingEnabled = false;
    ctx.drawImage(this.canvas, (k % COLUMNS) * columns, Math.floor(k / COLUMNS) * rows, columns * share, rows, x, y, w, h);
    ctx.imageSmoothingEnabled = smooth;
  }
}
