"""A pause changes nothing that a person sees, but that hovering and zooming work."""

import base64
import itertools

import numpy as np
import pytest

from tests.browser.one_tab import (
    PANELS,
    drawn,
    figure_of,
    hold,
    in_page,
    numbers,
    remember,
    send,
    settle,
    until,
    wait_traces,
)

TIME_PANELS = ["raster", "membrane", "neuromod", "gate", "rate", "stimulus"]
# Cells of 8 x 8 pixels of two pictures, and the share of them whose mean colours differ by more than
# 48 of 255 in one of red, green and blue: more than other smoothing of the same lines gives.
COMPARE = """const cells = async data => {
    const picture = await createImageBitmap(await (await fetch('data:image/png;base64,' + data)).blob());
    const w = picture.width >> 3, h = picture.height >> 3;
    const context = new OffscreenCanvas(w, h).getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, 0, 0, w, h);
    return context.getImageData(0, 0, w, h).data;
};
const [x, y] = [await cells(a), await cells(b)];
if (x.length !== y.length) return 1;
let other = 0;
for (let i = 0; i < x.length; i += 4)
    if (Math.max(...[0, 1, 2].map(c => Math.abs(x[i + c] - y[i + c]))) > 48) other += 1;
return other / (x.length / 4);"""
SURFACES = """() => Object.fromEntries([...document.querySelectorAll('#board section.panel')].map(section => {
    const {xaxis: x, yaxis: y} = section.querySelector('.js-plotly-plot')._fullLayout;
    return [section.dataset.slug, {foot: section.querySelector('.panel-foot').textContent,
        box: [x._offset, y._offset, x._length, y._length].map(Math.round)}];
}))"""


@pytest.fixture(autouse=True)
def running_again(board):
    """The run goes on after each test, also for the tab of the next module."""
    yield
    send(board, {"type": "run"})


def shot(page, slug):
    """A panel below the fold is drawn when it comes into view: seen in one frame, drawn in the next."""
    page.mouse.move(1, 999)
    plot = page.locator(f"#panel-{slug} .panel-plot")
    plot.scroll_into_view_if_needed()
    settle(page)
    return base64.b64encode(plot.screenshot()).decode()


def pause_view(page):
    page.evaluate("window.t4dm.app.pauseView()")
    wait_traces(page, *PANELS)


def settled(page):
    """The run stands, and labels and feet have come after the last frame."""
    hold(page)
    settle(page)


@pytest.fixture
def sharpness(board):
    """Sets how many pixels of the screen the page takes for one of its own."""
    yield lambda n: board.evaluate(
        "n => Object.defineProperty(window, 'devicePixelRatio', {value: n, configurable: true})", n
    )
    board.evaluate("delete window.devicePixelRatio")


@pytest.mark.parametrize("ratio", [1, 2])
def test_a_pause_changes_hardly_a_pixel(board, sharpness, ratio):
    sharpness(ratio)
    send(board, {"type": "inject", "nt": "DA", "level": 0.3},
         {"type": "set", "path": "lif.v_thresh", "value": 1.02})  # fmt: skip
    until(board, "window.t4dm.app.store.events.some(e => e.type === 'param')")
    settled(board)
    before = {slug: shot(board, slug) for slug in PANELS}
    pause_view(board)
    settle(board)
    differ = {slug: in_page(board, COMPARE, before[slug], shot(board, slug)) for slug in PANELS}
    assert {slug: share for slug, share in differ.items() if share >= 0.01} == {}


def in_view(board):
    """Plot area and foot of the panels that are drawn live: not of those below the fold."""
    told, below = (
        board.evaluate(SURFACES),
        ("receptive", "accuracy", "attention", "isi", "regularity"),
    )
    return {slug: told[slug] for slug in told if slug not in below}


