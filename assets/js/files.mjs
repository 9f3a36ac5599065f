// What there is to say of the session's files: a disk that takes nothing, a checkpoint not used.

import { h, iconButton, remembered } from "./dom.mjs";
import { notice } from "./notices.mjs";

const MOST_DISMISSED = 50;

/** A line for as long as the disk refuses, and one for each file that was not used, until it is dismissed. */
export function mount(app) {
  const text = h("span");
  const line = notice({ id: "files-trouble" }, text);
  const told = new Set();
  app.on("tick", () => {
    const { files = [], worker } = app.meta ?? {};
    const stays = files.find((sentence) => sentence.startsWith("not kept")) ?? "";
    if (text.textContent !== stays) text.textContent = stays;
    line.hidden = stays === "";
    for (const sentence of files.filter((other) => other !== stays && !told.has(other))) {
      told.add(sentence);
      unused(sentence, `${app.session} ${worker?.pid}: ${sentence}`);
    }
  });
}

/** Says `sentence` until it is dismissed; `key` tells it from the same one at another start of the worker. */
function unused(sentence, key) {
  const dismissed = remembered.get("dismissed", []);
  if (dismissed.includes(key)) return;
  const dismiss = () => {
    remembered.set("dismissed", [...remembered.get("dismissed", []), key].slice(-MOST_DISMISSED));
    node.remove();
  };
  const node = notice({ class: "notice notice-warn", hidden: false }, h("span", { text: sentence }), iconButton("close", "Dismiss", dismiss, { class: "notice-close" }));
}
