/** Requests of the page. It asks for refusals in an answer of 200: any other is an error in the console. */

const HEADERS = { "X-T4DM-Refusals": "200" };
/** The sentence for a reading that nobody answered. */
export const UNANSWERED = "The server does not answer.";
let turnedAway = () => {};

/** Calls `fn(true)` when the server asks this page to log in, `fn(false)` with every other answer. */
export function onTurnedAway(fn) {
  turnedAway = fn;
}

/** A request that the server refused: its `status`, and what it said of the field as `detail`. */
export class Refused extends Error {
  constructor(status, detail) {
    super(String(detail?.message ?? `The server answered ${status}.`));
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

async function ask(url, options = {}) {
  const asked = { cache: "no-store", ...options, headers: { ...HEADERS, ...options.headers } };
  const answer = await fetch(url, asked).catch((error) => { throw error instanceof TypeError ? new Unanswered() : error; });
  turnedAway(answer.status === 401);
  return answer;
}

function judge(answer, body, always = false) {
  const detail = body?.error && typeof body.error === "object" ? body.error : null;
  if (!always && answer.ok && !detail) return;
  throw new Refused(body?.status ?? answer.status, detail);
}