def test_plot_areas_and_feet_stay_at_a_pause(board):
    """The foot says among the rest how many membranes were clamped."""
    send(board, {"type": "set", "path": "lif.u_max", "value": 1.0})
    until(board, "window.t4dm.drawn('membrane').clamped > 0")
    settled(board)
    before = in_view(board)
    pause_view(board)
    settle(board)
    assert in_view(board) == before
    assert "clamped at ±u_max" in before["membrane"]["foot"]


def test_the_drift_covers_the_same_ten_seconds(board):
    remember(board, 10_500)
    board.evaluate("window.t4dm.app.setSpan(300)")
    hold(board)
    figure = figure_of(board, "weights")
    shown = drawn(board, "weights")
    times = numbers(figure["data"][2]["y"])
    assert shown["samples"] == len(times) == 40
    assert [times[0], times[-1]] == shown["drift_ms"]


def test_an_image_that_began_before_the_window_is_shown(board):
    send(board, {"type": "set", "path": "stimulus.image_ms", "value": 4000})
    until(board, "window.t4dm.drawn('stimulus').type === 'rest'")
    until(board, "window.t4dm.drawn('stimulus').type === 'stimulus'")
    board.evaluate("window.t4dm.app.setSpan(100)")
    label = drawn(board, "stimulus")["label"]
    until(board, "(s => s.step1 - s.onset > 200)(window.t4dm.drawn('stimulus'))")
    hold(board)
    figure = figure_of(board, "stimulus")
    assert drawn(board, "stimulus")["label"] == label
    assert f'digits "{label}"' in figure["layout"]["title"]["text"]
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    assert f"“{label}”" in notes and f'digits "{label}"' in notes


def test_a_reload_brings_image_and_drift_back(board):
    """A whole window from the server holds what its picture needs from before."""
    remember(board, 10_500)
    send(board, {"type": "set", "path": "stimulus.image_ms", "value": 9000})
    until(
        board,
        "(s => s.type === 'stimulus' && s.step1 - s.onset > 2500)(window.t4dm.drawn('stimulus'))",
    )
    hold(board)
    shown = drawn(board, "stimulus"), drawn(board, "weights")
    board.evaluate("window.t4dm.app.setRows('block:2')")
    until(board, "window.t4dm.drawn('raster').rows === 512")
    settle(board)
    assert (drawn(board, "stimulus"), drawn(board, "weights")) == shown


def test_gains_that_are_not_applied_are_grey_in_both(board):
    send(board, {"type": "set", "path": "stdp.mode", "value": "three_factor"})
    until(board, "window.t4dm.app.params.values['stdp.mode'] === 'three_factor'")
    board.evaluate("window.t4dm.app.setView({neuromod_view: 'gains'})")
    until(board, "window.t4dm.drawn('neuromod').rows?.length === 5")
    settled(board)
    before = shot(board, "neuromod")
    pause_view(board)
    settle(board)
    assert in_page(board, COMPARE, before, shot(board, "neuromod")) < 0.01
    grey = board.evaluate("document.querySelector('#graph-neuromod .js-plotly-plot').data[0].name")
    assert grey == "not applied"


@pytest.mark.parametrize(("span", "speed"), [(100, 0.1), (300, 0.3), (1000, 1.0)])
def test_labels_of_changes_never_overlap(board, span, speed):
    board.evaluate("ms => window.t4dm.app.setSpan(ms)", span)
    send(board, {"type": "speed", "value": speed})
    for k in range(6):
        send(board, {"type": "set", "path": f"stdp.a_{'plus' if k % 2 else 'minus'}", "value": 0.01 + k / 1000},
             {"type": "inject", "nt": "NE", "level": 0.1})  # fmt: skip
    hold(board)
    pause_view(board)
    boxes = board.evaluate(
        """slugs => Object.fromEntries(slugs.map(slug => [slug,
            [...document.querySelectorAll(`#graph-${slug} .annotation`)]
                .map(node => node.getBoundingClientRect()).filter(r => r.width > 0)
                .map(r => [r.left, r.top, r.right, r.bottom])]))""",
        TIME_PANELS,
    )
    assert len(boxes["raster"]) >= 2
    for slug, found in boxes.items():
        for a, b in itertools.combinations(found, 2):
            apart = a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
            assert apart, (slug, a, b)


