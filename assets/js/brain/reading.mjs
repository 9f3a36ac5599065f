// The text being read and what each of its words did, as the newest records tell it.

const SCALARS = ["arousal", "valence", "dopamine", "rate", "change", "token"];
const PARTS = ["votes", "go", "nogo", "gpi", "release"];
const decoder = new TextDecoder();

/** `{tokens, begun, from, n}`: what is read, its first row in the store, and how many rows it has. */
export class Reading {
  constructor(store) {
    this.store = store;
    this.seen = null;
    this.told = { begun: 0, tokens: [] };
  }

  get tokens() {
    const array = this.store.newest.text;
    if (array && array !== this.seen) {
      this.seen = array;
      this.told = JSON.parse(decoder.decode(array.data));
    }
    return array ? this.told.tokens : [];
  }

  /** First row of this reading. */
  get from() {
    const { tokens, store } = this, x = store.x;
    let from = x.length;
    while (tokens.length && from > 0 && x[from - 1] >= this.told.begun) from--;
    return from;
  }

  /** Words and marks that were read. */
  get n() { return Math.min(this.tokens.length, this.store.n - this.from); }

  /** A number of token `i`: `arousal`, `valence`, `dopamine`, `rate`, `change`. */
  scalar(name, i) { return this.at("scalars", SCALARS.indexOf(name), i); }

  /** Column `c` of the series `name` at token `i`, NaN where it was not read yet. */
  at(name, c, i) {
    const column = this.store.column(name, c), row = this.from + i;
    return column && i >= 0 && row < column.length ? column[row] : NaN;
  }

  /** Votes, go, no-go, GPi and release of region `r` at token `i`. */
  region(r, i) { return Object.fromEntries(PARTS.map((name) => [name, this.at(name, r, i)])); }

  /** The region that is released most at token `i`; -1 where none is. */
  winner(regions, i) {
    let best = -1, most = 0;
    for (let r = 0; r < regions; r++) {
      const share = this.at("release", r, i);
      if (share > most) { most = share; best = r; }
    }
    return best;
  }
}
