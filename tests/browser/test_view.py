"""Looking at the run without touching it: pause, zoom, rewind, span."""

import pytest
from playwright.sync_api import expect

from t4dm.live import frame
from tests.browser.one_tab import PANELS, drawn, hold, remember, send, until, wait_traces

VIEW = "window.t4dm.app.view"
TIME = ["raster", "membrane", "gate", "rate"]
RANGE = "slug => document.querySelector(`#graph-${slug} .js-plotly-plot`).layout.xaxis.range"
FILM = "document.querySelector('#panel-raster canvas.film').style.visibility"


def run_step(board):
    return board.evaluate("window.t4dm.stats().sim_step")


def drag(board, slug, x0, x1):
    """Drag over a share of the plot's width, from ``x0`` to ``x1``."""
    area = board.locator(f"#graph-{slug} .nsewdrag").first.bounding_box()
    y = area["y"] + area["height"] / 2
    board.mouse.move(area["x"] + x0 * area["width"], y)
    board.mouse.down()
    board.mouse.move(area["x"] + x1 * area["width"], y + 1, steps=6)
    board.mouse.up()


def test_a_paused_view_becomes_traces_and_the_run_goes_on(board):
    board.locator(".tl-pause").click()
    wait_traces(board, "raster")
    assert board.evaluate(FILM) == "hidden"
    before = run_step(board)
    until(board, "n => window.t4dm.stats().sim_step > n + 100", before)
    expect(board.locator(".tl-live")).to_contain_text("behind, jump to live")
    board.locator(".tl-live").click()
    until(board, "window.t4dm.drawn('raster').live")
    assert board.evaluate(FILM) == "visible"
    assert board.evaluate(f"{VIEW}.mode") == "live"


def test_a_pause_makes_every_panel_inspectable_a_few_at_a_time(board):
    board.evaluate(
        """() => { const ask = window.plainFetch = window.fetch; let open = 0; window.most = 0;
                   window.fetch = async (...a) => {
                       if (!String(a[0]).includes('/panels/')) return ask(...a);
                       window.most = Math.max(window.most, ++open);
                       try { return await ask(...a); } finally { open--; } };
                   window.started = performance.now();
                   window.t4dm.app.on('inspect', () => { window.took = performance.now() - window.started; });
                   window.t4dm.app.pauseView(); }"""
    )
    wait_traces(board, *PANELS)
    assert 1 < board.evaluate("window.most") <= 4
    until(board, "window.took > 0")
    board.evaluate("() => { window.fetch = window.plainFetch; }")
    print(f"all panels inspectable after {board.evaluate('window.took'):.0f} ms")


STIMULUS = """() => {
    const plot = document.querySelector('#panel-stimulus .panel-plot');
    const area = plot.getBoundingClientRect();
    const axes = plot.querySelector('.nsewdrag').getBoundingClientRect();
    const over = plot.querySelector('canvas.film-labels'), scale = over.width / area.width;
    const wide = Math.floor((axes.left - area.left) * scale);
    const {data} = over.getContext('2d').getImageData(0, 0, wide, over.height);
    const greys = new Set();
    let left = wide, bottom = 0;
    for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] < 255 || data[i] !== data[i + 1] || data[i] !== data[i + 2]) continue;
        greys.add(data[i]);
        left = Math.min(left, i / 4 % wide);
        bottom = Math.max(bottom, Math.floor(i / 4 / wide));
    }
    return {greys: greys.size, left, below: over.height - bottom,
            shown: getComputedStyle(over).visibility,
            points: plot.querySelector('.js-plotly-plot')._fullData[0].x.length,
            range: plot.querySelector('.js-plotly-plot').layout.xaxis.range};
}"""


def test_a_paused_stimulus_shows_image_and_trace(board):
    """As live: the image in the margin, inside the panel, and the mean input on the time axis."""
    send(board, {"type": "set", "path": "stimulus.rest_ms", "value": 0})
    until(board, "window.t4dm.app.params.values['stimulus.rest_ms'] === 0")
    until(board, "window.t4dm.drawn('stimulus').type === 'stimulus'")
    hold(board)
    board.evaluate("window.t4dm.app.pauseView()")
    wait_traces(board, "stimulus")
    until(board, f"() => ({STIMULUS})().greys > 4")  # labels follow at most 250 ms later
    found = board.evaluate(STIMULUS)
    assert found["shown"] == "visible"
    assert found["left"] > 0 and found["below"] > 0
    assert found["points"] == board.evaluate(f"{VIEW}.span_ms")
    assert found["range"] == board.evaluate(RANGE, "raster")


def test_a_drag_zooms_all_time_panels_and_the_zoom_survives(board):
    drag(board, "raster", 0.2, 0.6)
    until(board, f"{VIEW}.mode === 'paused'")
    wait_traces(board, *TIME)
    zoom = board.evaluate(f"{VIEW}.zoom")
    span = board.evaluate(f"{VIEW}.span_ms")
    assert zoom[1] - zoom[0] == pytest.approx(0.4 * span, rel=0.05)
    for slug in TIME:
        assert board.evaluate(RANGE, slug) == pytest.approx(zoom)
    before = run_step(board)
    until(board, "n => window.t4dm.stats().sim_step > n + 200", before)
    assert board.evaluate(RANGE, "raster") == pytest.approx(zoom)