WORDS = [
    {"type": "param", "path": "blocks.2.lif_in.v_thresh", "old": 1, "new": 1.25},
    {"type": "param", "path": "stdp.learning_rate", "old": 0.123456, "new": 0.00001},
    {"type": "param", "path": "neuromod.5HT", "old": None, "new": 0.5},
    {"type": "param", "path": "neuromod.enabled", "old": True, "new": False},
    {"type": "inject", "nt": "5HT", "level": -0.25}, {"type": "reward", "r": 1},
    {"type": "break", "id": 3, "reason": "rate above 50"}, {"type": "reset", "seed": 4},
    {"type": "note", "text": "here"}, {"type": "nan", "tensor": "u"}, {"type": "stimulus", "label": "3"},
]  # fmt: skip


def test_events_have_the_same_words_in_the_figure(board):
    from dashboard.figures import events

    told = in_page(
        board,
        "const {eventText} = await import('/assets/js/marks/events.mjs'); return a.map(e => eventText(e) ?? '');",
        WORDS,
    )
    assert told == [events.text_of(event) for event in WORDS]


def test_a_zoom_in_a_paused_view_keeps_every_panels_traces(board):
    """Dash must not plot its first, empty figure again."""
    hold(board)
    pause_view(board)
    names = "s => document.querySelector(`#graph-${s} .js-plotly-plot`).data.map(t => t.name)"
    before = {slug: board.evaluate(names, slug) for slug in PANELS}
    area = board.locator("#graph-raster .nsewdrag").first.bounding_box()
    board.mouse.move(area["x"] + 0.2 * area["width"], area["y"] + 0.2 * area["height"])
    board.mouse.down()
    board.mouse.move(area["x"] + 0.6 * area["width"], area["y"] + 0.7 * area["height"], steps=5)
    board.mouse.up()
    until(board, "window.t4dm.app.view.zoom !== null")
    settle(board)
    assert {slug: board.evaluate(names, slug) for slug in PANELS} == before
    lo, hi = board.evaluate("window.t4dm.app.view.zoom")
    for slug in TIME_PANELS:
        range_ = board.evaluate(
            "s => document.querySelector(`#graph-${s} .js-plotly-plot`)._fullLayout.xaxis.range",
            slug,
        )
        assert np.allclose(range_, [lo, hi])


def test_a_zoom_may_begin_on_the_label_of_an_event(board):
    step = send(board, {"type": "inject", "nt": "DA", "level": 0.3})["step"]
    until(board, "step => window.t4dm.app.store.step1 > step + 500", step)
    hold(board)
    pause_view(board)
    settle(board)
    box = board.locator("#graph-raster .annotation-text-g", has_text="DA +0.3").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    on_label = "([x, y]) => Boolean(document.elementFromPoint(x, y).closest('.annotation-text-g'))"
    assert board.evaluate(on_label, [x, y])
    board.mouse.move(x, y)
    board.mouse.down()
    board.mouse.move(x - 120, y + 60, steps=5)
    board.mouse.up()
    until(board, "window.t4dm.app.view.zoom !== null", patience_s=10)


def test_hovering_a_tick_names_its_neuron(board):
    hold(board)
    pause_view(board)
    told = board.evaluate(
        """() => new Promise(done => {
            const gd = document.querySelector('#graph-raster .js-plotly-plot');
            gd.on('plotly_hover', e => done(gd.querySelector('.hoverlayer').textContent));
            Plotly.Fx.hover(gd, [{curveNumber: 0, pointNumber: 0}]);
            setTimeout(() => done(gd.querySelector('.hoverlayer').textContent), 500);
        })"""
    )
    assert "block 0 LIF in #" in told and " ms" in told
