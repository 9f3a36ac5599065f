/**
 * The frame loop: a pipelined long poll, a store that keeps all data, drawing that keeps the newest.
 * A poll goes out before the frame it brought is drawn; a hidden tab does not poll.
 */

import { Cadence } from "./cadence.mjs";
import { askBytes } from "./ask.mjs";
import { Clock, Stats } from "./clock.mjs";
import { decode } from "./wire.mjs";
import { Store } from "./store.mjs";

const CALM = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
const MEAN_GAP_MS = CALM ? 250 : 30;
const KEYFRAME_MS = 2000, TICK_MS = 250;
const STALE_S = 1.0;
/** States in which nothing new is due; a watched script is idle while it does not call its module. */
const STANDING = ["paused", "idle", "ended"];
const FRESH_S = 0.6;
const BACKOFF_MS = [100, 250, 500, 1000];

export class Loop {
  /**
   * @param {object} app the page object
   * @param {(store: Store) => void} draw draws everything once
   */
  constructor(app, draw) {
    this.app = app;
    this.draw = draw;
    this.store = new Store();
    this.clock = new Clock();
    this.cadence = new Cadence(MEAN_GAP_MS);
    this.stats = new Stats();
    this.seq = null;
    this.failures = 0;
    this.lastAnswer = this.lastData = performance.now();
    this.seen = new Set();
    this.generation = 0;
    this.wanted = "";
  }

  start() {
    document.addEventListener("visibilitychange", () => this.#visibility());
    this.app.on("view", (changed) => this.#viewChanged(changed));
    setInterval(() => this.#watch(), TICK_MS);
    this.#next();
  }

  /** Ask for a whole window instead of what is new. */
  keyframe() {
    this.seq = null;
    this.#next();
  }

  #viewChanged(changed) {
    const shape = ["rows", "membrane", "gate_block", "weights_block", "attention_block", "weights_view", "attention_view"];
    const longer = changed.includes("span_ms") && !this.#holds(this.app.view.span_ms);
    if (longer || changed.some((key) => shape.includes(key))) this.keyframe();
    this.schedule();
  }

  #holds(span) {
    const { step0, step1 } = this.store;
    return (step1 - step0) * this.app.dt >= Math.min(span, step1 * this.app.dt);
  }

  #visibility() {
    if (document.hidden) this.abort?.abort();
    else this.keyframe();
  }

