"""The raster of a sick network: signs beside the labels, and why nothing fires, as the figure says it."""

import pytest

from tests.browser.one_tab import drawn, figure_of, hold, in_page, send, until

# Boxes of texts and vertices of signs left of the plot, in one drawing of the raster's labels.
DRAWN = """
const {mark} = await import('/assets/js/marks/raster.mjs'), scene = window.t4dm.app.scene();
const box = {x: a, y: 6, w: 300, h: c}, ill = new Map(scene.groups.map(({g}, k) => [g, ['note', 'warning', 'critical'][k % 3]]));
const ctx = document.createElement('canvas').getContext('2d'), texts = [], signs = [];
const fill = ctx.fillText.bind(ctx), move = (x, y) => { if (x < box.x) signs.push([x, y]); };
ctx.fillText = (text, x, y) => { if (ctx.textAlign === 'right') texts.push([text, x - ctx.measureText(text).width, x, y]); fill(text, x, y); };
ctx.moveTo = ctx.lineTo = move;
ctx.arc = (x, y, r) => { move(x - r, y); move(x + r, y); };
mark.labels(ctx, {...scene, box, hz: () => b, ailing: () => ill, rowEdge: row => box.y + row / scene.rows.length * box.h});
return {texts, signs};
"""


@pytest.mark.parametrize("hz", [0, 63.4, 113])
@pytest.mark.parametrize(("margin", "height"), [(196, 240), (196, 400), (104, 350)])
def test_signs_stand_beside_the_labels_and_not_on_them(board, margin, height, hz):
    made = in_page(board, DRAWN, margin, hz, height)
    assert len(made["texts"]) >= 13 and len(made["signs"]) >= 13 * 2
    for text, left, right, y in made["texts"]:
        assert left >= 0, text
        on = [(x, at) for x, at in made["signs"] if left < x < right and abs(at - y) < 10]
        assert on == [], text
    assert all(x > 0 for x, _ in made["signs"])


def test_membranes_are_compared_with_the_threshold_of_their_own_group(board):
    """The sensory layer's is far lower; canvas and figure say the same words."""
    send(board, {"type": "preset", "name": "not_firing"})
    until(board, "window.t4dm.drawn('raster').ticks === 0")
    hold(board)
    why = drawn(board, "raster")["why"]
    theta = float(why.split("θ ")[1].split(" ")[0])
    assert why.startswith("0 spikes in window · closest watched: u ") and " < " in why
    assert theta > 7.5
    notes = [one["text"] for one in figure_of(board, "raster")["layout"]["annotations"]]
    assert why in notes
