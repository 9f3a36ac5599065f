// Small builders for the page's own DOM. Data reaches the page as text nodes only, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `attrs`: `class`, `text`, `data` (object), `on` (object of listeners), any DOM
 * property, otherwise an attribute; null and undefined are left out.
 */
export function h(tag, attrs = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) {
    if (value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "on") for (const [e, fn] of Object.entries(value)) node.addEventListener(e, fn);
    else if (name in node && name !== "list" && name !== "form") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** One of the page's line icons, drawn from path data on a 16 x 16 grid. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const ICONS = {
  run: "M4.5 2.5v11l9-5.5z",
  pause: "M4.5 3v10M11.5 3v10",
  step: "M3 3v10l6-5zM12 3v10",
  reset: "M3 8a5 5 0 1 0 1.6-3.7M3 2v3h3",
  undo: "M6 3L2.5 6.5 6 10M3 6.5h6.5a4 4 0 0 1 0 8H7",
  redo: "M10 3l3.5 3.5L10 10M13 6.5H6.5a4 4 0 0 0 0 8H9",
  camera: "M2 5h3l1-2h4l1 2h3v8H2zM8 11.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  theme: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
  help: "M5.5 6a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M8 12.7v.1",
  sets: "M3 4h10M3 8h10M3 12h6",
  sliders: "M2 5h6M11 5h3M2 11h3M8 11h6M9.5 3.5v3M6.5 9.5v3",
  plus: "M8 3v10M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  leave: "M9 2.5H3.5v11H9M6.5 8h7M11 5.5L13.5 8 11 10.5",
  back: "M12.5 8a4.5 4.5 0 1 1-1.4-3.3M12.5 2.5v2.7H9.8",
};

/** An icon button with a name that a screen reader and the tooltip share. */
export function iconButton(name, label, onClick, attrs = {}) {
  return h(
    "button",
    { type: "button", title: label, "aria-label": label, on: { click: onClick }, ...attrs },
    icon(name),
  );
}

/** Calls `fn` once, as soon as both the session's parameters and its manifest are known. */
export function whenReady(app, fn) {
  const names = ["params", "manifest"];
  const attempt = () => {
    if (!app.params || !app.manifest) return false;
    names.forEach((name) => app.off(name, attempt));
    fn();
    return true;
  };
  if (!attempt()) names.forEach((name) => app.on(name, attempt));
}

/** True while the user types into a field, so that single-letter keys stay letters. */
export function isTyping(target) {
  return Boolean(target?.closest?.("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable=true]"));
}

/** Saves a blob as a file of the user's. */
export function downloadBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Copies text; false where the browser refuses (no secure context, no permission). */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A value remembered by this browser; private windows without storage just forget. */
export const remembered = {
  get(key, fallback) {
    try {
      return JSON.parse(localStorage.getItem(`t4dm.${key}`)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`t4dm.${key}`, JSON.stringify(value));
    } catch {
      // No storage in this browser profile: the choice lasts for the page.
    }
  },
};
