/** What lies under the pointer on a panel that is drawn live; traces have Plotly's own. */

const AWAY_PX = 14;

/** Let `surface` say, beside the pointer, what its mark knows of that place (`mark.at`). */
export function mountHover(surface) {
  if (!surface.mark.at) return;
  const tip = document.createElement("div");
  tip.className = "film-tip";
  tip.hidden = true;
  surface.plot.append(tip);
  const hide = () => { tip.hidden = true; };
  surface.plot.addEventListener("pointerleave", hide);
  surface.plot.addEventListener("pointermove", (event) => {
    const rect = surface.plot.getBoundingClientRect();
    const x = event.clientX - rect.left, y = event.clientY - rect.top;
    const text = surface.live && surface.scene ? surface.mark.at(surface.scene, x, y) : null;
    if (text === null) { hide(); return; }
    tip.textContent = text;
    tip.hidden = false;
    const left = x + AWAY_PX + tip.offsetWidth > rect.width ? x - AWAY_PX - tip.offsetWidth : x + AWAY_PX;
    tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, y - AWAY_PX)}px)`;
  });
}
