// Why there is nothing to hear from the worker, in one sentence for badge, timeline and panels.

export const STARTING = "worker starting: the first start compiles the kernels and calibrates the network";

export const STARTING_RUN = "worker starting: it reads what it needs and makes its model";

/** The reason for `status` "down": the first start, what the supervisor says, or no server. */
export function whyDown(meta, starting = STARTING) {
  const gone = meta?.worker?.alive === false;
  if (!gone && meta?.state !== "starting") return "no answer from the server";
  if (meta.worker?.message) return meta.worker.message;
  return meta.state === "starting" ? starting : "the worker is restarting";
}
