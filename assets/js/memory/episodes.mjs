// The episodes that an arena's memory holds, as the newest record tells them.

const WIDTH = 7;

/** `[{slot, x, y, object, elapsed, step, recalls, similarity}]` of the slots that hold one. */
export function episodesOf(store, constants) {
  const array = store.newest.episodes;
  if (!array) return [];
  const found = [];
  for (let slot = 0; slot < array.shape[0]; slot++) {
    const [x, y, object, elapsed, step, recalls, similarity] = array.data.subarray(slot * WIDTH, slot * WIDTH + WIDTH);
    if (Number.isFinite(x)) found.push({ slot, x, y, object: constants.objects[object], elapsed, step, recalls, similarity });
  }
  return found;
}

/** The newest retrieval in the events: by the agent itself or asked for by somebody; or null. */
export function lastRecall(store) {
  for (let i = store.events.length - 1; i >= 0; i--) {
    const { type } = store.events[i];
    if (type === "recalled" || type === "asked") return store.events[i];
  }
  return null;
}
