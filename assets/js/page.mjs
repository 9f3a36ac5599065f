/** What every page's object has: configuration, session, what is known of it, and who listens. */

import { askJson } from "./ask.mjs";
import { readTheme } from "./colors.mjs";

const RETRY_MS = 500;

/** What the server wrote into the page. */
export const config = JSON.parse(document.getElementById("t4dm-config")?.textContent || "{}");

/** The page object of `session`, with the properties of `more`. */
export function makePage(session, more = {}) {
  const listeners = new Map(), pending = new Set();
  const page = {
    config, session, manifest: null, params: null, meta: null, status: "waiting", who: tabName(),

    /**
     * Call `fn(data)` at each event `name`. What shows text that changes all the time follows `tick`,
     * four times a second: the browser lays the page out once for all of it.
     */
    on(name, fn) {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name).add(fn);
      return page;
    },
    off(name, fn) { listeners.get(name)?.delete(fn); },
    emit(name, data) { for (const fn of listeners.get(name) ?? []) fn(data); },

    /** URL of a route below this session, with a query from `query`. */
    url(path = "", query = {}) {
      const text = new URLSearchParams(
        Object.entries(query).filter(([, v]) => v !== null && v !== undefined)).toString();
      return `/sessions/${encodeURIComponent(page.session)}${path}${text ? `?${text}` : ""}`;
    },

    /** Fetch the session's parameters and tell everybody; the loop asks again while they are old. */
    refreshParams: () => refresh("params", "/params"),

    /** Fetch the session's manifest (groups, probes, what it can do) and tell everybody. */
    refreshManifest: () => refresh("manifest", ""),
  };

  /** Reads a route into `page[name]`; one request at a time, a failed one counts for half a second. */
  async function refresh(name, path) {
    if (pending.has(name)) return;
    pending.add(name);
    try {
      page[name] = await askJson(page.url(path), { headers: { "X-T4DM-Who": page.who } });
      page.emit(name, page[name]);
    } catch {
      await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
    } finally {
      pending.delete(name);
    }
  }

  new MutationObserver(() => page.emit("theme", readTheme())).observe(document.documentElement, {
    attributes: true, attributeFilter: ["data-mantine-color-scheme"],
  });
  return Object.defineProperties(page, Object.getOwnPropertyDescriptors(more));
}

function tabName() {
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  const bytes = crypto.getRandomValues(new Uint8Array(4));
  return `tab-${[...bytes].map((b) => letters[b % letters.length]).join("")}`;
}
