// The door as the page knows it: a login that has ended is said with a link, and the way out.

import { onTurnedAway } from "./ask.mjs";
import { h, icon } from "./dom.mjs";

/** Says so while the server no longer takes this browser's login; the page goes on when it does again. */
export function mount(app) {
  const link = h("a", { class: "door-link", text: "Log in again" });
  const text = h("span", { text: "Your login has ended, so nothing new arrives here." });
  const banner = h("div", { class: "door-banner", id: "door-banner", role: "alert", hidden: true }, text, link);
  document.body.append(banner);
  onTurnedAway((away) => {
    if (away === Boolean(app.turnedAway)) return;
    app.turnedAway = away;
    link.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    banner.hidden = !away;
    app.emit("status", app.status);
  });
}

/** A button that ends this browser's login, or null where there is none to end. */
export function logoutButton(app) {
  if (!app.config.by_cookie) return null;
  const view = app.config.access === "view";
  const title = `Log out${view ? " (this login may only look)" : ""}`;
  const button = h("button", { type: "submit", id: "logout", title, "aria-label": title }, icon("leave"), view ? h("span", { text: "view only" }) : null);
  return h("form", { class: "door-out", method: "post", action: "/logout" }, button);
}
