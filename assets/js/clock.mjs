/** The worker's clock as the page's, and how many frames come, are drawn, and how late. */

/** Maps the worker's monotonic clock to `performance.now()` by the tightest round trips. */
export class Clock {
  constructor() { this.lo = []; this.hi = []; }

  /** The server's clock read `now_ns` between `sent` and `received` (ms of this page). */
  sample(now_ns, sent, received) {
    if (!now_ns) return;
    push(this.lo, now_ns / 1e6 - received);
    push(this.hi, now_ns / 1e6 - sent);
  }

  /** `mono_ns` as ms of `performance.now()`, or null before the first sample. */
  toPage(mono_ns) {
    if (!mono_ns || !this.lo.length) return null;
    return mono_ns / 1e6 - (Math.max(...this.lo) + Math.min(...this.hi)) / 2;
  }
}

/** Frames, paints and latencies of the last seconds. */
export class Stats {
  constructor() {
    this.frames = 0;
    this.draws = 0;
    this.paints = [];
    this.latencies = [];
    this.costs = [];
  }

  frame() { this.frames++; }

  paint(at, latency, cost) {
    this.draws++;
    push(this.paints, at, 600);
    push(this.costs, cost);
    if (latency !== null) push(this.latencies, latency, 600);
  }

  /** What `window.t4dm.stats()` answers; `dropped` counts frames merged into a later paint. */
  read(meta) {
    const now = performance.now();
    const recent = this.paints.filter((t) => now - t < 2000).length;
    return {
      fps: recent / 2,
      latency_ms: { p50: quantile(this.latencies, 0.5), p95: quantile(this.latencies, 0.95) },
      frames: this.frames, dropped: this.frames - this.draws,
      draw_ms: quantile(this.costs, 0.5),
      sim_step: meta?.step1 ?? 0, params_rev: meta?.params_rev ?? 0,
    };
  }
}

function push(list, value, limit = 200) {
  list.push(value);
  if (list.length > limit) list.shift();
}

function quantile(list, q) {
  if (!list.length) return null;
  const sorted = Float64Array.from(list).sort();
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] * 10) / 10;
}
