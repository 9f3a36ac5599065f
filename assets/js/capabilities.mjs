// What the session can do, from its manifest; what it cannot is greyed and says why.

const CAPABILITIES = {
  run: "run", pause: "pause", step: "step", reset: "be reset", seed: "take a seed", speed: "change its speed",
  rewind: "be rewound", breakpoints: "take breakpoints", watch: "record chosen neurons",
};
const COMMANDS = {
  set: "change parameters", clear: "clear parameters", replace: "load parameter sets",
  inject: "take injections", reward: "take a reward",
  preset: "take presets", checkpoint: "keep checkpoints", forget: "keep checkpoints", branch: "be branched",
  sample: "write on request", read: "read again", outcome: "learn from an outcome", put: "be put anywhere", recall: "be asked",
};

/** What a page with a key that may only look says of every change. */
export const VIEW_ONLY = "This key may only look: log in with the full key to change anything.";

/** Why the session cannot do `name`, or "" where it can; `keep` is to store a file on the server. */
export function lacking(app, name) {
  if (app.config?.access === "view" && name !== "rewind") return VIEW_ONLY;
  if (name === "keep") return "";
  if (!app.manifest) return "The worker has not started yet.";
  if (app.meta?.worker?.ended && name !== "rewind") return "The script has ended.";
  const isCommand = name in COMMANDS;
  const offered = (isCommand ? app.manifest.commands : app.manifest.capabilities) ?? [];
  if (offered.includes(name)) return "";
  return app.manifest.reasons?.[name] ?? `This session cannot ${(isCommand ? COMMANDS : CAPABILITIES)[name]}.`;
}

/** Why panel `slug` has nothing to show: the first probe it needs that the session lacks, or "". */
export function absence(app, slug) {
  const probes = app.manifest?.probes;
  const needs = app.config.panels?.find((panel) => panel.slug === slug)?.needs ?? {};
  const lacks = probes && Object.keys(needs).find((probe) => !(probe in probes));
  return lacks ? needs[lacks] : "";
}

/** Greys `nodes`, with the reason as their title, while the session cannot do `name`. */
export function needs(app, name, ...nodes) {
  const titles = nodes.map((node) => node.title);
  let greyed = false;
  const apply = () => {
    const why = lacking(app, name);
    if (!why && !greyed) return;
    greyed = why !== "";
    nodes.forEach((node, i) => {
      node.disabled = greyed;
      node.title = why || titles[i];
    });
  };
  for (const event of ["manifest", "status"]) app.on(event, apply);
  apply();
}
