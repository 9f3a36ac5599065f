// The page's theme, light or dark: chosen by the user, else as the system has it.

import { remembered } from "./dom.mjs";

/** The theme chosen last in this browser, else the system's. */
export function restoreTheme() {
  const asked = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const chosen = remembered.get("theme", asked);
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.mantineColorScheme = chosen;
}

/** Light to dark and back; remembered. */
export function toggleTheme() {
  const root = document.documentElement;
  const next = root.dataset.mantineColorScheme === "dark" ? "light" : "dark";
  root.dataset.mantineColorScheme = next;
  remembered.set("theme", next);
}
