// What there is to say of the session's files: a disk that takes nothing, a checkpoint not used.

import { h } from "./dom.mjs";
import { toast } from "./toasts.mjs";

/** A line that stays while the disk refuses, told as a message too where it is out of sight; and one message
 * for each file that was not used. */
export function mount(app) {
  const line = h("output", { class: "files-trouble", id: "files-trouble", role: "alert", hidden: true });
  document.getElementById("strip").prepend(line);
  const told = new Set();
  app.on("frame", ({ files = [] }) => {
    const stays = files.find((sentence) => sentence.startsWith("not kept")) ?? "";
    if (stays && line.hidden) toast(stays, { kind: "warn", merge: "files" });
    if (line.textContent !== stays) line.textContent = line.title = stays;
    line.hidden = stays === "";
    for (const sentence of files.filter((other) => other !== stays && !told.has(other))) {
      told.add(sentence);
      toast(sentence, { kind: "warn" });
    }
  });
}
