// Why there is nothing to hear from the worker, in one sentence for badge, timeline and panels.

export const STARTING = "worker starting: the first start compiles the kernels and calibrates the network";

export const STARTING_RUN = "worker starting: it reads what it needs and makes its model";

const NO_ANSWER = "no answer from the server";
const SILENT_S = 1;

/** The reason for `status` "stale": a server that has said nothing for `silent` s, or answers without anything new. */
export const whyStale = (silent) => (silent > SILENT_S ? NO_ANSWER : "the worker sends nothing new");

/** The reason for `status` "down": a login that ended, the first start, what the supervisor says, or no server. */
export function whyDown({ meta, turnedAway }, starting = STARTING) {
  if (turnedAway) return "your login has ended";
  const gone = meta?.worker?.alive === false;
  if (!gone && meta?.state !== "starting") return NO_ANSWER;
  if (meta.worker?.message) return meta.worker.message;
  return meta.state === "starting" ? starting : "the worker is restarting";
}