def test_a_zoom_is_scrolled_and_goes_with_the_window(board):
    remember(board, 3000)
    hold(board)
    board.evaluate("window.t4dm.app.pauseView()")
    t1 = board.evaluate(f"{VIEW}.t1_ms")
    zoom = [t1 - 900, t1 - 700]
    board.evaluate("zoom => window.t4dm.app.setView({zoom})", zoom)
    for press in range(1, 8):
        board.keyboard.press("ArrowLeft")
        assert board.evaluate(f"{VIEW}.zoom") == pytest.approx([v - 20 * press for v in zoom])
    assert board.evaluate(f"{VIEW}.t1_ms") == pytest.approx(t1 - 40)  # its left end took it along
    board.evaluate("t => window.t4dm.app.seek(t)", t1 - 1000)
    assert board.evaluate(f"{VIEW}.zoom") == pytest.approx([v - 1100 for v in zoom])
    wait_traces(board, "raster")
    until(board, f"() => Math.abs(({RANGE})('raster')[0] - {zoom[0] - 1100}) < 1e-6")


def test_labels_and_feet_tell_of_the_zoomed_part(board):
    """While the time axes are zoomed, counts, levels and image are those of what they show."""
    hold(board)
    board.evaluate("window.t4dm.app.pauseView()")
    wait_traces(board, *TIME, "membrane", "neuromod", "stimulus")
    whole = drawn(board, "raster")
    lo = whole["t1_ms"] - 750
    board.evaluate("zoom => window.t4dm.app.setView({zoom})", [lo, lo + 250])
    until(board, "t => window.t4dm.drawn('stimulus').t1_ms === t", lo + 250)
    answer = board.request.get(f"/sessions/default/window?from_ms={lo}&to_ms={lo + 250}")
    meta, arrays = frame.decode(answer.body())
    shown = {slug: drawn(board, slug) for slug in ("raster", "neuromod", "stimulus", "membrane")}
    assert shown["raster"]["ticks"] == len(arrays["spk_row"]) < whole["ticks"]
    assert shown["raster"]["mode"] == whole["mode"]
    assert shown["neuromod"]["mean"] == pytest.approx(
        arrays["levels"].mean(axis=0).tolist(), rel=1e-4
    )
    onsets = board.evaluate(
        """end => window.t4dm.app.store.events
            .filter(e => (e.type === 'stimulus' || e.type === 'rest') && e.step < end).map(e => e.step)""",
        meta["step1"],
    )
    assert shown["stimulus"]["onset"] == onsets[-1]
    foot = board.locator("#panel-raster .panel-foot")
    expect(foot).to_contain_text(f"{len(arrays['spk_row']):,} spikes in 250 ms")
    board.evaluate("window.t4dm.app.setView({zoom: null})")
    until(board, "n => window.t4dm.drawn('raster').ticks === n", whole["ticks"])
    send(board, {"type": "run"})


def test_a_zoom_in_one_panel_moves_the_others(board):
    board.evaluate("window.t4dm.app.pauseView()")
    wait_traces(board, "raster", "gate")
    drag(board, "gate", 0.5, 0.75)
    until(board, f"{VIEW}.zoom !== null")
    zoom = board.evaluate(f"{VIEW}.zoom")
    until(
        board,
        """z => { const r = document.querySelector('#graph-raster .js-plotly-plot').layout.xaxis.range;
                  return Math.abs(r[0] - z[0]) < 0.01 && Math.abs(r[1] - z[1]) < 0.01; }""",
        zoom,
    )


def test_rewinding_draws_held_history(board):
    remember(board, 3200)
    target = board.evaluate("Math.round(window.t4dm.app.meta.held[1] - 2000)")
    board.evaluate("t => window.t4dm.app.seek(t)", target)
    until(board, "t => window.t4dm.drawn('raster').step1 === t", target)
    assert drawn(board, "raster")["ticks"] > 0
    expect(board.locator(".tl-badge")).to_contain_text("REPLAY")
    wait_traces(board, "raster")
    figure = board.evaluate(RANGE, "raster")
    assert figure[1] == target


def test_rewinding_beyond_what_is_held_stops_at_its_end(board):
    board.evaluate("window.t4dm.app.seek(-5)")
    lo, hi = board.evaluate("window.t4dm.app.meta.held")
    assert lo <= board.evaluate(f"{VIEW}.t1_ms") <= hi


@pytest.mark.parametrize(("wish", "got"), [(250, 250), (1, 100), (99999, 10000), ("x", 100)])
def test_the_span_is_held_within_its_bounds(board, wish, got):
    board.evaluate("ms => window.t4dm.app.setSpan(ms)", wish)
    assert board.evaluate(f"{VIEW}.span_ms") == got


def test_a_longer_span_shows_more_steps(board):
    board.locator(".tl-span select").select_option("2000")
    until(board, "(d => d.step1 - d.step0 === 2000)(window.t4dm.drawn('raster'))")
