// A parameter set as a link, as Python and as curl; and reading the link back. Pure functions.

const MAX_LINK = 200_000;
const PATH = /^[A-Za-z][A-Za-z0-9_]{0,40}(\.[A-Za-z0-9_]{1,60}){1,3}$/;
const MAX_VALUES = 2000;
const MAX_SEED = 2 ** 31 - 1;

/** The page's address with the set in its fragment, which never reaches a server. */
export function asLink(address, values, seed) {
  const bytes = new TextEncoder().encode(JSON.stringify({ values, seed }));
  const text = btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `${address.split("#")[0]}#set=${text}`;
}

/** The `{values, seed}` of a fragment, null if it carries none; throws with a reason if it is bad. */
export function readLink(fragment) {
  const found = /^#set=([A-Za-z0-9_-]+)$/.exec(fragment);
  if (!fragment.startsWith("#set=")) return null;
  if (!found || found[1].length > MAX_LINK) throw new Error("the link is damaged or too long");
  let data;
  try {
    const bytes = Uint8Array.from(atob(found[1].replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    data = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error("the link is damaged");
  }
  return { values: checkValues(data?.values), seed: checkSeed(data?.seed) };
}

/** `values` as a fresh object of scalars by path; throws an Error that names what is wrong. */
export function checkValues(values) {
  if (typeof values !== "object" || values === null || Array.isArray(values)) throw new Error("it holds no parameters");
  const entries = Object.entries(values);
  if (entries.length > MAX_VALUES) throw new Error(`it holds more than ${MAX_VALUES} parameters`);
  for (const [path, value] of entries) {
    if (!PATH.test(path)) throw new Error(`"${path.slice(0, 60)}" is no parameter name`);
    const scalar = value === null || typeof value === "boolean" || (typeof value === "string" && value.length <= 4000) || (typeof value === "number" && Number.isFinite(value));
    if (!scalar) throw new Error(`${path} is no number, text or switch`);
  }
  return Object.fromEntries(entries);
}

/** A seed from outside: null, or a whole number in range; throws if it is anything else. */
export function checkSeed(seed) {
  if (seed === null || seed === undefined) return null;
  if (!Number.isInteger(seed) || seed < 0 || seed > MAX_SEED) throw new Error(`its seed is not a whole number from 0 to ${MAX_SEED}`);
  return seed;
}

/** A script with nothing but Python's own library that sets these values. */
export function asPython(origin, session, values, seed = null) {
  const lines = Object.entries(values).map(([path, value]) => `    ${JSON.stringify(path)}: ${pythonValue(value)},`);
  return `import json
from urllib.request import Request, urlopen

values = {
${lines.join("\n")}
}
body = json.dumps({"type": "replace", "values": values}).encode()
request = Request(
    ${JSON.stringify(`${origin}/sessions/${session}/commands`)},
    data=body,
    headers={"Content-Type": "application/json", "X-T4DM-Who": "script"},
)
print(json.load(urlopen(request)))
${seed === null ? "" : `
# Optional: the same seed, which starts the run again from step 0. Send it like the values above:
# body = json.dumps({"type": "reset", "seed": ${seed}}).encode()
`}`;
}

/** One curl command that sets these values. */
export function asCurl(origin, session, values, seed = null) {
  const body = JSON.stringify({ type: "replace", values }).replaceAll("'", "'\\''");
  const call = (text) => `curl -sS -H 'Content-Type: application/json' -H 'X-T4DM-Who: curl'${text}`;
  const url = `${origin}/sessions/${session}/commands`;
  const reset = seed === null ? "" : `
# Optional: the same seed, which starts the run again from step 0:
# ${call(` -d '{"type":"reset","seed":${seed}}' ${url}`)}
`;
  return `${call(" \\\n")}  -d '${body}' \\
  ${url}
${reset}`;
}

function pythonValue(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return JSON.stringify(value);
}
