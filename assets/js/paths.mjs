// Parameter paths on the page: what is in force, what is overridden, where a scope points.

/** The owners that a scope of `group` can name, from the manifest; [] if it has no scopes. */
export function scopeOwners(manifest, group) {
  const scope = manifest?.param_groups?.find((entry) => entry.group === group)?.scope;
  if (scope === "stage") return [group, `${group}_in`, `${group}_out`];
  return scope === "block" ? [group] : [];
}

/** `lif.v_thresh` for `blocks.2.lif_in.v_thresh`; a base path is itself. */
export function basePath(path) {
  const parts = path.split(".");
  if (parts.length !== 4 || parts[0] !== "blocks") return path;
  return `${parts[2].replace(/_(in|out)$/, "")}.${parts[3]}`;
}

/** The path of `spec` in a scope: `""` for all, or e.g. `"2.lif_in"`. */
export function scopedPath(spec, scope) {
  return scope ? `blocks.${scope}.${spec.name}` : spec.path;
}

/** The value the path really has: its own override, its block's, else the base value. */
export function inForce(params, path) {
  if (Object.hasOwn(params.overrides, path)) return params.overrides[path];
  const base = basePath(path);
  if (path !== base) {
    const [, block, , name] = path.split(".");
    const ofBlock = `blocks.${block}.${base.split(".")[0]}.${name}`;
    if (Object.hasOwn(params.overrides, ofBlock)) return params.overrides[ofBlock];
  }
  return params.values[base];
}

/** True if the path carries a value of its own: non-default, or an override. */
export function isChanged(params, spec, path) {
  if (path !== spec.path) return Object.hasOwn(params.overrides, path);
  return params.values[path] !== spec.default;
}

/** The overrides of one group, as sorted [path, value] pairs. */
export function overridesOf(params, group) {
  return Object.entries(params.overrides)
    .filter(([path]) => basePath(path).startsWith(`${group}.`))
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}

/** The numbers of the session's blocks, ascending; groups of no block have none. */
export const blocksOf = (manifest) =>
  [...new Set((manifest?.groups ?? []).map(({ block }) => block).filter(Number.isInteger))].sort((a, b) => a - b);

/** How many blocks the session has. */
export const blockCount = (manifest) => blocksOf(manifest).length;

/** The groups (indices in frames) that a scope such as `""`, `"2.lif"` or `"2.lif_in"` covers. */
export function stagesOf(scope, manifest) {
  const [block, owner = ""] = scope.split(".");
  const isStage = /_(in|out)$/.test(owner);
  return (manifest?.groups ?? []).map((group, g) => ({ ...group, g }))
    .filter((group) => Number.isInteger(group.block) && (!scope || group.block === Number(block)))
    .filter((group) => !isStage || group.stage === owner).map(({ g }) => g);
}

/** What would change if `values` became the whole set of non-default values: rows for a table. */
export function difference(params, values) {
  const byPath = new Map(params.specs.map((spec) => [spec.path, spec]));
  const paths = new Set([...Object.keys(params.non_default), ...Object.keys(values)]);
  const rows = [];
  for (const path of [...paths].sort()) {
    const spec = byPath.get(basePath(path));
    const isOverride = Boolean(spec) && path !== spec.path;
    const given = Object.hasOwn(values, path);
    const next = given ? values[path] : spec?.default;
    const cleared = isOverride && !given;
    const had = !isOverride || Object.hasOwn(params.overrides, path);
    const now = inForce(params, path);
    if (spec && had && !cleared && now === next) continue;
    rows.push({ path, known: Boolean(spec), unit: spec?.unit ?? "", now, next, cleared });
  }
  return rows;
}
