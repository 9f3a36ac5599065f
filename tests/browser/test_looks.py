"""Theme, contrast, sizes: on a desk and on a phone."""

import math
import re

import pytest
from playwright.sync_api import expect

from tests.browser.fields import box
from tests.browser.one_tab import until


def test_theme_is_kept(board):
    scheme = "document.documentElement.dataset.mantineColorScheme"
    before = board.evaluate(scheme)
    board.locator("#theme").click()
    after = board.evaluate(scheme)
    assert {before, after} == {"light", "dark"}
    board.reload()
    expect(box(board, "lif.v_thresh")).to_be_visible()
    assert board.evaluate(scheme) == after


def _luminance(colour):
    channels = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrast_and_size(board, scheme):
    """Every visible text of the page's own: at least 12 px and 4.5:1 on the ground behind it."""
    board.evaluate(f"document.documentElement.dataset.mantineColorScheme = '{scheme}'")
    until(
        board,
        """() => new Promise(requestAnimationFrame).then(() =>
            !document.getAnimations().some(one => one instanceof CSSTransition))""",
    )
    texts = board.evaluate(
        """() => {
            const ground = node => {
                for (; node; node = node.parentElement) {
                    const colour = getComputedStyle(node).backgroundColor;
                    if (!/, 0\\)$/.test(colour)) return colour;
                }
                return 'rgb(255, 255, 255)';
            };
            const own = node => [...node.childNodes].some(c => c.nodeType === 3 && c.data.trim());
            return [...document.querySelectorAll('#app *')]
                .filter(n => own(n) && n.offsetParent && !n.closest('.js-plotly-plot, .sr-only, :disabled, option, optgroup'))
                .map(n => ({text: n.textContent.trim().slice(0, 30), ink: getComputedStyle(n).color,
                    ground: ground(n), size: parseFloat(getComputedStyle(n).fontSize)}));
        }"""
    )
    assert len(texts) > 60
    for item in texts:
        light, dark = sorted(map(_luminance, (item["ink"], item["ground"])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, item
        assert item["size"] >= 12 and math.isfinite(item["size"]), item


def test_phone_has_the_controls_in_a_drawer(board):
    board.set_viewport_size({"width": 390, "height": 844})
    expect(box(board, "lif.v_thresh")).to_be_hidden()
    assert board.evaluate("document.documentElement.scrollWidth") <= 390
    board.locator(".drawer-open").click()
    expect(box(board, "lif.v_thresh")).to_be_visible()
    board.locator(".drawer-close").click()
    expect(box(board, "lif.v_thresh")).to_be_hidden()


def test_the_spiking_panels_and_controls_fit_at_1600_by_1000(board):
    assert board.evaluate("document.documentElement.scrollHeight") <= 1000
    slugs = [
        p["slug"] for p in board.evaluate("window.t4dm.app.config.panels") if p["page"] == "spiking"
    ]
    assert len(slugs) == 8
    for slug in slugs:
        panel = board.locator(f"#panel-{slug}")
        area = panel.bounding_box()
        assert area["y"] >= 0 and area["y"] + area["height"] <= 1000
        assert area["x"] + area["width"] <= 1600 and area["height"] > 90


@pytest.mark.parametrize(("width", "height"), [(1600, 1000), (390, 844)])
def test_the_gate_stands_under_the_raster_on_the_same_axis(board, width, height):
    board.set_viewport_size({"width": width, "height": height})
    board.locator("#panel-gate").scroll_into_view_if_needed()  # what is below the fold waits
    until(board, LAID_OUT, width)  # Plotly follows the new size a moment later
    raster, gate = (board.evaluate(AXES, slug) for slug in ("raster", "gate"))
    assert gate["left"] == pytest.approx(raster["left"], abs=1)
    assert gate["width"] == pytest.approx(raster["width"], abs=1)
    assert gate["top"] > raster["bottom"]


AXES = "slug => document.querySelector(`#graph-${slug} .nsewdrag`).getBoundingClientRect().toJSON()"
LAID_OUT = """width => window.innerWidth === width && ['raster', 'gate'].every(slug => {
    const plot = document.querySelector(`#graph-${slug} .js-plotly-plot`);
    return plot._fullLayout.width === plot.clientWidth && plot.clientWidth <= width;
})"""


def test_a_page_link_brings_its_panels_into_view(board):
    board.locator("#pages a", has_text="Learning").click()
    expect(board.locator("#panel-receptive")).to_be_in_viewport(ratio=0.9)
    expect(board.locator("#pages a[aria-current=page]")).to_have_text("Learning")
    board.keyboard.press("1")
    expect(board.locator("#panel-raster")).to_be_in_viewport(ratio=0.9)
    expect(board.locator("#pages a[aria-current=page]")).to_have_text("Spiking")
