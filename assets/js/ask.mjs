/**
 * Requests of the page. It asks for refusals in an answer of 200: any other is an error in the console.
 * While the server turns it away it reads once in two seconds, to notice that it is let in again.
 */

const HEADERS = { "X-T4DM-Refusals": "200" };
const AWAY_MS = 2000;
/** The sentence for a reading that nobody answered. */
export const UNANSWERED = "The server does not answer.";
/** The sentence for what is asked without a login. */
const ENDED = "Your login has ended: log in again.";
let tellAccess = () => {}, away = false, readAt = 0;

/** Calls `fn` at every answer with what it was let in with: "full", "view", or "none" for a page that has to log in. */
export function onAccess(fn) {
  tellAccess = fn;
}

/** A request that the server refused: its `status`, and what it said of the field as `detail`. */
export class Refused extends Error {
  constructor(status, detail) {
    super(status === 401 ? ENDED : String(detail?.message ?? `The server answered ${status}.`));
    Object.assign(this, { status, detail: detail ?? {} });
  }
}

/** Nobody answered, as without a network; what `fetch` says of it differs from browser to browser. */
export class Unanswered extends TypeError {
  constructor() { super(UNANSWERED); }
}

/** The JSON of an answer; throws Refused, or Unanswered. */
export async function askJson(url, options) {
  const answer = await ask(url, options);
  const body = await answer.json().catch(() => null);
  judge(answer, body);
  return body;
}

/** The bytes of an answer; throws as `askJson`. */
export async function askBytes(url, options) {
  const answer = await ask(url, options);
  const told = answer.headers.get("Content-Type")?.startsWith("application/json");
  if (told || !answer.ok) judge(answer, await answer.json().catch(() => null), true);
  return answer.arrayBuffer();
}

/** The answer as it comes, a refusal among them; throws Unanswered, and Refused where a reading has to wait. */
export async function ask(url, options = {}) {
  if (away && (options.method ?? "GET") === "GET") {
    if (performance.now() < readAt) throw new Refused(401);
    readAt = performance.now() + AWAY_MS;
  }
  const asked = { cache: "no-store", ...options, headers: { ...HEADERS, ...options.headers } };
  const answer = await fetch(url, asked).catch((error) => { throw error instanceof TypeError ? new Unanswered() : error; });
  const access = answer.headers.get("X-T4DM-Access");
  if (access) {
    if (access === "none" && !away) readAt = performance.now() + AWAY_MS;
    away = access === "none";
    tellAccess(access);
  }
  return answer;
}

function judge(answer, body, always = false) {
  const detail = body?.error && typeof body.error === "object" ? body.error : null;
  if (!always && answer.ok && !detail) return;
  throw new Refused(body?.status ?? answer.status, detail);
}
