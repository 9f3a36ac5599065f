/** Rows of a group that a finding names: a sign before the lane's label and a band at the plot's edge. */

const CRITICAL = { light: "#B00020", dark: "#FF9AA2" };
const SIGN = 4, BAND = 4;
/** Width that a sign takes from its label, with the gap between them. */
export const SIGN_ROOM = 2 * SIGN + 4;

/** Band of every lane in `ill`, a Map from a group's place to its severity. */
export function markLanes(ctx, scene, ill) {
  const { box, theme } = scene;
  for (const group of scene.rowGroups) {
    const severity = ill.get(group.g);
    if (!severity) continue;
    const from = Math.max(box.y, scene.rowEdge(group.from));
    const to = Math.min(box.y + box.h, scene.rowEdge(group.to));
    if (to - from < 2) continue;
    ctx.fillStyle = colorOf(severity, theme);
    ctx.fillRect(box.x + box.w + 1, from + 1, BAND, to - from - 2);
  }
}

/**
 * A cross for critical, a triangle for a warning, a ring for a note, as beside the words of the page;
 * it ends where the label that begins at `left` leaves a gap.
 */
export function signBefore(ctx, severity, left, y, theme) {
  const x = left - SIGN_ROOM + SIGN;
  ctx.fillStyle = ctx.strokeStyle = colorOf(severity, theme);
  ctx.lineWidth = 2;
  ctx.beginPath();
  if (severity === "critical") {
    ctx.moveTo(x - SIGN + 1, y - SIGN + 1);
    ctx.lineTo(x + SIGN - 1, y + SIGN - 1);
    ctx.moveTo(x + SIGN - 1, y - SIGN + 1);
    ctx.lineTo(x - SIGN + 1, y + SIGN - 1);
    ctx.stroke();
  } else if (severity === "warning") {
    ctx.moveTo(x, y - SIGN);
    ctx.lineTo(x + SIGN, y + SIGN);
    ctx.lineTo(x - SIGN, y + SIGN);
    ctx.fill();
  } else {
    ctx.arc(x, y, SIGN - 1, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

function colorOf(severity, theme) {
  if (severity === "critical") return theme.dark ? CRITICAL.dark : CRITICAL.light;
  return severity === "warning" ? theme.alert : theme.muted;
}