  /** Start the next poll; an older one still open is given up. */
  #next() {
    this.abort?.abort();
    if (document.hidden) return;
    this.#poll(++this.generation);
  }

  async #poll(generation) {
    const abort = this.abort = new AbortController();
    const sent = this.lastSent = performance.now();
    try {
      const bytes = await askBytes(this.#url(), { signal: abort.signal });
      if (generation !== this.generation) return;
      const frame = decode(bytes);
      this.clock.sample(frame.meta.now_ns, sent, performance.now());
      this.failures = 0;
      this.lastAnswer = performance.now();
      this.#take(frame);
      const now = performance.now();
      if (frame.meta.kind === "frame") this.cadence.came(now - sent);
      this.#later(generation, this.cadence.wait(now));
    } catch (error) {
      if (abort.signal.aborted) return;
      if (error.status === 422 && this.app.defaultView()) {
        this.app.emit("problem", `${error.message}. Back to the default view.`);
        return;
      }
      this.#note(error);
      this.#later(generation, BACKOFF_MS[Math.min(this.failures++, BACKOFF_MS.length - 1)]);
    }
  }

  /** A refusal of 500 and above is a worker that is away; no answer at all tells nothing, not even of a start. */
  #note({ status = 0 }) {
    const away = status >= 500;
    if (!away && this.failures < 2) return;
    const worker = { ...this.app.meta?.worker, alive: away ? false : undefined };
    this.app.meta = { ...this.app.meta, worker };
    if (!away && this.app.meta.state === "starting") this.app.meta.state = undefined;
    this.#status(this.#judge());
  }

  #later(generation, delay) {
    const go = () => {
      if (generation === this.generation && !document.hidden) this.#poll(generation);
    };
    if (delay < 2) go();
    else setTimeout(go, delay);
  }

  #url() {
    const query = this.app.viewQuery();
    query.span_ms = Math.max(KEYFRAME_MS, this.app.view.span_ms);
    if (this.seq !== null) Object.assign(query, { after: this.seq, epoch: this.store.epoch ?? this.app.meta.epoch });
    return this.app.url("/frames", query);
  }

  #take(frame) {
    const { app, store } = this;
    const meta = app.meta = { ...app.meta, ...frame.meta };
    if (frame.meta.kind !== "status") {
      if (frame.meta.kind === "keyframe" || store.continues(frame)) {
        if (store.epoch !== null && store.epoch !== frame.meta.epoch) app.refreshManifest();
        store.append(frame);
        this.seq = frame.meta.seq;
        this.stats.frame(frame.meta);
        this.lastData = performance.now();
        this.newest = frame.meta;
        this.schedule();
      } else {
        this.seq = null;
      }
    } else if (this.#discarded(meta)) {
      store.clear();
      this.schedule();
    }
    this.#status(this.#judge());
    app.emit("frame", meta);
    this.#emitEvents(frame.meta);
    this.#learn(frame.meta);
  }

  /** Whether what is drawn is of a run that a reset ended, and the new one stands elsewhere without a step. */
  #discarded({ state, epoch, held }) {
    const { app, store } = this, follows = app.view.mode === "live" && state === "paused";
    return follows && !store.empty && epoch > store.epoch && Math.round(held[1] / app.dt) !== store.step1;
  }

  /** Manifest and parameters follow while a status says that the worker answers. */
  #learn({ worker, state, params_rev: rev }) {
    const answers = worker?.alive && worker.age_s <= FRESH_S && state !== "starting";
    if (!answers && !worker?.ended) return;
    if (!this.app.manifest) this.app.refreshManifest();
    if (Number.isFinite(rev) && rev !== this.app.params?.rev) this.app.refreshParams();
  }

  /**
   * Each event once: from the run's record, or from the list of those still to come into it, which
   * is all that a pause has. What the first list of a worker tells is the past.
   */
  #emitEvents(meta) {
    for (const event of meta.events ?? []) if (this.#isNew(meta, event)) this.app.emit("event", event);
    const pid = meta.worker?.pid ?? null;
    for (const event of meta.pending ?? []) {
      if (this.#isNew(meta, event) && pid === this.pid) this.app.emit("event", event);
    }
    if (meta.pending) this.pid = pid;
  }

  #isNew(meta, event) {
    const key = keyOf(meta, event);
    if (this.seen.has(key)) return false;
    this.seen.add(key);
    if (this.seen.size > 5000) this.seen.delete(this.seen.values().next().value);
    return true;
  }

  /** Seconds since anything new came while something should: answers, heartbeats, frames of a run. */
  get age() {
    const still = STANDING.includes(this.app.meta?.state) ? 0 : (performance.now() - this.lastData) / 1000;
    return Math.max(this.silent, still > STALE_S ? still : 0, this.app.meta?.worker?.age_s ?? 0);
  }

  /** Seconds since the server's last answer. */
  get silent() { return (performance.now() - this.lastAnswer) / 1000; }

  #judge() {
    if (this.failures > 2 && this.silent > STALE_S) return "down";
    if (!this.app.meta) return "waiting";
    if (this.app.meta.worker?.ended) return "ended";
    if (this.app.meta.worker?.alive === false || this.app.meta.state === "starting") return "down";
    return this.age > STALE_S ? "stale" : "live";
  }

  #status(status) {
    if (status === this.app.status) return;
    const back = this.app.status === "down" && status === "live";
    this.app.status = status;
    this.app.emit("status", status);
    if (back) this.app.refreshManifest();
    this.schedule();
  }

  #watch() {
    if (document.hidden) return;
    this.#status(this.#judge());
    if (this.app.status !== "live" || this.app.meta?.state === "paused") this.schedule();
    this.app.emit("tick");
  }

  /** Draw at the next animation frame; many calls make one draw. */
  schedule() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame((at) => {
      this.pending = false;
      this.cadence.drawn(at);
      const newest = this.newest;
      const fresh = newest !== this.drawn;
      this.drawn = newest;
      const started = performance.now();
      this.draw(this.store);
      if (fresh && newest) this.#painted(newest, performance.now() - started);
    });
  }

  #painted(meta, cost) {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const at = performance.now();
      const stamped = this.clock.toPage(meta.mono_ns);
      const latency_ms = meta.state === "running" && stamped !== null ? at - stamped : null;
      this.stats.paint(at, latency_ms, cost);
      this.app.emit("painted", { ...meta, latency_ms });
      channel.port1.close();
    };
    channel.port2.postMessage(0);
  }
}

/** What tells one event from all others: the worker's running number, else all that it says. */
export function keyOf({ epoch, worker }, event) {
  return event.n === undefined ? `${epoch}|${JSON.stringify(event)}` : `${worker?.pid}#${event.n}`;
}
