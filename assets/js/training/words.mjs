// Diff of two texts word by word. Pure functions.

const MOST_CELLS = 4e6;

/** `text` as words with the blanks after them: joined again they are `text`. */
const wordsOf = (text) => text.match(/\s+|\S+\s*/g) ?? [];

/**
 * What has to be done to `before` to have `after`: a list of `{kind: "same" | "out" | "in", text}` by the
 * longest common run of words (Hunt and McIlroy 1976); texts too long for its table are told apart as wholes.
 */
export function wordDiff(before, after) {
  const a = wordsOf(before), b = wordsOf(after);
  if (a.length * b.length > MOST_CELLS) return joined([["out", before], ["in", after]]);
  const w = b.length + 1, table = new Uint32Array((a.length + 1) * w);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * w + j] = same(a[i], b[j]) ? table[(i + 1) * w + j + 1] + 1 : Math.max(table[(i + 1) * w + j], table[i * w + j + 1]);
    }
  }
  const parts = [];
  let i = 0, j = 0;
  while (i < a.length && j < b.length) {
    if (same(a[i], b[j])) { parts.push(["same", b[j]]); i++; j++; }
    else if (table[(i + 1) * w + j] >= table[i * w + j + 1]) parts.push(["out", a[i++]]);
    else parts.push(["in", b[j++]]);
  }
  while (i < a.length) parts.push(["out", a[i++]]);
  while (j < b.length) parts.push(["in", b[j++]]);
  return joined(parts);
}

const same = (a, b) => a.trim() === b.trim();

/** Neighbours of one kind as one; what goes out stands before what comes in. */
function joined(parts) {
  const made = [];
  for (const [kind, text] of parts) {
    const last = made.at(-1);
    if (last?.kind === kind) last.text += text;
    else made.push({ kind, text });
  }
  return made.filter(({ text }) => text !== "");
}

/** Words that stayed, of all in `after`: 0 to 1. */
export function keptShare(parts) {
  const count = (kind) => parts.filter((part) => part.kind === kind).reduce((sum, { text }) => sum + wordsOf(text).filter((word) => word.trim()).length, 0);
  const total = count("same") + count("in");
  return total ? count("same") / total : 1;
}
