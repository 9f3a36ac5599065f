/** Rows of a group that a finding names: a sign at the lane's label and a band at the plot's edge. */

const CRITICAL = { light: "#B00020", dark: "#FF9AA2" };
const SIGN = 4, BAND = 4;

/** Mark every lane in `ill`, a Map from a group's place to its severity. */
export function markLanes(ctx, scene, ill) {
  const { box, theme } = scene;
  for (const group of scene.rowGroups) {
    const severity = ill.get(group.g);
    if (!severity) continue;
    const from = Math.max(box.y, scene.rowEdge(group.from));
    const to = Math.min(box.y + box.h, scene.rowEdge(group.to));
    if (to - from < 2) continue;
    ctx.fillStyle = ctx.strokeStyle = colorOf(severity, theme);
    ctx.fillRect(box.x + box.w + 1, from + 1, BAND, to - from - 2);
    if (to - from >= 2 * SIGN + 2) sign(ctx, severity, SIGN + 1, (from + to) / 2);
  }
}

/** A cross for critical, a triangle for a warning, a ring for a note, as beside the words of the page. */
function sign(ctx, severity, x, y) {
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
