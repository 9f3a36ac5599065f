// The lines under the top bar: what stays to be said, in view at every width and wherever one has scrolled to.

import { h } from "./dom.mjs";

/** A line at the end of `#notices`, of `parts`; hidden until somebody shows it. */
export function notice(attrs, ...parts) {
  const node = h("div", { class: "notice", role: "alert", hidden: true, ...attrs }, ...parts);
  document.getElementById("notices").append(node);
  return node;
}
