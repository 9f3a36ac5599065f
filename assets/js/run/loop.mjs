/**
 * The loop of a page that follows a run session: a long poll for records, a store that keeps them all,
 * a drawing at the next animation frame and only when there is something new to draw.
 */

import { askBytes } from "../ask.mjs";
import { Clock, Stats } from "../clock.mjs";
import { decode } from "../wire.mjs";
import { RecordStore } from "./store.mjs";

const CALM = window.matchMedia?.("(prefers-reduced-motion: reduce)").matches;
const GAP_MS = CALM ? 250 : 33;
const TICK_MS = 250;
const BACKOFF_MS = [100, 250, 500, 1000];
const STALE_S = 2;
const FRESH_S = 1;
const KEPT_KEYS = 5000;

export class RunLoop {
  /** @param {object} app the page object  @param {(store: RecordStore) => void} draw draws everything once */
  constructor(app, draw) {
    this.app = app;
    this.draw = draw;
    this.store = new RecordStore();
    this.clock = new Clock();
    this.stats = new Stats();
    this.seq = null;
    this.failures = 0;
    this.lastAnswer = performance.now();
    this.seen = new Set();
    this.toldOnce = new Set();
    this.generation = 0;
    app.age = () => this.age;
    app.silent = () => this.silent;
  }

  /** Seconds since the server's last answer. */
  get silent() { return (performance.now() - this.lastAnswer) / 1000; }

  /** Seconds since the server answered or, where that is longer ago, the worker gave a sign of life. */
  get age() { return Math.max(this.silent, this.app.meta?.worker?.age_s ?? 0); }

  start() {
    document.addEventListener("visibilitychange", () => this.#visibility());
    setInterval(() => this.#watch(), TICK_MS);
    this.app.on("theme", () => this.schedule());
    this.#next();
  }

  #visibility() {
    if (document.hidden) this.abort?.abort();
    else this.#next();
  }

  #next() {
    this.abort?.abort();
    if (!document.hidden) this.#poll(++this.generation);
  }

  async #poll(generation) {
    const abort = this.abort = new AbortController();
    const sent = performance.now();
    try {
      if (!this.app.manifest) await this.app.refreshManifest();
      const bytes = await askBytes(this.#url(), { signal: abort.signal });
      if (generation !== this.generation) return;
      const frame = decode(bytes), now = performance.now();
      this.clock.sample(frame.meta.now_ns, sent, now);
      this.failures = 0;
      this.lastAnswer = now;
      await this.#take(frame);
      this.#later(generation, GAP_MS - (performance.now() - sent));
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#note(error);
      this.#later(generation, BACKOFF_MS[Math.min(this.failures++, BACKOFF_MS.length - 1)]);
    }
  }

  #later(generation, delay) {
    const go = () => {
      if (generation === this.generation && !document.hidden) this.#poll(generation);
    };
    if (delay < 1) go();
    else setTimeout(go, delay);
  }

  /** A refusal of 500 and above, or a session that is not there, is a worker that is away. */
  #note({ status = 0, message = "" }) {
    const away = status >= 500 || status === 404;
    if (!away && this.failures < 2) return;
    this.app.meta = { ...this.app.meta, worker: { ...this.app.meta?.worker, alive: away ? false : undefined, message: status === 404 ? this.#gone(message) : this.app.meta?.worker?.message } };
    this.#status(this.#judge());
  }

  /** Of a session that was there a moment ago nothing is left to restart. */
  #gone(message) {
    return this.app.manifest ? `session ${this.app.session} was deleted: choose another, or begin one with +` : message;
  }

  #url() {
    const query = this.seq === null ? {} : { after: this.seq, epoch: this.store.epoch };
    return this.app.url("/records", query);
  }

  async #take(frame) {
    const { app, store } = this, { meta } = frame;
    app.meta = { ...app.meta, ...meta };
    if (meta.kind !== "status") {
      if (meta.kind === "keyframe" || store.continues(frame)) {
        if (store.epoch !== meta.epoch || !app.manifest) await app.refreshManifest();
        store.take(frame, app.manifest?.series ?? {});
        this.seq = meta.seq;
        this.stats.frame();
        this.newest = meta;
        this.schedule();
      } else {
        this.seq = null;
      }
    }
    this.#status(this.#judge());
    if (meta.kind === "frame") app.emit("frame", app.meta);
    this.#events(meta);
    if (meta.kind === "keyframe") app.emit("frame", app.meta);
    this.#learn(meta);
  }

  /** Manifest and parameters follow while a status says that the worker answers. */
  #learn({ worker, state, params_rev: rev }) {
    if (!worker?.alive || worker.age_s > FRESH_S || state === "starting") return;
    if (!this.app.manifest) this.app.refreshManifest();
    if (!this.app.params || (Number.isFinite(rev) && rev !== this.app.params.rev)) this.app.refreshParams();
  }

  /** Each event once, from the record or from the list of those still to come into it. */
  #events(meta) {
    const pid = meta.worker?.pid ?? null;
    for (const event of meta.events ?? []) this.#tell(event, meta, !this.#again(event, meta.kind));
    for (const event of meta.pending ?? []) this.#tell(event, meta, pid === this.pid);
    if (meta.pending) this.pid = pid;
  }

  #tell(event, { epoch, worker }, aloud) {
    const key = event.n === undefined ? `${epoch}|${JSON.stringify(event)}` : `${worker?.pid}#${event.n}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    if (this.seen.size > KEPT_KEYS) this.seen.delete(this.seen.values().next().value);
    if (aloud) this.app.emit("event", event);
  }

  /** Whether it was told before: a worker that was started again tells the whole course anew, with other numbers. */
  #again({ n, ...event }, kind) {
    const key = JSON.stringify(event), again = kind === "keyframe" && this.toldOnce.has(key);
    if (event.type === "reset" && !again) this.toldOnce.clear();
    this.toldOnce.add(key);
    if (this.toldOnce.size > KEPT_KEYS) this.toldOnce.delete(this.toldOnce.values().next().value);
    return again;
  }

  #judge() {
    const { meta } = this.app;
    if (this.failures > 2 && this.silent > 1) return "down";
    if (!meta) return "waiting";
    if (meta.worker?.alive === false || meta.state === "starting") return "down";
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
    this.app.emit("tick");
  }

  /** Draw at the next animation frame; many calls make one draw. */
  schedule() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const { newest } = this, fresh = newest !== this.drawn;
      this.drawn = newest;
      const started = performance.now();
      this.draw(this.store);
      if (fresh && newest) this.#painted(newest, performance.now() - started);
    });
  }

  /** Counts a picture once the browser has put it on the screen. */
  #painted(meta, cost) {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const at = performance.now(), stamped = this.clock.toPage(meta.mono_ns);
      const latency_ms = meta.kind === "frame" && stamped !== null ? at - stamped : null;
      this.stats.paint(at, latency_ms, cost);
      this.app.emit("painted", { ...meta, latency_ms });
      channel.port1.close();
    };
    channel.port2.postMessage(0);
  }
}
