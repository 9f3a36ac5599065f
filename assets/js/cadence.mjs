/**
 * When to ask for the next frame: at a steady mean rate, and so that each answer comes just before
 * the screen is drawn.  An answer that comes just after a drawing waits for the whole of the next one.
 */

const MARGIN_MS = 3;
const KEPT = 32;
const SLOW = 0.8;
const PERIOD_MS = 1000 / 60;
const FRAMES_TIMED = 12;
const SETTLED = 60;

export class Cadence {
  /** @param {number} mean_ms between two frames, on average */
  constructor(mean_ms) {
    this.mean = mean_ms;
    this.trips = [];
    this.due = 0;
    this.drawnAt = 0;
    this.drawings = 0;
    this.period = PERIOD_MS;
  }

  /** Time some drawings of the screen, to learn how often it is drawn. */
  #calibrate() {
    const times = [];
    const look = (at) => {
      times.push(at);
      if (times.length <= FRAMES_TIMED) { requestAnimationFrame(look); return; }
      this.learn(times);
    };
    requestAnimationFrame(look);
  }

  /** The screen's period from the times of successive drawings. */
  learn(times) {
    const steps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
    const usual = steps[steps.length >> 2];
    if (usual > 4 && usual < 100) this.period = usual;
  }

  /** The screen was drawn at `at`. */
  drawn(at) {
    this.drawnAt = at;
    if (++this.drawings === SETTLED) this.#calibrate();
  }

  /** A frame came `ms` after it was asked for. */
  came(ms) {
    this.trips.push(ms);
    if (this.trips.length > KEPT) this.trips.shift();
  }

  /** Milliseconds to wait from `now` before asking again. */
  wait(now) {
    this.due = Math.max(this.due + this.mean, now - this.mean);
    const soonest = Math.max(0, this.due - now);
    const arrival = now + soonest + this.#trip() + MARGIN_MS - this.drawnAt;
    const late = arrival % this.period;
    return soonest + (late > 0 ? this.period - late : 0);
  }

  #trip() {
    if (!this.trips.length) return 0;
    const sorted = [...this.trips].sort((a, b) => a - b);
    return sorted[Math.floor(SLOW * (sorted.length - 1))];
  }
}
