// Words, tables and fields of a panel as a picture: each piece of text where the browser has put it.

/** Draws what `host` shows, at `scale`; what is scrolled out of sight is left out. */
export function composeText(host, { scale = 2, background = null } = {}) {
  const frame = host.getBoundingClientRect(), canvas = document.createElement("canvas"), ctx = canvas.getContext("2d");
  canvas.width = Math.max(1, Math.round(frame.width * scale));
  canvas.height = Math.max(1, Math.round(frame.height * scale));
  ctx.scale(scale, scale);
  if (background) { ctx.fillStyle = background; ctx.fillRect(0, 0, frame.width, frame.height); }
  ctx.translate(-frame.left, -frame.top);
  ctx.textBaseline = "middle";
  paint(ctx, host, frame);
  return canvas;
}

/** An element, then what is in it, within `clip`. */
function paint(ctx, node, clip) {
  const style = getComputedStyle(node), box = node.getBoundingClientRect();
  if (style.visibility === "hidden" || style.display === "none" || box.width === 0 || !meets(box, clip)) return;
  ground(ctx, style, box);
  const inner = style.overflow === "visible" ? clip : cut(clip, box);
  ctx.save();
  ctx.beginPath();
  ctx.rect(inner.left, inner.top, inner.right - inner.left, inner.bottom - inner.top);
  ctx.clip();
  const field = fieldText(node);
  if (field !== null) write(ctx, style, field, box);
  else for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) words(ctx, style, child, inner);
    else if (child.nodeType === Node.ELEMENT_NODE) paint(ctx, child, inner);
  }
  ctx.restore();
}

const meets = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
const cut = (a, b) => ({ left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) });
const seen = (color) => color !== "transparent" && !/, 0\)$/.test(color);

/** Background and borders, the shadows inside that stand for a line below a word too. */
function ground(ctx, style, { left, top, width, height }) {
  if (seen(style.backgroundColor)) { ctx.fillStyle = style.backgroundColor; ctx.fillRect(left, top, width, height); }
  const line = (side, x, y, w, h) => {
    const wide = parseFloat(style[`border${side}Width`]);
    if (!(wide > 0) || !seen(style[`border${side}Color`])) return;
    ctx.fillStyle = style[`border${side}Color`];
    ctx.fillRect(x, y, w || wide, h || wide);
  };
  line("Top", left, top, width, 0);
  line("Left", left, top, 0, height);
  line("Bottom", left, top + height - parseFloat(style.borderBottomWidth), width, 0);
  line("Right", left + width - parseFloat(style.borderRightWidth), top, 0, height);
  const shadow = /^(rgba?\([^)]*\)) 0px (-?[\d.]+)px 0px 0px inset$/.exec(style.boxShadow);
  if (!shadow || !(Number(shadow[2]) < 0)) return;
  ctx.fillStyle = shadow[1];
  ctx.fillRect(left, top + height + Number(shadow[2]), width, -Number(shadow[2]));
}

/** What stands in a field; null for what is none. */
function fieldText(node) {
  if (node.matches("select")) return node.selectedOptions[0]?.textContent ?? "";
  if (node.matches("textarea, input:not([type=checkbox], [type=radio], [type=range])")) return node.value;
  return node.matches("input, canvas, svg, progress") ? "" : null;
}

/** A field's text, broken at blanks to its width. */
function write(ctx, style, text, { left, top, width, height }) {
  pen(ctx, style);
  const size = parseFloat(style.fontSize), leading = parseFloat(style.lineHeight) || 1.35 * size;
  const x0 = left + parseFloat(style.paddingLeft) + 1, lines = [[]];
  for (const word of text.split(/\s+/)) {
    const longer = [...lines.at(-1), word].join(" ");
    if (lines.at(-1).length && ctx.measureText(longer).width > width - 2 * (x0 - left)) lines.push([word]);
    else lines.at(-1).push(word);
  }
  const single = lines.length === 1 && height < 2 * leading;
  lines.forEach((line, i) => ctx.fillText(line.join(" "), x0, single ? top + height / 2 : top + parseFloat(style.paddingTop) + (i + 0.5) * leading));
}

function pen(ctx, style) {
  ctx.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  ctx.fillStyle = style.color;
}

/** The words of a text node, each where it stands; struck or underlined as they are. */
function words(ctx, style, node, clip) {
  pen(ctx, style);
  const range = document.createRange();
  for (const { index, 0: word } of node.data.matchAll(/\S+/g)) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    const rects = range.getClientRects();
    if (!rects.length || !meets(rects[0], clip)) continue;
    const { left, top, width, height } = rects[0];
    ctx.fillText(word, left, top + height / 2);
    const decoration = style.textDecorationLine;
    if (decoration.includes("line-through")) ctx.fillRect(left, top + height / 2, width, 1);
    if (decoration.includes("underline")) ctx.fillRect(left, top + height - 2, width, 1);
  }
}
