// The page's side of the command road: one request in flight, in order; of several waiting `set`s
// of one path only the newest is sent. Reads of parameters, sets and uploads live here too.

import { Refused, UNANSWERED, askJson } from "./ask.mjs";
import { VIEW_ONLY } from "./capabilities.mjs";
import { basePath } from "./paths.mjs";
import { refusalOf } from "./scale.mjs";

const TIMEOUT_MS = 20_000;
let app = null;
const outbox = [];
const ackListeners = new Set();
let sending = false;

/** A refused command or a failed request; carries what the server said about the field. */
export class ApiError extends Error {
  constructor({ code = "", field = "", message, lo = null, hi = null, unit = "", choices = null }, status = 0) {
    super(message);
    Object.assign(this, { code, field, lo, hi, unit, choices, status });
  }
}

/** Binds the module to the page's session. */
export function mount(owner) {
  app = owner;
}

/** Calls `fn({command, ack, before, gesture})` after each acknowledged command of this tab. */
export function onAck(fn) {
  ackListeners.add(fn);
}

/**
 * Sends a command, or a list of them in order. Resolves to the acknowledgement (or a list);
 * a `set` that a newer one replaced before it was sent resolves to the newer one's answer.
 * Rejects with ApiError. Sets of one slider drag share a `gesture`, so that undo takes back the drag.
 */
export function command(message, gesture = null) {
  if (Array.isArray(message)) return Promise.all(message.map((item) => enqueue(item, gesture)));
  return enqueue(message, gesture);
}

function enqueue(message, gesture) {
  const refused = check(message);
  if (refused) return Promise.reject(refused);
  return new Promise((resolve, reject) => {
    const waiting = message.type === "set" ? waitingSet(message.path) : null;
    if (waiting) {
      waiting.message = message;
      waiting.done.push({ resolve, reject });
    } else {
      outbox.push({ message, gesture, done: [{ resolve, reject }] });
    }
    if (!sending) drain();
  });
}

/**
 * Sends a list as one request, applied wholly or not at all. Resolves to its acknowledgement.
 * With a `gesture` of `{label}` undo takes the whole list back at once.
 */
export function together(messages, gesture = null) {
  const refused = messages.map(check).find(Boolean);
  if (refused) return Promise.reject(refused);
  return new Promise((resolve, reject) => {
    outbox.push({ message: messages, gesture, done: [{ resolve, reject }] });
    if (!sending) drain();
  });
}

/** What the specs refuse already here, as the server would say it: an ApiError, or null. */
function check({ type, path, value, values }) {
  const wanted = type === "set" ? [[path, value]] : type === "replace" ? Object.entries(values) : [];
  for (const [field, given] of wanted) {
    const spec = baseSpec(basePath(field));
    const message = spec && refusalOf(spec, given);
    const { lo, hi, unit, choices } = spec ?? {};
    if (message) return new ApiError({ code: "invalid", field, message: `${field}: ${message}`, lo, hi, unit, choices });
  }
  return null;
}

/** The waiting `set` of `path`, unless a command of another kind stands after it. */
function waitingSet(path) {
  for (let i = outbox.length - 1; i >= 0; i -= 1) {
    if (outbox[i].message.type !== "set") return null;
    if (outbox[i].message.path === path) return outbox[i];
  }
  return null;
}

async function drain() {
  sending = true;
  while (outbox.length > 0) {
    const { message, gesture, done } = outbox.shift();
    const parts = [message].flat();
    const before = parts.map(snapshotOf);
    const answered = app.whileAwaited?.(parts);
    try {
      const ack = await request("POST", `${session()}/commands`, message, app.commandHeaders?.(parts));
      if (ack.queued) app.emit("queued", { parts, before, gesture });
      else parts.forEach((part, i) => told(part, ack.results ? { ...ack, ...ack.results[i] } : ack, before[i], gesture));
      for (const { resolve } of done) resolve(ack);
    } catch (error) {
      for (const { reject } of done) reject(error);
    }
    answered?.();
  }
  sending = false;
}

/** Shows and tells what an acknowledgement says; of a queued command once it was applied. */
export function told(message, ack, before, gesture) {
  applyLocally(message, ack);
  for (const fn of ackListeners) fn({ command: message, ack, before, gesture });
}

/** What is needed to take `message` back: its value and whether it was set there. */
function snapshotOf(message) {
  if (message.type === "replace") return { values: { ...app.params?.non_default } };
  if (message.type !== "set" && message.type !== "clear") return null;
  const overrides = app.params?.overrides ?? {};
  return { wasOverride: Object.hasOwn(overrides, message.path), isBase: baseSpec(message.path)?.path === message.path };
}

/** The spec of `path` itself (not of an override's base), or undefined. */
function baseSpec(path) {
  return app.params?.specs?.find((spec) => spec.path === path);
}

/** Shows a value at once; the whole set follows when a frame carries the new rev. */
export function applyLocally(message, ack) {
  const params = app.params;
  if (!params || (message.type !== "set" && message.type !== "clear")) return;
  const { path } = message;
  const spec = baseSpec(path);
  const isOverride = !spec;
  if (isOverride && message.type === "clear") {
    delete params.overrides[path];
    delete params.non_default[path];
  } else {
    (isOverride ? params.overrides : params.values)[path] = ack.new;
    if (spec && spec.default === ack.new) delete params.non_default[path];
    else params.non_default[path] = ack.new;
  }
  params.digest = null;
  app.emit("params", params);
}

function session() {
  return `/sessions/${encodeURIComponent(app.session)}`;
}

/** JSON in, JSON out; every failure is an ApiError that says what happened in a sentence. */
export async function request(method, url, body, headers = {}) {
  if (method !== "GET" && app?.config?.access === "view") throw new ApiError({ code: "view_only", message: VIEW_ONLY }, 403);
  const raw = body instanceof FormData || body instanceof Blob;
  const options = { method, headers: { "X-T4DM-Who": app.who, ...headers }, signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body !== undefined) {
    options.body = raw ? body : JSON.stringify(body);
    if (!raw) options.headers["Content-Type"] = "application/json";
  }
  try {
    return await askJson(url, options);
  } catch (error) {
    if (error instanceof Refused) throw new ApiError({ ...error.detail, message: error.message }, error.status);
    const message = method === "GET" ? UNANSWERED : "The server does not answer; the change may not have arrived.";
    throw new ApiError({ code: "unreachable", message });
  }
}

/** The session's parameters: `{rev, values, overrides, effective, non_default, specs}`. */
export const getParams = () => request("GET", `${session()}/params`);

/** Stores a stimulus file; resolves to `{file_id, kind, rows, width}`. */
export function upload(file) {
  const form = new FormData();
  form.append("file", file, file.name);
  return request("POST", `${session()}/uploads`, form);
}

const setUrl = (name) => `/sets/${encodeURIComponent(name)}`;
/** Named parameter sets kept by the server. */
export const getSets = () => request("GET", "/sets");
export const getSet = (name) => request("GET", setUrl(name));
export const putSet = (name, body) => request("PUT", `${setUrl(name)}?session_id=${encodeURIComponent(app.session)}`, body);
export const deleteSet = (name) => request("DELETE", setUrl(name));
