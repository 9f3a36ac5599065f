// The door as the page knows it: a login that has ended or is another one now, and the way out.

import { onAccess } from "./ask.mjs";
import { h, icon } from "./dom.mjs";
import { notice } from "./notices.mjs";
import { toast } from "./toasts.mjs";

const NOW = { full: "Logged in with the full key: this page may change things now.", view: "Logged in with the view-only key: this page may only look now." };

/** Follows the login of this browser, which another tab may end or replace; nothing on the page is lost by it. */
export function mount(app) {
  const link = h("a", { class: "door-link", text: "Log in again" });
  const banner = notice({ id: "door-banner" }, h("span", { text: "Your login has ended, so nothing new arrives here." }), link);
  onAccess((access) => {
    const away = access === "none", other = !away && access !== app.config.access;
    if (away === Boolean(app.turnedAway) && !other) return;
    app.turnedAway = away;
    if (other) {
      app.config.access = access;
      toast(NOW[access], { merge: "access" });
    }
    link.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    banner.hidden = !away;
    app.emit("status", app.status);
  });
}

/** A button that ends this browser's login, or null where there is none to end. */
export function logoutButton(app) {
  if (!app.config.by_cookie) return null;
  const word = h("span", { text: "view only" });
  const button = h("button", { type: "submit", id: "logout" }, icon("leave"), word);
  const name = () => {
    const view = app.config.access === "view";
    word.hidden = !view;
    button.title = `Log out${view ? " (this login may only look)" : ""}`;
    button.setAttribute("aria-label", button.title);
  };
  app.on("status", name);
  name();
  return h("form", { class: "door-out", method: "post", action: "/logout" }, button);
}
